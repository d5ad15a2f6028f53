import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nbgrader.api import Gradebook

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.environment import environment
from bncourse.grading.core.records import SubmissionRecord, Verdict
from bncourse.grading.gradebook.extensions import extend
from bncourse.grading.gradebook.fingerprints import Fingerprints, answer_digests
from bncourse.grading.gradebook.late_penalty import enter_times, update_penalties
from bncourse.grading.gradebook.records_table import from_json, kept_records, open_gradebook, to_json
from bncourse.grading.gradebook.writer import NO_RESPONSE, GradebookWriter
from bncourse.grading.reports import export
from bncourse.grading.reports.class_lines import each_line
from bncourse.grading.submissions.read import read_submission
from bncourse.grading.workflows.roster import Member, enter_members

FINGERPRINT = "f" * 64


def record(course: Course, student: str = "ann", **points: float) -> SubmissionRecord:
    tests = [cell for cell in course.master("backward").cells if cell.kind == "test"]
    verdicts = tuple(
        Verdict(cell.grade_id, "correct", points.get(cell.grade_id.replace("-", "_"), cell.points), cell.points)
        for cell in tests
    )
    return SubmissionRecord(student, "backward", "correct", verdicts, repairs=("a repair",), notes=("a note",))


def put(course: Course, its: SubmissionRecord, attempted: tuple[str, ...] = ("closed", "proof")) -> None:
    with GradebookWriter(course, course.master("backward")) as writer:
        writer.put(its, FINGERPRINT, attempted)


def test_nbgrader_reads_what_was_written(course: Course) -> None:
    put(course, record(course, test_closed_dx=1.5))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        submission = gradebook.find_submission("backward", "ann")
        assert (submission.score, submission.max_score) == (33 - 2.5, 40)
        grade = gradebook.find_grade("test-closed-dx", "backward", "backward", "ann")
        assert (grade.auto_score, grade.manual_score, grade.needs_manual_grade) == (1.5, None, False)


def test_written_answers_wait_for_a_person_unless_they_are_empty(course: Course) -> None:
    put(course, record(course))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        proof = gradebook.find_grade("proof", "backward", "backward", "ann")
        assert (proof.auto_score, proof.needs_manual_grade) == (None, True)
        empty = gradebook.find_grade("answer-probes", "backward", "backward", "ann")
        assert (empty.auto_score, empty.needs_manual_grade) == (0.0, False)
        assert gradebook.find_comment("answer-probes", "backward", "backward", "ann").comment == NO_RESPONSE
        assert gradebook.find_comment("proof", "backward", "backward", "ann").comment is None


def test_points_and_comments_given_by_hand_survive_a_regrade(course: Course) -> None:
    put(course, record(course))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        gradebook.find_grade("proof", "backward", "backward", "ann").manual_score = 3.5
        grade = gradebook.find_grade("test-closed-dx", "backward", "backward", "ann")
        grade.manual_score, grade.extra_credit = 2.0, 0.5
        gradebook.find_comment("proof", "backward", "backward", "ann").manual_comment = "Well said."
        gradebook.db.commit()
    put(course, record(course, test_closed_dx=0.0))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        assert gradebook.find_grade("proof", "backward", "backward", "ann").score == 3.5
        grade = gradebook.find_grade("test-closed-dx", "backward", "backward", "ann")
        assert (grade.auto_score, grade.score, grade.needs_manual_grade) == (0.0, 2.5, True)
        assert gradebook.find_comment("proof", "backward", "backward", "ann").comment == "Well said."


@pytest.mark.parametrize("points", [-0.5, 4.5, math.nan, math.inf])
def test_a_score_outside_of_its_bounds_is_never_written(course: Course, points: float) -> None:
    with pytest.raises(ValueError, match="Expected 0 to 4"):
        put(course, record(course, test_closed_dx=points))
    assert kept_records(course, "backward") == {}


@pytest.mark.parametrize("cell", ["proof", "closed", "nothing"])
def test_only_test_cells_can_be_scored(course: Course, cell: str) -> None:
    its = replace(record(course), verdicts=(Verdict(cell, "correct", 1.0, 1.0),))
    with pytest.raises(ValueError, match="not a test cell"):
        put(course, its)


def test_what_needs_a_look_is_flagged(course: Course) -> None:
    put(course, replace(record(course), status="repaired"))
    put(course, record(course, "ben"))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        flags = {s.student.id: s.flagged for s in gradebook.notebook_submissions("backward", "backward")}
    assert flags == {"ann": True, "ben": False}


