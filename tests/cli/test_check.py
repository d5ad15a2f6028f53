import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.authoring.course import Course
from bncourse.grading.core.render import as_bytes, source_notebook


def check(path: Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["check", str(path)])
    return result.exit_code, result.output


def test_the_exit_code_says_whether_every_visible_test_passes(released_course: Course, tmp_path: Path) -> None:
    solved = tmp_path / "solved.ipynb"
    solved.write_bytes(as_bytes(source_notebook(released_course.master("backward"))))
    assert check(solved)[0] == 0
    code, output = check(released_course.notebook("release", "backward"))
    assert code == 1
    assert "0 of 18 visible tests pass." in output


@pytest.mark.parametrize("content", ["", "{}", "not a notebook", "[]"])
def test_a_file_that_is_no_notebook_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    code, output = check(path)
    assert code == 2 and output.startswith("bncourse: ") and output.count("\n") == 1
    assert path.read_text() == content


def test_a_folder_is_refused(tmp_path: Path) -> None:
    code, output = check(tmp_path)
    assert code == 2 and "is a folder" in output


def test_a_students_output_does_not_reach_the_terminal(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "source": "print('\\x1b[2Jnoise')\nf = 1 / 0", "metadata": {}},
        {
            "cell_type": "code",
            "source": "assert False, '\\x1b[31m[bold]x'",
            "metadata": {"nbgrader": {"grade": True, "grade_id": "t", "points": 1, "solution": False}},
        },
    ]
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    code, output = check(path)
    assert code == 1
    assert "noise" not in output and "\x1b[31m" not in output and "[bold]x" in output


def test_it_needs_no_more_than_numpy_click_and_rich(released_course: Course) -> None:
    """What grading imports must not be needed by a student's check."""
    program = (
        "import sys\n"
        "for name in ('nbgrader', 'nbformat', 'jupytext', 'sqlalchemy', 'torch', 'IPython', 'traitlets'):\n"
        "    sys.modules[name] = None\n"
        f"sys.argv = ['bncourse', 'check', {str(released_course.notebook('release', 'backward'))!r}]\n"
        "from bncourse.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "visible tests pass" in done.stdout
