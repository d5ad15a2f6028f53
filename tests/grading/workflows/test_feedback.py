import pytest
from nbgrader.api import Gradebook

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.workflows.feedback import make_feedback, page_exists, stale_feedback
from bncourse.grading.workflows.roster import set_dropped

pytestmark = pytest.mark.sandbox


def test_pages_are_made_for_everybody_and_again_only_where_something_changed(graded: Course) -> None:
    for student in graded.students("backward")[4:]:
        graded.notebook("autograded", "backward", student).unlink()
    four = graded.students("backward")[:4]
    secret = graded.folder("autograded", "backward", four[0]) / "submission_secret.txt"
    secret.write_text("what the exchange knows it by")
    seen: list[int] = []
    assert make_feedback(graded, "backward", lambda: seen.append(1)) == four
    assert len(seen) == 4
    page = graded.folder("feedback", "backward", four[0])
    assert (page / "submission_secret.txt").read_text() == secret.read_text()
    assert all(page_exists(graded, "backward", student) for student in four)
    assert make_feedback(graded, "backward") == []
    with Gradebook(graded.db_url, "bncourse") as gradebook:
        gradebook.find_comment("proof", "backward", "backward", four[1]).manual_comment = "Which minimum do you mean?"
        gradebook.db.commit()
    assert stale_feedback(graded, "backward") == [four[1]]
    assert make_feedback(graded, "backward") == [four[1]]
    page = graded.notebook("feedback", "backward", four[1]).with_suffix(".html").read_text()
    assert "Which minimum do you mean?" in page


def test_there_is_no_feedback_before_grading(course: Course) -> None:
    with pytest.raises(CourseError, match="bncourse grade backward"):
        make_feedback(course, "backward")


def test_a_student_who_was_dropped_costs_nobody_their_page(graded: Course) -> None:
    for student in graded.students("backward")[3:]:
        graded.notebook("autograded", "backward", student).unlink()
    dropped, *others = graded.students("backward")[:3]
    with Gradebook(graded.db_url, "bncourse") as gradebook:
        gradebook.remove_student(dropped)
    assert make_feedback(graded, "backward") == others
    assert not page_exists(graded, "backward", dropped)


def test_who_has_left_the_class_gets_no_page_until_they_return(graded: Course) -> None:
    for student in graded.students("backward")[2:]:
        graded.notebook("autograded", "backward", student).unlink()
    gone, other = graded.students("backward")[:2]
    set_dropped(graded, [gone], dropped=True)
    assert make_feedback(graded, "backward") == [other]
    set_dropped(graded, [gone], dropped=False)
    assert stale_feedback(graded, "backward") == [gone]


def test_a_penalty_that_has_changed_is_shown_on_a_new_page(graded: Course) -> None:
    for student in graded.students("backward")[1:]:
        graded.notebook("autograded", "backward", student).unlink()
    (student,) = make_feedback(graded, "backward")
    config = graded.masters.parent / "nbgrader_config.py"
    config.write_text(
        "c = get_config()\nfrom nbgrader.plugins import BasePlugin\nclass LateOne(BasePlugin):\n"
        "    def late_submission_penalty(self, *_):\n        return 1.25\n"
        "c.AssignLatePenalties.plugin_class = LateOne\n"
    )
    with Gradebook(graded.db_url, "bncourse") as gradebook:
        gradebook.update_or_create_submission("backward", student, timestamp="2030-01-01 00:00:00 UTC")
    assert make_feedback(graded, "backward") == [student]