def test_records_come_back_as_they_were(course: Course) -> None:
    its = record(course, test_closed_dx=1.25)
    put(course, its)
    kept = kept_records(course, "backward")["ann"]
    assert kept.record == its
    assert kept.fingerprint == FINGERPRINT


def test_a_record_of_a_later_version_can_be_read(course: Course) -> None:
    text = to_json(record(course)).replace('{"assignment"', '{"unheard_of": 1, "assignment"')
    assert from_json(text) == record(course)
    earlier = to_json(replace(record(course), status="repaired")).replace("repaired", "tampered")
    assert from_json(earlier).status == "repaired"


def test_a_gradebook_without_the_assignment_is_refused(course: Course) -> None:
    elsewhere = replace(course, db_url=f"sqlite:///{course.root}/other.db")
    with pytest.raises(CourseError, match="bncourse release backward"):
        GradebookWriter(elsewhere, course.master("backward")).__enter__()


def test_a_gradebook_that_cannot_be_reached_is_named_without_its_password(course: Course) -> None:
    elsewhere = replace(course, db_url="postgresql://bn:secret@127.0.0.1:1/grades")
    with pytest.raises(CourseError, match="cannot be opened") as refused:
        open_gradebook(elsewhere)
    assert "secret" not in str(refused.value)


TEXTS = {"proof": "a", "answer-probes": "b", "test-closed-dx": "c"}


@pytest.mark.parametrize("changed", [None, *TEXTS])
def test_a_mark_that_was_given_by_hand_stays_as_long_as_the_text_does(course: Course, changed: str | None) -> None:
    """Whatever else has changed since: the grader, the libraries, the points that the machine gives."""
    texts = TEXTS if changed is None else TEXTS | {changed: "another text"}

    def write(fingerprint: str, texts: dict[str, str], points: float) -> None:
        with GradebookWriter(course, course.master("backward")) as writer:
            writer.put(record(course, test_closed_dx=points), fingerprint, ["proof", "answer-probes"], texts)

    write("before", TEXTS, 4.0)
    with Gradebook(course.db_url, "bncourse") as gradebook:
        for name in TEXTS:
            grade = gradebook.find_grade(name, "backward", "backward", "ann")
            grade.manual_score, grade.needs_manual_grade = 1.0, False
        gradebook.db.commit()
    for _ in range(2):  # what waits for a person does so until a person has looked
        write("after", texts, 0.0)
        with Gradebook(course.db_url, "bncourse") as gradebook:
            grades = {name: gradebook.find_grade(name, "backward", "backward", "ann") for name in TEXTS}
            assert {name for name, grade in grades.items() if grade.needs_manual_grade} == ({changed} - {None})
            assert {grade.score for grade in grades.values()} == {1.0}


def test_the_mark_of_an_answer_depends_on_its_text_and_pictures_alone() -> None:
    from tests.grading.small import MASTER, RIGHT, cell_of, hand_in
    from tests.grading.submissions.test_attempted import JPEG, coded

    def digests(answers: dict[str, str], picture: bytes = b"", **more: Any) -> dict[str, str]:
        def attach(made: Any) -> None:
            if picture:
                cell_of(made, "explain")["attachments"] = {"p.jpg": {"image/jpeg": coded(picture)}}

        return answer_digests(MASTER, read_submission(MASTER, hand_in(answers, change=attach, **more)))

    before = digests(RIGHT)
    assert digests(RIGHT) == before
    code = digests(RIGHT | {"number": "values_per_channel = 1"})
    assert code["explain"] == before["explain"] and code["test-scale"] != before["test-scale"]
    text = digests(RIGHT | {"explain": "Otherwise."})
    assert text["explain"] != before["explain"] and text["test-scale"] == before["test-scale"]
    assert digests(RIGHT, JPEG)["explain"] not in (before["explain"], digests(RIGHT, JPEG + b"x")["explain"])


def test_a_student_who_was_dropped_and_returns_is_graded_again(course: Course) -> None:
    put(course, record(course))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        gradebook.remove_student("ann")
    with GradebookWriter(course, course.master("backward")) as writer:
        assert writer.known() == {}
    put(course, record(course))
    with Gradebook(course.db_url, "bncourse") as gradebook:
        assert gradebook.find_submission("backward", "ann").score == 33


# --- late submissions ---

TWO_DAYS_LATE = datetime(2027, 2, 14, 23, 59)
RULE = """\
from nbgrader.plugins import BasePlugin
class {name}(BasePlugin):
    def late_submission_penalty(self, student, score, seconds):
        return {what}
"""


