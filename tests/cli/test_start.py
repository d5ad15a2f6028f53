import subprocess
import sys

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
