import subprocess
import sys
from pathlib import Path

from bncourse.cli._start import NOT_NEEDED

START = """
import sys
from bncourse.cli._start import start_sooner
start_sooner()
"""


def printed(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


def test_grading_loads_nothing_of_nbgrader_that_serves_pages_or_converts() -> None:
    unwanted = "[n for n in sys.modules if n.startswith(('nbgrader.s', 'nbconvert'))]"
    code = f"import bncourse.grading.workflows.grade; print({unwanted})"
    assert printed(code) == "[]"


def test_what_was_put_off_is_there_once_it_is_asked_for() -> None:
    code = "import nbgrader, nbformat; print(nbgrader.__version__, nbformat.current_nbformat, hasattr(nbgrader, 'no'))"
    plain = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert printed(code) == plain.stdout.strip()


def test_nbgraders_converters_load_as_ever() -> None:
    code = "from nbgrader.converters import GenerateAssignment, GenerateFeedback; print(GenerateFeedback.__name__)"
    assert printed(code) == "GenerateFeedback"


def test_the_pinned_environment_has_nothing_that_no_command_needs() -> None:
    """It would take each start of nbgrader, which does not begin with ours, two seconds more."""
    pinned = (Path(__file__).parents[2] / "requirements.txt").read_text(encoding="utf-8")
    names = {line.partition("==")[0].replace("-", "_") for line in pinned.splitlines()}
    assert "jsonschema" in names
    assert not names & set(NOT_NEEDED)
