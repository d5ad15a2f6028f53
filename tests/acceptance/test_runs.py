"""Rows of the attack list that are about a run, a file or a page, and not about one notebook."""

import csv
import dataclasses
import io
import os
import shutil
import threading
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.sample_class import load_sample_class, write_sample_class
from bncourse.grading.core.records import MasterCell
from bncourse.grading.engine.grader import Grader
from bncourse.grading.gradebook.records_table import records_of
from bncourse.grading.oracle.patience import MOST
from bncourse.grading.reports.export import export
from bncourse.grading.workflows.grade import grade_class
from tests.grading.small import FULL, MASTER, RIGHT, hand_in

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(jobs=2) as made:
        yield made


def right(course: Course) -> bytes:
    """The file of somebody who has everything right."""
    write_sample_class(course, "backward")
    sample, master = load_sample_class(course, "backward"), course.master("backward")
    best = max(sample.students, key=lambda student: student.deserves(master))
    content = course.notebook("submitted", "backward", best.id).read_bytes()
    shutil.rmtree(course.root / "submitted")
    return content


def put(course: Course, student: str, content: bytes) -> Path:
    path = course.notebook("submitted", "backward", student)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def grade(course: Course, grader: Grader) -> dict[str, float]:
    """Grade the class; returns the scores by student."""

    class Shared:
        def __enter__(self) -> Grader:
            return grader

        def __exit__(self, *_: object) -> None:
            return None

    grade_class(course, "backward", grader=Shared)  # type: ignore[arg-type]
    return {record.student: record.score for record in records_of(course, "backward")}


ODD = (
    "a,b",
    "=1+1",
    "+cmd|x",
    "@x",
    "-rf",
    "x y",
    "Ren\u00e9e",
    unicodedata.normalize("NFD", "Ren\u00e9e"),
    "\u202egpj",
    "'",
    "%s",
)


REFUSED = ("[x]", ".hidden", "..x", "a\nb", "a\x1b[2Jb", '"-alert(1)-"', "<img src=x onerror=alert(1)>", "x" * 129)


def test_ids_that_nbgrader_misreads_are_refused_with_a_reason(course: Course, grader: Grader) -> None:
    content = right(course)
    for student in (*REFUSED, "ada"):
        put(course, student, content)
    raw = os.fsencode(course.root / "submitted") + b"/\xff\xfe/backward"
    Path(os.fsdecode(raw)).mkdir(parents=True)
    assert set(grade(course, grader)) == {"ada"}
    refused = course.refused("backward")
    assert len(refused) == len(REFUSED) + 1 and all(refused.values())
    assert all(name.isprintable() for name in refused)


def test_odd_student_ids(course: Course, grader: Grader, tmp_path: Path) -> None:
    content = right(course)
    for student in ODD:
        put(course, student, content)
    before = set(tmp_path.iterdir())
    scores = grade(course, grader)
    assert set(scores) == set(ODD)
    assert len(set(scores.values())) == 1
    assert set(tmp_path.iterdir()) == before
    assert grader.grade(MASTER, "../../etc/passwd", hand_in()).score == FULL


def test_formulas_are_inert_in_lists(course: Course, grader: Grader) -> None:
    content = right(course)
    for student in ODD:
        put(course, student, content)
    grade(course, grader)
    lists = [course.root / "grades.csv", export(course, "backward", "csv"), export(course, "backward", "canvas")]
    for path in lists:
        with path.open(newline="") as file:
            cells = [cell for line in csv.reader(file) for cell in line]
        assert not [cell for cell in cells if cell[:1] in ("=", "+", "@", "\t", "\r") or cell.startswith("-r")], (
            path.name
        )
        assert "a,b" in cells, path.name


def test_files_that_are_no_files(course: Course, grader: Grader, tmp_path: Path) -> None:
    outside = tmp_path / "outside.ipynb"
    content = right(course)
    outside.write_bytes(content)
    for student in ("link", "pipe", "folder", "device", "folder-link", "good", "large"):
        path = put(course, student, content)
        if student not in ("good", "large"):
            path.unlink()
    course.notebook("submitted", "backward", "link").symlink_to(outside)
    os.mkfifo(course.notebook("submitted", "backward", "pipe"))
    course.notebook("submitted", "backward", "folder").mkdir()
    course.notebook("submitted", "backward", "device").symlink_to("/dev/zero")
    os.truncate(course.notebook("submitted", "backward", "large"), 500 * 2**20)
    folder = course.folder("submitted", "backward", "folder-link")
    shutil.rmtree(folder)
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(outside, tmp_path / "elsewhere" / "backward.ipynb")
    folder.symlink_to(tmp_path / "elsewhere")
    scores = grade(course, grader)
    assert scores.pop("good") > 0
    assert set(scores.values()) == {0.0}
    reasons = {record.student: record.reason for record in records_of(course, "backward") if record.student != "good"}
    assert len(reasons) == 6
    assert all(reasons.values())


