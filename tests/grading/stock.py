"""Stock nbgrader, with its own executor and without the sandbox, on the acceptance suite's small assignment."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bncourse.grading.core import render
from bncourse.grading.gradebook.connection import make_alembic_callable
from tests.grading.small import FULL, MASTER

CONFIGURATION = """\
c = get_config()
c.CourseDirectory.course_id = "stock"
c.ExecutePreprocessor.timeout = 30
c.Execute.timeout = 30
"""
SCORES = """\
import json, sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db", "stock") as gradebook:
    found = {s.student.id: s.score for s in gradebook.assignment_submissions("small")}
print(json.dumps(found))
"""


def by_stock(files: Sequence[bytes]) -> list[float | None]:
    """The scores that stock nbgrader gives to these files; None where it gives none."""
    make_alembic_callable()
    nbgrader = [str(Path(sys.executable).parent / "nbgrader")]
    with tempfile.TemporaryDirectory(prefix="stock-") as name:
        folder = Path(name)
        (folder / "nbgrader_config.py").write_text(CONFIGURATION)
        source = folder / "source" / "small" / "small.ipynb"
        source.parent.mkdir(parents=True)
        source.write_bytes(render.as_bytes(render.source_notebook(MASTER)))
        for number, content in enumerate(files):
            path = folder / "submitted" / f"s{number}" / "small" / "small.ipynb"
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
        quiet = {"cwd": folder, "capture_output": True, "timeout": 400}
        subprocess.run([*nbgrader, "generate_assignment", "small"], check=True, **quiet)  # type: ignore[call-overload]
        subprocess.run([*nbgrader, "autograde", "small"], check=False, **quiet)  # type: ignore[call-overload]
        done = subprocess.run([sys.executable, "-c", SCORES], check=True, text=True, **quiet)  # type: ignore[call-overload]
        found = json.loads(done.stdout.splitlines()[-1])
        graded = [(folder / "autograded" / f"s{n}" / "small" / "small.ipynb").is_file() for n in range(len(files))]
    return [found.get(f"s{number}") if there else None for number, there in enumerate(graded)]


def in_words(trick: float | None, control: float | None) -> str:
    """What the two scores say of a grader.

    >>> in_words(12.0, 0.0), in_words(None, 12.0)
    ('12 of 12 points for the trick, 0 for its control', 'no mark for the trick, 12 for its control')
    """
    first = "no mark" if trick is None else f"{trick:g} of {FULL:g} points"
    return f"{first} for the trick, {'no mark' if control is None else f'{control:g}'} for its control"
