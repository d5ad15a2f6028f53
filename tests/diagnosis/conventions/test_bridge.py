"""What a student is told to paste runs below the student's file, and prints what the message says."""

import re
from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis.conventions import diagnose_source
from tests.diagnosis.conventions.programs import SLIPS, WRAPPERS, Parts, Slip, module, program_of

TOLD = ("settings", "ours", "layer", "keras", "retained")
TRIED = [SLIPS[number] for number in (0, 6, 22, 26, 33, 38, 62, 69)]


def lines_of(text: str) -> list[tuple[str, str, str]]:
    """What to paste first, the experiment, and how it goes on after it, for each finding of a file."""
    found = []
    for function in diagnose_source(text)["functions"]:
        for one in function["findings"]:
            if one["experiment"]:
                line, after = one["experiment"].removeprefix("Try it: ").split("  # ")
                found.append((function["paste_first"], line, after))
    return found


def printed(text: str, first: str, line: str) -> str:
    said: list[str] = []
    names: dict[str, Any] = {"print": lambda value: said.append(str(np.abs(np.asarray(value)).max() < 1e-4))}
    np.random.seed(1)  # noqa: NPY002  (the lines that a student pastes draw from it)
    with np.errstate(all="ignore"):
        exec(re.sub(r"(?m)^from \.base.*", "", text), names)
        exec(f"{first}\n{line}", names)
    return said[0]


@pytest.mark.parametrize("wrapper", TOLD)
def test_the_lines_to_paste_print_what_the_message_says(wrapper: str) -> None:
    tried = 0
    for slip in TRIED:
        text = WRAPPERS[wrapper](program_of(slip))
        for first, line, after in lines_of(text):
            zeros = after == "must not print zeros only, and yours does"
            assert printed(text, first, line) == str(zeros), (slip, first, line)
            tried += 1
    assert tried >= 4


def test_an_experiment_that_cannot_run_with_the_file_is_not_told() -> None:
    slip = Slip("mean-path-missing", "backward", " + dmean / n", "")
    whole = WRAPPERS["settings"](program_of(slip))
    assert len(lines_of(whole)) == 1
    assert lines_of(module(Parts()._replace(forward=Parts().forward.replace("gamma * x_hat", "x_hat")))) == []


def test_running_statistics_that_are_wrong_differ_by_no_convention() -> None:
    report = diagnose_source(WRAPPERS["settings"](Parts(new_var="np.sqrt(var)")))
    assert report["functions"][0]["findings"][0]["belief"] == "running-std-stored"
    assert report["functions"][0]["differences"] == []
