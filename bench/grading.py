"""The grader's throughput against stock `nbgrader autograde`, on the same answers, in one run.

`python -m bench.grading` grades the distinct right and wrong answers of the sample class of `backward`, in the
sandbox, on two lanes, each submission for itself, with gradebook, notebooks and lists; then stock nbgrader grades one
copy of the same. It prints the figures beside their bars and exits with 1 if one is broken. How many submissions a
second that is depends on the machine and has no bar; how many times as many as another program has.

`--beside FOLDER` compares with another checkout of this repository instead, whose environment is its `.venv`: the
same answers are graded by both in turn, each by its own master.

`--assignment pytorch` does the same for the PyTorch assignment, and `--ten-thousand` hands in as many copies as make
10,000 submissions. Copies of an answer are run again each time: the bench grades without the cache.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bncourse.cli._start import start_sooner
from bncourse.grading.authoring.course import Course, write
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.sample_class import SampleStudent, load_sample_class, submission

CHECKOUT = Path(__file__).resolve().parents[1]
MASTERS = CHECKOUT / "assignments" / "masters"
JOBS = 2
MOST = 10_000
ASSIGNMENTS = ("backward", "pytorch")
"""Those that can be measured."""
RATIO, FIRST_SECONDS, MEMORY_MB = 50.0, 3.0, 300.0
CONFIGURATION = 'c = get_config()\nc.CourseDirectory.course_id = "bench"\n'


class Ours(NamedTuple):
    """What our engine took for a class."""

    graded: int
    seconds: float
    first: float
    """Seconds from the start of the process to the first verdict."""
    memory: float
    """The supervisor's highest, in MB."""

    @property
    def speed(self) -> float:
        """Submissions a second."""
        return self.graded / self.seconds


def distinct(course: Course, assignment: str) -> list[SampleStudent]:
    """Those of the sample class whose code runs to its end, rightly or wrongly, and who did not copy."""
    found: dict[str, SampleStudent] = {}
    for student in load_sample_class(course, assignment).students:
        plain = not (student.cut_off or student.tests or student.drafts or student.tags)
        if plain and student.begins == "solution" and student.status in ("correct", "wrong"):
            found.setdefault(json.dumps([student.answers, student.unfinished], sort_keys=True), student)
    return list(found.values())


def hand_in(course: Course, assignment: str, students: list[SampleStudent], copies: int) -> int:
    """Hand in for everybody; returns how many submissions there are, at most `MOST`."""
    written = load_sample_class(course, assignment).written
    master = course.master(assignment)
    released = json.loads(course.notebook("release", assignment).read_bytes())
    pairs = [(student, number) for number in range(1, copies + 1) for student in students][:MOST]
    for student, number in pairs:
        target = course.notebook("submitted", assignment, f"{student.id}-{number:04}")
        write(target, submission(student, master, released, written, number))
    return len(pairs)


def measure(root: Path, assignment: str, started: float) -> Ours:
    """Grade the class in this process, which has only just started."""
    start_sooner()
    from bncourse.grading.engine.grader import Grader
    from bncourse.grading.workflows.grade import grade_class

    firsts: list[float] = []

    def seen(_: str) -> None:
        if not firsts:
            firsts.append(time.monotonic() - started)

    course = find_course(root, MASTERS)
    make = lambda: Grader(jobs=JOBS, cache=False)  # noqa: E731
    run = grade_class(course, assignment, grader=make, progress=seen)
    status = Path("/proc/self/status").read_text()
    highest = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return Ours(run.graded, time.monotonic() - started, firsts[0], int(highest) / 1000)


def by_ours(root: Path, assignment: str, python: str = sys.executable, checkout: Path = CHECKOUT) -> Ours:
    """What a new process of a checkout's bncourse takes for the class, from its start to its end."""
    command = [python, "-m", "bench.grading", "--measure", str(root), assignment, str(time.monotonic())]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=checkout)
    return Ours(*json.loads(done.stdout.splitlines()[-1]))