def test_archives_are_not_opened(course: Course, grader: Grader, tmp_path: Path) -> None:
    content = right(course)
    slip, bomb = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(slip, "w") as archive:
        archive.writestr("../../../slipped.txt", "x")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("backward.ipynb", bytes(200 * 2**20))
    put(course, "slip", slip.getvalue())
    put(course, "bomb", bomb.getvalue())
    put(course, "good", content)
    scores = grade(course, grader)
    assert scores.pop("good") > 0
    assert set(scores.values()) == {0.0}
    assert not list(tmp_path.rglob("slipped.txt"))


def test_a_forged_timestamp_changes_no_mark(course: Course, grader: Grader) -> None:
    content = right(course)
    for number, text in enumerate((b"1999-01-01 00:00:00 UTC", b"not a time", b"\xff\xfe", b"9" * 10_000, b"")):
        path = put(course, f"student{number}", content)
        (path.parent / "timestamp.txt").write_bytes(text)
    put(course, "plain", content)
    assert len(set(grade(course, grader).values())) == 1


def test_a_score_stays_within_its_bounds(grader: Grader) -> None:
    """A test cell's own value is partial credit; what the student's code makes of it stays within [0, max]."""
    partial = MasterCell("test-number", "test", "float(values_per_channel) / 100", 1.0)
    master = dataclasses.replace(
        MASTER, cells=tuple(partial if c.grade_id == "test-number" else c for c in MASTER.cells)
    )
    values = {
        "200": 1.0,
        "1e300": 1.0,
        "-7": 0.0,
        "50": 0.5,
        "0": 0.0,
        "float('nan')": 0.0,
        "float('inf')": 1.0,
        "'x'": 0.0,
        "None": 0.0,
    }
    for code, points in values.items():
        record = grader.grade(master, "x", hand_in(RIGHT | {"number": f"values_per_channel = {code}"}))
        verdict = next(v for v in record.verdicts if v.grade_id == "test-number")
        assert verdict.points == points, code


SLOW = """\
import time
def standardize(x):
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    return (x - x.mean()) / x.std()"""


@pytest.mark.slow
def test_busy_neighbors_cost_no_mark() -> None:
    """Four calls of 0.2 s each fit into 1.6 s alone, but not beside three endless loops on two processors.

    Where the machine has so much else to do that three times as long is not enough, that is what ends them, and not
    less.
    """
    loop = RIGHT | {"scale": "def standardize(x):\n    while True: pass"}
    class_ = [("slow", hand_in(RIGHT | {"scale": SLOW}))] + [(f"loop {n}", hand_in(loop)) for n in range(3)]
    seconds = 1.6
    master = dataclasses.replace(MASTER, seconds_per_test=seconds, seconds_in_all=30.0)
    with Grader(jobs=4, cache=False) as grader:
        records = {record.student: record for record in grader.grade_many(master, class_)}
    slow = records.pop("slow")
    cut = [verdict.seconds for verdict in slow.verdicts if verdict.outcome == "timeout"]
    assert slow.score == FULL if not cut else min(cut) >= MOST * seconds
    assert {(record.score, record.status) for record in records.values()} == {(FULL - 2, "timeout")}


def test_no_process_outlives_its_submission(grader: Grader) -> None:
    import psutil

    def below() -> set[int]:
        return {process.pid for process in psutil.Process().children(recursive=True)}

    grader.grade(MASTER, "x", hand_in(RIGHT | {"number": "values_per_channel = 100 + 100"}))
    time.sleep(0.2)
    before = below()
    code = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\nvalues_per_channel = 200"
    assert grader.grade(MASTER, "x", hand_in(RIGHT | {"number": code})).score == FULL
    gone = time.monotonic() + 10  # the order to kill it is given before the record; the system takes a moment
    while not below() <= before and time.monotonic() < gone:
        time.sleep(0.01)
    assert below() <= before
    assert threading.active_count() < 50
