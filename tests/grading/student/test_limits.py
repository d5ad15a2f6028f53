"""A student's code keeps to the limits that hold when it is graded."""

import builtins
import time
from pathlib import Path
from typing import Any

import pytest

from bncourse.grading.oracle.patience import OwnDelay
from bncourse.grading.oracle.remote_errors import StudentLate
from bncourse.grading.student import limits


class Busy:
    """Instead of `OwnDelay`: a machine that takes nine tenths of the time."""

    def now(self) -> float:
        return 0.9 * time.monotonic()

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("delay", "least"), [(OwnDelay, 0.02), (Busy, 0.06)])
def test_what_a_busy_machine_takes_is_not_counted_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch, delay: Any, least: float
) -> None:
    monkeypatch.setattr(limits, "OwnDelay", delay)
    start = time.monotonic()
    with pytest.raises(StudentLate), limits.in_time(0.02):
        while True:
            pass
    assert time.monotonic() - start >= least


def test_only_the_students_own_code_is_told_that_there_is_no_such_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "beside_it.py").write_text("here = True", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    space: dict[str, Any] = {}
    with monkeypatch.context() as changed:
        changed.setattr(builtins, "__import__", builtins.__import__)
        limits.limit_imports({"math"}, space)
        exec("import math, math as m; from beside_it import here", space)
        with pytest.raises(ModuleNotFoundError, match="No module named 'json'"):
            exec("import json.decoder", space)
        exec("import json.decoder", {})
    assert space["here"] is True
