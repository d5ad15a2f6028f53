"""The plain nbgrader commands, typed in assignments/, do what an instructor who knows nbgrader expects."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.gradebook.records_table import kept_records
from bncourse.grading.workflows.release import release
from tests.conftest import copied, lay_out

pytestmark = pytest.mark.sandbox

COMMANDS = Path(sys.executable).parent
STUDENTS = ("boris", "dora", "mika", "nora", "quin", "rosa", "sven", "tove")

RENAMED = {"mika": "backward (1).ipynb", "nora": "work/Copy of backward.ipynb"}
"""Whose notebook the learning platform has renamed, or put into a folder."""


def nbgrader(course: Course, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as it is typed in assignments/, without the environment's commands on the PATH."""
    environment = {**os.environ, "PATH": os.defpath, "NO_COLOR": "1"}
    return subprocess.run(
        [str(COMMANDS / "nbgrader"), *arguments],
        cwd=course.masters.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_a_fresh_clone_renders_its_masters_and_releases_them_and_names_one_with_a_fault(tmp_path: Path) -> None:
    course = lay_out(tmp_path)
    (course.masters / "broken.md").write_text("# no facts\n")
    done = nbgrader(course, "generate_assignment", "backward")
    assert done.returncode == 0, done.stderr
    assert "broken.md: the front matter has no mapping" in done.stderr
    released = course.notebook("release", "backward").read_text()
    assert "YOUR CODE HERE" in released and "HIDDEN" not in released
    assert sorted(path.name for path in course.folder("release", "backward").iterdir()) == ["backward.ipynb"]
    from nbgrader.api import Gradebook

    with Gradebook(course.db_url, "bncourse") as gradebook:
        assert str(gradebook.find_assignment("backward").duedate) == "2027-02-12 23:59:00"


@pytest.fixture(scope="module")
def stock(graded_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The sample class, graded by `nbgrader autograde` and given feedback by `nbgrader generate_feedback`."""
    folder = tmp_path_factory.mktemp("stock")
    course = copied(graded_course, folder)
    for name in ("autograded", "grades.csv", "verdicts.jsonl"):
        path = course.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (course.root / "gradebook.db").unlink()
    for student in course.students("backward"):
        if student not in STUDENTS:
            shutil.rmtree(course.root / "submitted" / student)
    secret = folder / "secret.txt"
    secret.write_text("SECRET")
    (course.folder("submitted", "backward", "boris") / "link.txt").symlink_to(secret)
    os.mkfifo(course.folder("submitted", "backward", "dora") / "pipe")
    (course.folder("submitted", "backward", "quin") / "timestamp.txt").write_text("yesterday, I swear")
    for student, name in RENAMED.items():
        handed_in = course.notebook("submitted", "backward", student)
        (handed_in.parent / name).parent.mkdir(exist_ok=True)
        handed_in.rename(handed_in.parent / name)
    for arguments in (
        ("generate_assignment", "backward", "--force"),
        ("autograde", "backward"),
        ("generate_feedback", "backward"),
        ("export", "--to", str(folder / "exported.csv")),
    ):
        done = nbgrader(course, *arguments)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return course


def test_marks_and_messages_are_those_of_bncourse_grade(stock: Course, graded_course: Course) -> None:
    ours, theirs = kept_records(graded_course, "backward"), kept_records(stock, "backward")
    assert set(theirs) == set(STUDENTS)
    for student, kept in theirs.items():
        other = ours[student].record
        assert kept.record.status == other.status
        assert [(v.grade_id, v.outcome, v.points, v.message, v.belief) for v in kept.record.verdicts] == [
            (v.grade_id, v.outcome, v.points, v.message, v.belief) for v in other.verdicts
        ]


def test_autograded_notebooks_are_those_of_bncourse_grade(stock: Course, graded_course: Course) -> None:
    def cells(course: Course, student: str) -> list[tuple[str, str, str]]:
        notebook = json.loads(course.notebook("autograded", "backward", student).read_bytes())
        return [
            (cell["id"], "".join(cell["source"]), "".join("".join(o.get("text", "")) for o in cell.get("outputs", [])))
            for cell in notebook["cells"]
        ]

    for student in set(STUDENTS) - set(RENAMED):
        assert cells(stock, student) == cells(graded_course, student)


@pytest.mark.parametrize(("student", "name"), RENAMED.items())
def test_a_renamed_notebook_is_graded_and_says_so(student: str, name: str, stock: Course) -> None:
    record = kept_records(stock, "backward")[student].record
    assert f"the file was called {name} and was graded as backward.ipynb" in (*record.repairs, *record.notes)


def test_nbgraders_own_export_has_the_marks(stock: Course, graded_course: Course) -> None:
    with (stock.root.parents[1] / "exported.csv").open(newline="") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    ours = kept_records(graded_course, "backward")
    assert exported == {student: ours[student].record.score for student in STUDENTS}


def test_links_pipes_and_false_times_are_set_aside_and_stop_nobody(stock: Course) -> None:
    aside = stock.root / "not-read"
    found = {str(Path(*path.relative_to(aside).parts[1:])) for path in aside.rglob("*") if not path.is_dir()}
    assert found == {"boris/backward/link.txt", "dora/backward/pipe", "quin/backward/timestamp.txt"}
    for path in (stock.root / "autograded").rglob("*"):
        assert path.is_dir() or b"SECRET" not in path.read_bytes()


def test_feedback_shows_marks_and_messages_and_no_hidden_test(stock: Course) -> None:
    from tests.grading.workflows.test_grade import hidden_lines

    page = stock.notebook("feedback", "backward", "dora").with_suffix(".html").read_text()
    message = kept_records(stock, "backward")["dora"].record.verdicts[7].message.splitlines()[0]
    assert message in page and "29 of 40 points so far" in page
    text = _text(page)
    assert not [line for line in hidden_lines(stock) if line in text]


def test_bncourse_grade_finds_nothing_left_to_do(stock: Course) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bncourse", "grade", "backward", "--course", str(stock.root)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert f"0 graded now, {len(STUDENTS)} unchanged" in done.stdout


def test_autograde_refuses_where_the_sandbox_is_missing(course: Course, tmp_path: Path) -> None:
    """Where bwrap is not on the PATH, one line says what to install, and the gradebook stays as it was."""
    course = find_course(course.root)
    (course.folder("submitted", "backward", "ann")).mkdir(parents=True)
    shutil.copy(course.notebook("release", "backward"), course.folder("submitted", "backward", "ann"))
    for name in ("python3", "alembic"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(COMMANDS / name)
    done = subprocess.run(
        [str(COMMANDS / "nbgrader"), "autograde", "backward"],
        cwd=course.masters.parent,
        env={**os.environ, "PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "bubblewrap" in done.stderr.splitlines()[-1]
    assert kept_records(course, "backward") == {}
    assert not course.folder("autograded", "backward", "ann").exists()


def test_autograde_refuses_where_nothing_can_be_graded(course: Course, sandbox: None) -> None:
    """A test cell that cannot run ends the command with one line, and the gradebook stays as it was."""
    course = find_course(course.root)
    path = course.masters / "backward.md"
    path.write_text(path.read_text().replace("import check_backward", "import check_backwards", 1))
    release(course, "backward")
    course.folder("submitted", "backward", "ann").mkdir(parents=True)
    shutil.copy(course.notebook("release", "backward"), course.folder("submitted", "backward", "ann"))
    done = nbgrader(course, "autograde", "backward")
    assert done.returncode == 1
    assert "cannot import name 'check_backwards'" in done.stderr.splitlines()[-1]
    assert kept_records(course, "backward") == {}
    assert not course.folder("autograded", "backward", "ann").exists()


def _text(page: str) -> str:
    from html.parser import HTMLParser

    class Words(HTMLParser):
        found = ""

        def handle_data(self, data: str) -> None:
            self.found += data

    words = Words()
    words.feed(page)
    return words.found
