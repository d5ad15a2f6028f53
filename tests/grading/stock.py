"""Stock nbgrader, with its own executor and without our sandbox, on the acceptance suite's small assignment."""

import contextlib
import json
import os
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
SECONDS = 200.0
"""After which stock nbgrader is taken not to end."""
SCORES = """\
import json, sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db", "stock") as gradebook:
    found = {s.student.id: s.score for s in gradebook.assignment_submissions("small")}
print(json.dumps(found))
"""


def run(command: Sequence[str], folder: Path) -> str:
    """Run a command in a folder, outside of which it can write nothing; returns what it prints.

    Stock nbgrader protects nothing from what it runs, and this machine is needed again. With the command all that it
    has started ends.
    """
    home = folder / "home"
    home.mkdir(exist_ok=True)
    places = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", str(folder), str(folder)]
    walled = ["bwrap", *places, "--unshare-all", "--die-with-parent", "--chdir", str(folder), *command]
    variables = {**os.environ, "HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile("w+") as said, contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(walled, env=variables, stdout=said, stderr=subprocess.DEVNULL, timeout=SECONDS, check=False)
        said.seek(0)
        return said.read()
    return ""


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
        run([*nbgrader, "generate_assignment", "small"], folder)
        run([*nbgrader, "autograde", "small"], folder)
        said = run([sys.executable, "-c", SCORES], folder).splitlines()
        found = json.loads(said[-1]) if said else {}  # where its own database or Python was overwritten
        graded = [(folder / "autograded" / f"s{n}" / "small" / "small.ipynb").is_file() for n in range(len(files))]
    return [found.get(f"s{number}") if there else None for number, there in enumerate(graded)]


def in_words(trick: float | None, control: float | None) -> str:
    """What the two scores say of a grader.

    >>> in_words(12.0, 0.0), in_words(None, 12.0)
    ('12 of 12 points for the trick, 0 for its control', 'no mark for the trick, 12 for its control')
    """
    first = "no mark" if trick is None else f"{trick:g} of {FULL:g} points"
    return f"{first} for the trick, {'no mark' if control is None else f'{control:g}'} for its control"