def with_rule(course: Course, what: str) -> None:
    """An instructor's configuration with a rule of its own."""
    name = f"Late{abs(hash(what))}"
    config = course.masters.parent / "nbgrader_config.py"
    config.write_text(
        f"c = get_config()\n{RULE.format(name=name, what=what)}c.AssignLatePenalties.plugin_class = {name}\n"
    )


@pytest.fixture
def late(course: Course) -> Course:
    """Ann has handed in two days late, and has 33 points for her code."""
    with GradebookWriter(course, course.master("backward")) as writer:
        writer.put(record(course), FINGERPRINT, ["proof"])
    enter_times(course, "backward", {"ann": TWO_DAYS_LATE, "bob": TWO_DAYS_LATE})
    return course


def test_a_late_submission_loses_what_the_rule_says_and_no_more_than_it_has(late: Course) -> None:
    with_rule(late, "0.05 * score * seconds / 86400")
    assert update_penalties(late, "backward") == {"ann": pytest.approx(3.3)}
    with_rule(late, "1000")
    assert update_penalties(late, "backward") == {"ann": 33.0}
    with_rule(late, "None")
    assert update_penalties(late, "backward") == {}
    with Gradebook(late.db_url, "bncourse") as gradebook:
        assert gradebook.find_submission("backward", "ann").late_submission_penalty == 0


def test_the_penalty_is_taken_from_the_whole_score_when_marks_come(late: Course) -> None:
    with_rule(late, "0.1 * score")
    assert update_penalties(late, "backward") == {"ann": pytest.approx(3.3)}
    with Gradebook(late.db_url, "bncourse") as gradebook:
        gradebook.find_grade("proof", "backward", "backward", "ann").manual_score = 4.0
        gradebook.db.commit()
    export.export(late, "backward", "csv")
    (line,) = each_line(late, "backward")
    assert (line.late, line.score) == (pytest.approx(3.7), pytest.approx(33.3))


def test_more_time_for_everybody_or_for_one_takes_the_penalty_back(late: Course) -> None:
    with_rule(late, "seconds / 86400")
    assert update_penalties(late, "backward") == {"ann": 2.0}
    for until, lost in ((14, {"ann": 0.5}), (16, {}), (None, {"ann": 2.0})):
        extend(late, "backward", "ann", datetime(2027, 2, until, 11, 59, tzinfo=UTC) if until else None)
        assert update_penalties(late, "backward") == lost
    with Gradebook(late.db_url, "bncourse") as gradebook:
        gradebook.update_or_create_assignment("backward", duedate="2027-02-13 23:59:00 UTC")
    assert update_penalties(late, "backward") == {"ann": 1.0}


def test_what_a_student_was_given_before_they_handed_in_counts_when_they_do(course: Course) -> None:
    with_rule(course, "seconds / 86400")
    enter_members(course, [Member("ann"), Member("bob")])
    extend(course, "backward", "ann", datetime(2027, 2, 14, 11, 59, tzinfo=UTC))
    with GradebookWriter(course, course.master("backward")) as writer:
        for student in ("ann", "bob"):
            writer.put(replace(record(course), student=student), FINGERPRINT, ["proof"])
    enter_times(course, "backward", dict.fromkeys(("ann", "bob"), TWO_DAYS_LATE))
    assert update_penalties(course, "backward") == {"ann": 0.5, "bob": 2.0}
    with Gradebook(course.db_url, "bncourse") as gradebook:
        assert gradebook.find_submission("backward", "ann").extension == timedelta(days=1.5)


def test_a_due_date_is_no_reason_to_grade_again() -> None:
    from tests.grading.small import MASTER

    moved = replace(MASTER, metadata={**MASTER.metadata, "due": "2028-01-01 00:00:00 UTC", "digest": "other"})
    assert Fingerprints(moved).way == Fingerprints(MASTER).way
    assert Fingerprints(replace(MASTER, seconds_per_test=2.0)).way != Fingerprints(MASTER).way


def test_only_libraries_that_the_master_imports_decide_a_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.grading.small import MASTER

    versions = {"numpy": "1", "torch": "1", "scipy": "1"}
    monkeypatch.setattr("bncourse.grading.core.environment.version", versions.__getitem__)
    environment.cache_clear()
    before = Fingerprints(MASTER).way
    for library, matters in (("torch", False), ("scipy", False), ("numpy", True)):
        versions[library] = "2"
        environment.cache_clear()
        assert (Fingerprints(MASTER).way != before) == matters
    environment.cache_clear()
