"""What a JupyterHub does with an assignment: nbgrader's exchange brings it to students, and their pages back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bncourse.grading.authoring.sample_class import load_sample_class, submission
from bncourse.grading.engine.grader import Grader
from bncourse.grading.gradebook.records_table import records_of
from bncourse.grading.workflows.feedback import make_feedback
from bncourse.grading.workflows.grade import grade_class
from tests.conftest import lay_out

pytestmark = [pytest.mark.sandbox, pytest.mark.slow, pytest.mark.long]
COMMAND = Path(sys.executable).parent / "nbgrader"


def test_what_is_released_there_comes_back_marked(tmp_path: Path, sandbox: None) -> None:
    course, home, exchange = lay_out(tmp_path / "teacher"), tmp_path / "student", tmp_path / "exchange"
    lecture = course.masters.parent
    home.mkdir()
    exchange.mkdir()
    exchange.chmod(0o777)
    (tmp_path / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.Exchange.root = {str(exchange)!r}\nc.CourseDirectory.course_id = 'bncourse'\n"
    )

    def typed(where: Path, *words: str) -> None:
        environment = {**os.environ, "JUPYTER_DATA_DIR": str(tmp_path / "data"), "JUPYTER_CONFIG_PATH": str(tmp_path)}
        done = subprocess.run(
            [str(COMMAND), *words], cwd=where, env=environment, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stderr

    typed(lecture, *("generate_assignment", "backward"))
    typed(lecture, *("release_assignment", "backward"))
    typed(home, *("fetch_assignment", "backward"))
    notebook = home / "backward" / "backward.ipynb"
    ada = load_sample_class(course, "backward").students[0]
    notebook.write_bytes(submission(ada, course.master("backward"), json.loads(notebook.read_bytes()), {}, 1))
    typed(home, *("submit", "backward"))
    typed(lecture, *("collect", "backward"))
    [student] = course.students("backward")
    grade_class(course, "backward", grader=lambda: Grader(jobs=1))
    [record] = records_of(course, "backward")
    assert record.score == ada.deserves(course.master("backward"))
    assert make_feedback(course, "backward") == [student]
    typed(lecture, *("release_feedback", "backward"))
    typed(home, *("fetch_feedback", "backward"))
    assert (
        course.notebook("feedback", "backward", student).with_suffix(".html").read_bytes()
        == next(home.rglob("backward.html")).read_bytes()
    )
