import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.authoring.sample_class import load_sample_class
from bncourse.grading.core.render import release_notebook
from bncourse.grading.engine.grader import Grader
from bncourse.grading.gradebook.records_table import kept_records, records_of
from bncourse.grading.gradebook.writer import GradebookWriter
from bncourse.grading.reports.autograded import verdict_text
from bncourse.grading.workflows.grade import Run, grade_class
from bncourse.grading.workflows.roster import set_dropped

pytestmark = pytest.mark.sandbox


def grades(course: Course) -> list[dict[str, str]]:
    with (course.root / "grades.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def hidden_lines(course: Course) -> list[str]:
    """Lines of hidden tests that stand nowhere in the release."""
    released = "\n".join(cell["source"] for cell in release_notebook(course.master("backward"))["cells"])
    tests = "\n".join(cell.source for cell in course.master("backward").cells if cell.kind == "test")
    return [line.strip() for line in tests.split("\n") if line.strip() and line.strip() not in released]


def test_everybody_gets_exactly_the_marks_that_their_code_deserves(graded_course: Course) -> None:
    master = graded_course.master("backward")
    sample = load_sample_class(graded_course, "backward")
    rows = {row["id"]: (float(row["score"]), float(row["max_score"]), row["status"]) for row in grades(graded_course)}
    assert rows == {student.id: (student.deserves(master), 40.0, student.status) for student in sample.students}


def test_points_are_lost_in_the_cells_where_the_code_is_wrong(graded_course: Course) -> None:
    sample = {student.id: student for student in load_sample_class(graded_course, "backward").students}
    for record in records_of(graded_course, "backward"):
        if sample[record.student].begins == "solution" and not sample[record.student].cut_off:
            lost = {v.grade_id: v.max_points - v.points for v in record.verdicts if v.points < v.max_points}
            assert lost == sample[record.student].lost, record.student


@pytest.mark.parametrize(
    ("student", "cell", "belief"),
    [
        ("dora", "test-closed-dx", "variance-path-missing"),
        ("emil", "test-closed-dx", "mean-path-missing"),
        ("georg", "test-closed-dx", "dx-gamma-missing"),
        ("hana", "test-closed-dgamma", "dgamma-with-x"),
        ("ivan", "test-inference", "training-backward-in-inference"),
        ("jana", "test-conv-forward", "conv-reshape"),
    ],
)
def test_classic_mistakes_are_called_by_their_belief(
    graded_course: Course, student: str, cell: str, belief: str
) -> None:
    record = kept_records(graded_course, "backward")[student].record
    assert {v.grade_id: v.belief for v in record.verdicts}[cell] == belief


def test_there_is_one_verdict_for_each_student_and_test_cell(graded_course: Course) -> None:
    lines = [json.loads(line) for line in (graded_course.root / "verdicts.jsonl").read_text().splitlines()]
    tests = [cell.grade_id for cell in graded_course.master("backward").cells if cell.kind == "test"]
    students = graded_course.students("backward")
    assert [(line["student"], line["cell"]) for line in lines] == [(s, t) for s in students for t in tests]
    assert all(0 <= line["points"] <= line["max_points"] for line in lines)


def test_nothing_is_graded_again_where_nothing_has_changed(graded: Course, never: Callable[[], Any]) -> None:
    before = (graded.root / "grades.csv").read_bytes()
    run = grade_class(graded, "backward", grader=never)
    assert (run.graded, run.unchanged) == (0, len(graded.students("backward")))
    assert (graded.root / "grades.csv").read_bytes() == before


def test_only_the_submission_that_changed_is_graded_again(graded: Course) -> None:
    better = graded.notebook("submitted", "backward", "boris").read_bytes()
    graded.notebook("submitted", "backward", "dora").write_bytes(better)
    run = grade_class(graded, "backward", grader=lambda: Grader(jobs=1))
    assert run.graded == 1
    assert {row["id"]: row["score"] for row in grades(graded)}["dora"] == "33"


def test_a_run_that_was_broken_off_goes_on_where_it_stopped(graded: Course) -> None:
    """The gradebook knows only some of the class, as after a kill; the lists come out the same."""
    import sqlalchemy as sql

    before = (graded.root / "grades.csv").read_bytes(), (graded.root / "verdicts.jsonl").read_bytes()
    (graded.root / "grades.csv").unlink()
    engine = sql.create_engine(graded.db_url)
    with engine.begin() as connection:
        connection.execute(sql.text("DELETE FROM bncourse_record WHERE student IN ('ada', 'dora', 'tove')"))
    engine.dispose()
    run = grade_class(graded, "backward", grader=lambda: Grader(jobs=1))
    assert run.graded == 3
    assert ((graded.root / "grades.csv").read_bytes(), (graded.root / "verdicts.jsonl").read_bytes()) == before


def test_a_submission_that_the_grader_gave_up_is_tried_again(graded: Course) -> None:
    from dataclasses import replace

    master = graded.master("backward")
    kept = kept_records(graded, "backward")["ada"]
    given_up = tuple(replace(v, outcome="needs review", points=0.0) for v in kept.record.verdicts)
    with GradebookWriter(graded, master) as writer:
        writer.put(replace(kept.record, status="needs review", verdicts=given_up), kept.fingerprint, [])
    run = grade_class(graded, "backward", grader=lambda: Grader(jobs=1))
    assert run.graded == 1
    assert {row["id"]: row["status"] for row in grades(graded)}["ada"] == "correct"


def test_links_pipes_and_missing_files_are_listed_and_not_read(course: Course, tmp_path: Path, sandbox: None) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_text("{}")
    for student in ("link", "pipe", "none", "other"):
        course.folder("submitted", "backward", student).mkdir(parents=True)
    course.notebook("submitted", "backward", "link").symlink_to(secret)
    os.mkfifo(course.notebook("submitted", "backward", "pipe"))
    (course.folder("submitted", "backward", "other") / "backward (1).ipynb").write_text("{}")
    grade_class(course, "backward", grader=lambda: Grader(jobs=1))
    records = records_of(course, "backward")
    assert {record.status for record in records} == {"unreadable"}
    reasons = {record.student: record.reason for record in records}
    assert "link" in reasons["link"] and "not a plain file" in reasons["pipe"]
    assert "no file" in reasons["none"] and "backward (1).ipynb" in reasons["other"]


def test_autograded_notebooks_show_no_hidden_test_and_nothing_live(graded_course: Course) -> None:
    hidden = hidden_lines(graded_course)
    assert len(hidden) > 20
    for student in graded_course.students("backward"):
        text = graded_course.notebook("autograded", "backward", student).read_text()
        assert not [line for line in hidden if json.dumps(line)[1:-1] in text], student
        for cell in json.loads(text)["cells"]:
            for output in cell.get("outputs", []):
                assert output["output_type"] == "stream" or set(output["data"]) == {"image/png"}


def test_an_autograded_notebook_says_each_verdict_under_its_test(graded_course: Course) -> None:
    record = kept_records(graded_course, "backward")["dora"].record
    cells = json.loads(graded_course.notebook("autograded", "backward", "dora").read_bytes())["cells"]
    shown = {cell["id"]: cell["outputs"][0]["text"] for cell in cells if cell["id"].startswith("test-")}
    assert shown == {verdict.grade_id: verdict_text(verdict) for verdict in record.verdicts}


@pytest.mark.parametrize(
    ("assignment", "students", "said"),
    [("nothing", (), "no assignment 'nothing'"), ("backward", ("nobody",), "'nobody' has handed in nothing")],
)
def test_what_is_not_there_is_refused_before_anything_is_done(
    graded_course: Course, never: Callable[[], Any], assignment: str, students: tuple[str, ...], said: str
) -> None:
    with pytest.raises(CourseError, match=said):
        grade_class(graded_course, assignment, students=students, grader=never)


def test_a_class_of_nobody_is_refused(course: Course, never: Callable[[], Any]) -> None:
    with pytest.raises(CourseError, match="Nobody has handed in"):
        grade_class(course, "backward", grader=never)


def test_a_master_that_was_changed_must_be_released_first(graded: Course, never: Callable[[], Any]) -> None:
    path = graded.masters / "backward.md"
    path.write_text(path.read_text().replace("Write the number.", "Write a number."))
    with pytest.raises(CourseError, match="bncourse release backward"):
        grade_class(graded, "backward", grader=never)


def test_a_run_that_would_grade_everybody_again_asks_first(
    graded: Course, never: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def refuse(count: int) -> bool:
        asked.append(count)
        return False

    monkeypatch.setattr("bncourse.grading.gradebook.fingerprints.code_digest", lambda: "another grader")
    with pytest.raises(CourseError, match="Nothing was graded"):
        grade_class(graded, "backward", grader=never, ask=refuse)
    assert asked == [len(graded.students("backward"))]


def test_who_has_left_the_class_is_graded_only_when_named(graded: Course, never: Callable[[], Grader]) -> None:
    gone, *others = graded.students("backward")
    set_dropped(graded, [gone], dropped=True)
    (graded.notebook("submitted", "backward", gone)).write_text("{}")
    seen: list[str] = []
    assert grade_class(graded, "backward", grader=never, progress=seen.append) == Run(0, len(others))
    assert seen == others and gone not in {row["id"] for row in grades(graded)}
    with pytest.raises(AssertionError, match="the engine was started"):
        grade_class(graded, "backward", grader=never, students=[gone])
