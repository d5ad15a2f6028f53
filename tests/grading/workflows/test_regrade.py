import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.engine.grader import Grader
from bncourse.grading.gradebook.records_table import kept_records, records_of
from bncourse.grading.reports.changes import Change
from bncourse.grading.submissions.upgrade import handed_in
from bncourse.grading.workflows.grade import grade_class, only_run
from bncourse.grading.workflows.regrade import preview
from bncourse.grading.workflows.release import release

pytestmark = pytest.mark.sandbox

OLD = 'assert prediction_4 in ("a", "b", "c")'
NEW = 'assert prediction_4 in ("c",)'


def mend(course: Course) -> None:
    """Change one visible test: now only the right prediction counts."""
    path = course.masters / "backward.md"
    text = path.read_text()
    assert OLD in text
    path.write_text(text.replace(OLD, NEW))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and "source" not in path.parts}


def test_nothing_changes_and_nothing_runs_where_no_test_was_changed(graded: Course, never: Callable[[], Any]) -> None:
    result = preview(graded, "backward", never)
    assert (result.changes, result.compared, result.run) == ((), len(graded.students("backward")), 0)


def test_a_preview_names_who_would_lose_what_and_writes_nothing(graded: Course) -> None:
    mend(graded)
    before = everything(graded.root)
    result = preview(graded, "backward", lambda: Grader(jobs=1))
    assert result.changes == (Change("ivan", 30.0, 29.0, (("test-prediction-4", 1.0, 0.0),)),)
    assert result.run == result.compared
    assert everything(graded.root) == before


def test_after_a_regrade_marks_are_those_of_the_preview_and_nobody_looks_repaired(graded: Course) -> None:
    before = {name: kept.record for name, kept in kept_records(graded, "backward").items()}
    mend(graded)
    for student in ("otto", "pia"):  # slow, and not needed here
        graded.notebook("submitted", "backward", student).write_text("{}")
    release(graded, "backward")
    grade_class(graded, "backward", grader=lambda: Grader(jobs=2))
    for record in records_of(graded, "backward"):
        if record.student not in ("otto", "pia"):
            expected = before[record.student].score - (1 if record.student == "ivan" else 0)
            assert (record.score, record.status) == (expected, before[record.student].status), record.student
            assert record.repairs == before[record.student].repairs


def test_what_a_student_edited_in_an_earlier_release_stays_visible(graded: Course) -> None:
    mend(graded)
    release(graded, "backward")
    master = graded.master("backward")
    cells = {c["id"]: c for c in json.loads(handed_in(graded, master, "sven").content)["cells"]}
    assert NEW in "".join(cells["test-prediction-4"]["source"])
    assert cells["test-closed-dbeta"]["source"] == "print('PASSED')"
    assert cells["test-closed-dx"]["metadata"]["tags"] == ["skip-execution"]


def test_a_notebook_of_an_unknown_release_is_taken_as_it_is(graded: Course) -> None:
    path = graded.notebook("submitted", "backward", "ada")
    notebook = json.loads(path.read_bytes())
    for digest in ("f" * 64, "../../../etc/passwd", 3):
        notebook["metadata"]["bncourse"]["digest"] = digest
        path.write_text(json.dumps(notebook))
        assert handed_in(graded, graded.master("backward"), "ada").content == path.read_bytes()


def test_a_class_that_was_not_graded_has_no_preview(course: Course, never: Callable[[], Any]) -> None:
    with pytest.raises(CourseError, match="bncourse grade backward"):
        preview(course, "backward", never)


def test_a_second_run_of_the_same_assignment_is_refused(graded: Course, never: Callable[[], Any]) -> None:
    with only_run(graded, "backward"), pytest.raises(CourseError, match="graded by another run"):
        grade_class(graded, "backward", grader=never)
    grade_class(graded, "backward", grader=never)
