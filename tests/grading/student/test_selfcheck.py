import json
from pathlib import Path
from typing import Any

import pytest

from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.sample_class import load_sample_class, write_sample_class
from bncourse.grading.core.render import release_notebook, source_notebook
from bncourse.grading.student.selfcheck import UnreadableNotebookError, read_notebook, run_checks


def test_the_solution_passes_every_test(released_course: Course) -> None:
    verdicts = run_checks(source_notebook(released_course.master("backward")))
    assert [(verdict.grade_id, verdict.message) for verdict in verdicts if verdict.outcome != "correct"] == []
    assert sum(verdict.points for verdict in verdicts) == 33


def test_the_release_is_not_attempted_and_scores_nothing(released_course: Course) -> None:
    verdicts = run_checks(release_notebook(released_course.master("backward")))
    assert {verdict.outcome for verdict in verdicts} == {"not attempted"}
    assert sum(verdict.points for verdict in verdicts) == 0


@pytest.mark.parametrize("student", ["dora", "fatma", "hana", "ivan", "jana", "karl", "lena", "quin"])
def test_the_visible_tests_find_what_the_sample_class_gets_wrong(course: Course, student: str) -> None:
    write_sample_class(course, "backward")
    sample = next(each for each in load_sample_class(course, "backward").students if each.id == student)
    verdicts = run_checks(read_notebook(course.notebook("submitted", "backward", student)))
    assert {verdict.grade_id for verdict in verdicts if verdict.outcome != "correct"} == set(sample.lost)


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def code(source: str, **facts: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {"nbgrader": facts} if facts else {}, "outputs": []}


def check(name: str, source: str) -> dict[str, Any]:
    return code(source, grade_id=name, grade=True, solution=False, points=1)


def test_prints_warnings_magics_and_displays_do_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    noisy = "%matplotlib inline\n!ls\nimport sys, warnings\nwarnings.warn('w')\nprint('x')\n"
    noisy += "print('y', file=sys.stderr)\ndisplay(3)"
    verdicts = run_checks(notebook(code(noisy), code("def f():\n    return 3"), check("t", "assert f() == 3")))
    assert [verdict.outcome for verdict in verdicts] == ["correct"]
    assert capsys.readouterr() == ("", "")


def test_a_statement_that_fails_does_not_keep_the_next_from_running() -> None:
    verdicts = run_checks(notebook(code("import not_there\nexit()\nx = 3"), check("t", "assert x == 3")))
    assert verdicts[0].outcome == "correct"


def test_each_way_to_fail_has_its_verdict() -> None:
    verdicts = run_checks(
        notebook(
            code("def late():\n    raise NotImplementedError"),
            code("def bad():\n    return 1 / 0\ndef leave():\n    raise SystemExit"),
            check("wrong", "assert late is bad, 'They differ.'"),
            check("stub", "late()"),
            check("missing", "nothing_of_this_name()"),
            check("crashed", "bad()"),
            check("left", "leave()"),
        )
    )
    assert [verdict.outcome for verdict in verdicts] == [
        "wrong",
        "not attempted",
        "not attempted",
        "crashed",
        "crashed",
    ]
    assert verdicts[0].message == "They differ."
    assert all(verdict.points == 0 for verdict in verdicts)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ("[]", "no list of cells"),
        ('{"cells": 3}', "no list of cells"),
        (json.dumps(notebook(code("x = 1"))), "holds no tests"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(content)
    with pytest.raises(UnreadableNotebookError, match=said):
        read_notebook(path)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableNotebookError, match="is a folder"):
        read_notebook(tmp_path)
    with pytest.raises(UnreadableNotebookError, match="cannot be read"):
        read_notebook(tmp_path / "none.ipynb")


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps(notebook(check("t", "pass"))), encoding="utf-8-sig")
    assert len(read_notebook(path)["cells"]) == 1