def by_stock(course: Course, assignment: str, students: list[SampleStudent], folder: Path) -> float:
    """Seconds that stock `nbgrader autograde` takes for one copy of everybody."""
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(CONFIGURATION)
    nbgrader = [str(Path(sys.executable).parent / "nbgrader")]
    shutil.copytree(course.folder("source", assignment), folder / "source" / assignment)
    for student in students:
        name = f"{student.id}-0001"
        shutil.copytree(course.root / "submitted" / name, folder / "submitted" / name)
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*nbgrader, "generate_assignment", assignment], check=True, **quiet)  # type: ignore[call-overload]
    start = time.monotonic()
    subprocess.run([*nbgrader, "autograde", assignment], check=False, **quiet)  # type: ignore[call-overload]
    seconds = time.monotonic() - start
    graded = len(list(folder.glob("autograded/*/*/*.ipynb")))
    if graded != len(students):
        raise RuntimeError(f"stock nbgrader graded {graded} of {len(students)} submissions")
    return seconds


def bar(name: str, figure: float, unit: str, *, least: float | None = None, most: float | None = None) -> bool:
    """Print a figure beside its bar; returns whether it is kept."""
    kept = (least is None or figure >= least) and (most is None or figure <= most)
    limit = f"at least {least:g}" if least is not None else f"at most {most:g}"
    print(f"{name:44}{figure:8.2f} {unit:14} bar {limit}: {'kept' if kept else 'BROKEN'}", flush=True)
    return kept


def run(assignment: str, copies: int) -> bool:
    """Print the figures; True if every bar is kept."""
    from bncourse.grading.workflows.release import release

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        course = find_course(Path(name) / "course", MASTERS)
        release(course, assignment)
        students = distinct(course, assignment)
        copies = min(copies, -(-MOST // len(students)))
        count = hand_in(course, assignment, students, copies)
        right = sum(student.status == "correct" for student in students)
        print(f"\ngrading {assignment}: {count} submissions, {JOBS} jobs, no cache")
        print(f"{len(students)} distinct answers, {right} right and {len(students) - right} wrong, each {copies} times")
        ours = by_ours(course.root, assignment)
        stock = by_stock(course, assignment, students, Path(name) / "stock")
    speed, other = ours.speed, len(students) / stock
    print(f"{'stock nbgrader autograde, one copy of each':44}{other:8.2f} a second")
    print(f"{'bncourse grade':44}{speed:8.2f} a second")
    results = [
        bar("start to first verdict", ours.first, "s", most=FIRST_SECONDS),
        bar("the supervisor's memory at its highest", ours.memory, "MB", most=MEMORY_MB),
    ]
    against = "bncourse grade against stock nbgrader"
    if assignment == "backward":
        results.append(bar(against, speed / other, "times as fast", least=RATIO))
    else:
        print(f"{against:44}{speed / other:8.2f} times as fast")
    if count == MOST:
        results.append(bar(f"{MOST:,} submissions", ours.seconds / 60, "minutes", most=6.0))
    return all(results)


def main() -> int:
    """Exit code: 0 if every bar is kept, 1 if one is broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.grading", description="throughput against stock nbgrader")
    parser.add_argument("--assignment", choices=ASSIGNMENTS, default="backward", help="what is graded [backward]")
    parser.add_argument(
        "--copies", type=int, default=25, help=f"submissions of each distinct answer [25], {MOST:,} in all at most"
    )
    parser.add_argument("--ten-thousand", action="store_true", help=f"as many copies as make {MOST:,} submissions")
    parser.add_argument(
        "--beside", type=Path, metavar="FOLDER", help="another checkout, with its .venv, to compare with"
    )
    parser.add_argument("--measure", nargs=3, metavar=("COURSE", "ASSIGNMENT", "STARTED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.copies < 1:
        parser.error(f"--copies is {options.copies}. Expected at least 1.")
    if options.measure:
        root, assignment, started = options.measure
        print(json.dumps(measure(Path(root), assignment, float(started))))
        return 0
    if options.beside:
        from bench.beside import run_beside

        return 0 if run_beside(options.beside.resolve(), options.assignment, options.copies) else 1
    return 0 if run(options.assignment, MOST if options.ten_thousand else options.copies) else 1


if __name__ == "__main__":
    sys.exit(main())
