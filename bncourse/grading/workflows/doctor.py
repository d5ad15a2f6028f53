"""This machine in; findings out: the sandbox's layers, the commands that are needed, the speed of grading."""

import importlib.util
import json
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from bncourse.grading.core import render
from bncourse.grading.core.extras import EXTRAS
from bncourse.grading.core.records import Master, MasterCell

GIVEN = "import numpy as np"
ANSWER = """\
def center(x):
    ### BEGIN SOLUTION
    return x - x.mean(axis=0)
    ### END SOLUTION"""
TEST = """\
data = np.arange(6.0).reshape(3, 2)
assert np.abs(center(data).sum(axis=0)).max() < 1e-12, "Not centered." """
TRIAL = Master(
    assignment="trial",
    title="A trial of the grader",
    cells=(
        MasterCell("setup", "given", GIVEN),
        MasterCell("center", "answer", ANSWER),
        MasterCell("test-center", "test", TEST, 1.0),
    ),
)
SUBMISSIONS = 60


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    fine: bool
    says: str
    needed: bool = True
    """Whether grading needs it."""


def examine(*, speed: bool = True) -> Iterator[Finding]:
    """Look at one thing after the other."""
    version = platform.python_version()
    yield Finding(
        "Python",
        sys.version_info >= (3, 11),
        f"{version}" + ("" if sys.version_info >= (3, 11) else "; 3.11 or newer is needed"),
    )
    ready = True
    for module, extra in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        needed = extra == "grading"
        ready = ready and (there or not needed)
        yield Finding(module, there, "installed" if there else f"missing: pip install 'bncourse[{extra}]'", needed)
    if not ready:
        return
    from bncourse.grading.gradebook.connection import make_alembic_callable
    from bncourse.grading.sandbox.bubblewrap import probe

    make_alembic_callable()
    found = shutil.which("alembic")
    yield Finding("alembic", found is not None, found or "missing; nbgrader calls it by its name: pip install alembic")
    report = probe()
    for name, present, remedy in report.layers:
        yield Finding(f"sandbox: {name}", present, "works" if present else f"missing: {remedy}")
    yield Finding("sandbox level", report.level == "full", report.level)
    if speed and report.level != "process":
        yield measure(report.level)


def measure(level: str) -> Finding:
    """Grade a trial class; says how long the first verdict took, and how many submissions a second follow."""
    from bncourse.grading.engine.grader import Grader

    start = time.perf_counter()
    with Grader(level=level) as grader:  # type: ignore[arg-type]
        first = grader.grade(TRIAL, "first", trial(0))
        until_first = time.perf_counter() - start
        class_ = ((f"student-{number}", trial(number)) for number in range(1, SUBMISSIONS + 1))
        start = time.perf_counter()
        records = [first, *grader.grade_many(TRIAL, class_)]
        rate = SUBMISSIONS / (time.perf_counter() - start)
    fine = all(record.status == "correct" for record in records)
    said = f"{rate:.0f} small submissions a second, the first verdict after {until_first:.1f} s"
    return Finding("speed", fine, said if fine else f"the trial failed: {first.reason or first.status}")


def trial(number: int) -> bytes:
    """A right submission to the trial; no two are the same."""
    notebook = json.loads(render.as_bytes(render.release_notebook(TRIAL)))
    for cell in notebook["cells"]:
        if cell["id"] == "center":
            cell["source"] = f"def center(x):\n    number = {number}\n    return x - x.mean(axis=0)"
    return render.as_bytes(notebook)
