"""What a student is told to paste runs below the student's file, and prints what the message says."""

import re
from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis.conventions import diagnose_source
from tests.diagnosis.conventions.corpus.reading import programs
from tests.diagnosis.conventions.programs import SLIPS, WRAPPERS, Parts, Slip, module, program_of

TOLD = ("settings", "ours", "layer", "keras", "retained")
OTHERWISE = {
    "cs231n": ("layer-transposed", "group-reshape", "three-lines-alt"),
    "classes": ("cmu-1d", "cmu-2d", "numpyml-2d", "columns-class", "rms-class"),
    "functions": ("columns-pair", "channels-last-pair", "rms-pair", "deep-ml", "object-cache"),
    "torch": ("d2l", "d2l-numpy", "module-1d", "module-2d", "function", "torch-pair", "functional-flag", "rms-module"),
}
"""Programs whose arrays lie otherwise, or are tensors."""
TRIED = [SLIPS[number] for number in (0, 6, 22, 26, 33, 38, 62, 69)]


def lines_of(text: str, report: Any = None) -> list[tuple[str, str, str]]:
    """What to paste first, the experiment, and how it goes on after it, for each finding of a file."""
    found = []
    for function in (report or diagnose_source(text))["functions"]:
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


@pytest.mark.parametrize("form", OTHERWISE)
def test_arrays_that_lie_otherwise_and_tensors_are_handed_on_in_the_lines_to_paste(form: str) -> None:
    for program in (one for one in programs(form) if one.name in OTHERWISE[form]):
        report = diagnose_source(program.wrong[0].source)
        told = lines_of("", report)
        findings = [found for function in report["functions"] for found in function["findings"]]
        assert len(told) == len(findings) > 0, program.name
        for first, line, after in told:
            zeros = after == "must not print zeros only, and yours does"
            assert printed(program.wrong[0].source, first, line) == str(zeros), (program.name, first, line)


def test_the_lines_to_paste_weigh_the_value_that_the_file_weighs() -> None:
    layer = next(one.source for one in programs("classes") if one.name == "cache-in-self")
    moved = "self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var"
    report = diagnose_source(layer.replace(moved, "self.running_var = var"))
    assert report["functions"][0]["findings"][0]["belief"] == "running-overwritten"
    assert "layer.momentum = 1 - momentum" in report["functions"][0]["paste_first"]


def test_an_experiment_that_cannot_run_with_the_file_is_not_told() -> None:
    slip = Slip("mean-path-missing", "backward", " + dmean / n", "")
    whole = WRAPPERS["settings"](program_of(slip))
    assert len(lines_of(whole)) == 1
    assert len(lines_of(module(Parts()._replace(forward=Parts().forward.replace("gamma * x_hat", "x_hat"))))) == 1
    by_names = (
        "import numpy as np\n\ndef batch_norm_forward(x, gamma, beta, eps=1e-5):\n"
        "    std = np.sqrt(x.var(0) + eps)\n    x_hat = (x - x.mean(0)) / std\n"
        "    return gamma * x_hat + beta, x_hat, std\n\n"
        "def batch_norm_backward(dy, x_hat, std, gamma):\n    g = dy * gamma\n"
        "    return (g - x_hat * (g * x_hat).mean(0)) / std, (dy * x_hat).sum(0), dy.sum(0)\n"
    )
    assert diagnose_source(by_names)["functions"][1]["findings"][0]["belief"] == "mean-path-missing"
    assert lines_of(by_names) == []


def test_running_statistics_that_are_wrong_differ_by_no_convention() -> None:
    report = diagnose_source(WRAPPERS["settings"](Parts(new_var="np.sqrt(var)")))
    assert report["functions"][0]["findings"][0]["belief"] == "running-std-stored"
    assert report["functions"][0]["differences"] == []
