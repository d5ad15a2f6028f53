"""The grader of this checkout and of another one on the same answers, in turn; their ratios beside the bars out."""

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.grading import CHECKOUT, Ours, bar, by_ours

ROUNDS = 3
THROUGHPUT, FIRST, MEMORY = 0.9, 1.0, 1.1
"""How much of the other's throughput is the bar, and how many times its wait for a verdict and its memory."""

_NAMES = """
import sys
from pathlib import Path
import bench.grading as bench
course = bench.find_course(Path(sys.argv[1]), bench.MASTERS)
print(*(student.id for student in bench.distinct(course, sys.argv[2])))
"""
_CLASS = """
import sys
from pathlib import Path
import bench.grading as bench
try:
    from bncourse.grading.workflows.release import release
except ImportError:
    from bncourse.grading.release import release
course = bench.find_course(Path(sys.argv[1]), bench.MASTERS)
release(course, sys.argv[2])
chosen = [student for student in bench.distinct(course, sys.argv[2]) if student.id in sys.argv[4:]]
bench.hand_in(course, sys.argv[2], chosen, int(sys.argv[3]))
"""
"""What the two checkouts do for themselves; earlier ones have `release` in another place."""


class Side:
    """A checkout, and the class as its master states it."""

    def __init__(self, checkout: Path, python: str, folder: Path) -> None:
        self.checkout, self.python, self.folder = checkout, python, folder

    def run(self, script: str, *arguments: str) -> str:
        """Run a script with this checkout's code."""
        command = [self.python, "-c", script, str(self.folder / "class"), *arguments]
        return subprocess.run(command, cwd=self.checkout, stdout=subprocess.PIPE, text=True, check=True).stdout

    def measure(self, assignment: str, number: int) -> Ours:
        """Grade a copy of the class."""
        root = self.folder / str(number)
        shutil.copytree(self.folder / "class", root)
        return by_ours(root, assignment, self.python, self.checkout)


def run_beside(checkout: Path, assignment: str, copies: int) -> bool:
    """Grade what both sample classes hold, in turn; print the ratios; True if every bar is kept."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        here = Side(CHECKOUT, sys.executable, Path(name) / "here")
        there = Side(checkout, str(checkout / ".venv" / "bin" / "python"), Path(name) / "there")
        known = there.run(_NAMES, assignment).split()
        students = [student for student in here.run(_NAMES, assignment).split() if student in known]
        for side in (here, there):
            side.run(_CLASS, assignment, str(copies), *students)
        print(f"\ngrading {assignment} here and in {checkout}, {ROUNDS} times in turn")
        print(f"{len(students)} distinct answers, each {copies} times; medians of the ratios")
        pairs = list[tuple[Ours, Ours]]()
        for number in range(ROUNDS):
            order = (here, there) if number % 2 else (there, here)
            found = {side: side.measure(assignment, number) for side in order}
            pairs.append((found[here], found[there]))
    speed = statistics.median(one.speed / other.speed for one, other in pairs)
    first = statistics.median(one.first / other.first for one, other in pairs)
    memory = statistics.median(one.memory / other.memory for one, other in pairs)
    results = [
        bar("submissions a second", speed, "times", least=THROUGHPUT),
        bar("start to first verdict", first, "times", most=FIRST),
        bar("the supervisor's memory at its highest", memory, "times", most=MEMORY),
    ]
    return all(results)
