"""Files of every kind: what they hold is found, and what cannot be looked at is said."""

import json
from pathlib import Path

import pytest

from bncourse.diagnosis.conventions import FileReport, diagnose_file, diagnose_source
from tests.diagnosis.conventions.programs import WRAPPERS, Parts


def test_a_notebook_is_read_without_its_magics_and_its_training(tmp_path: Path) -> None:
    code = WRAPPERS["settings"](Parts())
    cells = [
        "%matplotlib inline\n!pip install x\nimport numpy as np",
        code,
        "while True:\n    train()",
        "data = load_data('nowhere')",
        "this is no Python",
    ]
    notebook = {"cells": [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]}
    path = tmp_path / "hw.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    report = diagnose_file(path)
    assert (report.code, report.convention) == (0, "cs231n")
    assert "taken for: functions with a dict of settings" in report.text()


def test_a_stub_is_not_written_yet() -> None:
    text = (
        "def batchnorm_forward(x, gamma, beta, bn_param):\n    mode = bn_param['mode']\n    out, cache = None, None\n"
        "    return out, cache\n\ndef batchnorm_backward(dout, cache):\n    dx, dgamma, dbeta = None, None, None\n"
        "    return dx, dgamma, dbeta\n"
    )
    report = diagnose_source(text)
    assert [one["status"] for one in report["functions"]] == ["missing", "missing"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "nothing in it looks like a normalization"),
        ("\x00\x01", "holds no text"),
        ("{ not json", "is not a notebook that can be read"),
        ("def f(:\n", "holds no Python that can be read"),
    ],
)
def test_what_cannot_be_looked_at_is_said(text: str, said: str) -> None:
    report = diagnose_source(text, name="a.ipynb" if text.startswith("{") else "a.py")
    assert report["status"] == "unreadable"
    assert said in report["problem"]


def test_code_that_needs_a_compiled_extension_says_which() -> None:
    text = (
        "from .fast_layers import moments\n\ndef batchnorm_forward(x, gamma, beta, bn_param):\n"
        "    mean, var = moments(x)\n    return gamma * (x - mean) / var + beta, None\n"
    )
    report = diagnose_source(text)
    assert report["status"] == "unreadable"
    assert "it needs fast_layers.moments, a compiled extension of its course" in report["functions"][0]["reason"]


def test_code_of_python_two_is_told_what_to_write() -> None:
    text = (
        "import numpy as np\n\ndef batchnorm_forward(x, gamma, beta, bn_param):\n    print 'mode'\n    return x, None\n"
    )
    report = diagnose_source(text)
    assert report["status"] == "unreadable"
    assert "Python 2" in report["functions"][0]["reason"]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    report = diagnose_file(tmp_path / "none.py")
    assert report.code == 2
    assert "cannot be read" in report.problem


def test_a_report_can_be_read_back_from_its_data(tmp_path: Path) -> None:
    path = tmp_path / "layers.py"
    path.write_text(WRAPPERS["settings"](Parts(new_var="np.sqrt(var)")), encoding="utf-8")
    report = diagnose_file(path, "cs231n")
    again = FileReport.of_data(json.loads(json.dumps(report.data())))
    assert (again.text(3), again.code) == (report.text(3), 1)
    broken = report.data() | {"functions": [{**report.data()["functions"][0], "status": "excellent"}]}
    with pytest.raises(ValueError, match="Expected one of right, mistaken"):
        FileReport.of_data(broken)
