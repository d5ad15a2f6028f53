"""Right styles pass and mistaken programs are named, in the words of many courses."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bncourse.diagnosis.conventions import CONVENTIONS, diagnose_source
from bncourse.diagnosis.conventions.arrays import Orientation
from bncourse.diagnosis.conventions.engine import leaf
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.translation import Translation
from bncourse.grading.authoring.masters import load_master
from tests.diagnosis.conventions.corpus.reading import programs
from tests.diagnosis.conventions.programs import (
    BACKWARDS,
    EXPECTED,
    FORWARDS,
    SLIPS,
    WRAPPERS,
    Parts,
    Slip,
    columns,
    module,
    program_of,
)

STYLES = [(forward, "three equations") for forward in FORWARDS] + [("plain", backward) for backward in BACKWARDS]


def beliefs(report: dict[str, Any]) -> list[str | None]:
    return [found["belief"] for function in report["functions"] for found in function["findings"]]


def style_id(style: tuple[str, str]) -> str:
    return " ".join(style)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_right_styles_pass_in_every_convention(wrapper: str) -> None:
    chosen = STYLES if wrapper == "settings" else STYLES[list(WRAPPERS).index(wrapper) :: 5]
    for forward, backward in chosen:
        report = diagnose_source(WRAPPERS[wrapper](Parts(FORWARDS[forward], BACKWARDS[backward])))
        assert report["status"] == "right", (forward, backward, report)
        assert report["convention"]["name"] == EXPECTED[wrapper]


@pytest.mark.long
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_every_right_style_passes_in_every_convention(wrapper: str) -> None:
    for forward, backward in STYLES:
        report = diagnose_source(WRAPPERS[wrapper](Parts(FORWARDS[forward], BACKWARDS[backward])))
        assert report["status"] == "right", (forward, backward, report)


@pytest.mark.parametrize("style", STYLES[::4], ids=style_id)
def test_samples_may_lie_in_columns(style: tuple[str, str]) -> None:
    report = diagnose_source(columns(Parts(FORWARDS[style[0]], BACKWARDS[style[1]])))
    assert report["status"] == "right", report
    assert "The samples lie in columns." in report["functions"][0]["notes"]


def slip_id(slip: Slip) -> str:
    return f"{slip.belief}:{slip.new}"


def named(wrapper: str, slip: Slip) -> bool:
    """Whether the belief is said, and nothing but what follows from it."""
    found = beliefs(diagnose_source(WRAPPERS[wrapper](program_of(slip))))
    follows = {"closed-form-of-another-forward", "law-derivative"} if slip.part == "forward" else set()
    return slip.belief in found and set(found) <= {slip.belief} | follows


@pytest.mark.parametrize("slip", SLIPS, ids=slip_id)
def test_a_mistake_is_named_and_no_other_in_a_dict_of_settings(slip: Slip) -> None:
    assert named("settings", slip)


@pytest.mark.long
@pytest.mark.parametrize("wrapper", [name for name in WRAPPERS if name != "settings"])
def test_mistakes_are_named_in_every_convention(wrapper: str) -> None:
    outcomes: Counter[bool] = Counter()
    missed = []
    for slip in SLIPS:
        if wrapper == "ours" and slip.part in ("new_var", "keep"):
            continue
        if wrapper == "layer" and slip.belief.startswith("parameter-gradient"):
            continue  # the wrapper itself gives it another shape
        outcomes[named(wrapper, slip)] += 1
        if not named(wrapper, slip):
            missed.append((slip.belief, slip.new))
    assert outcomes[True] >= 0.95 * outcomes.total(), missed


def test_a_module_is_judged_by_autograd() -> None:
    right = diagnose_source(module(Parts()))
    assert (right["status"], right["convention"]["name"]) == ("right", "pytorch")
    parts = Parts()._replace(
        forward=FORWARDS["plain"].replace("mean = x.mean(axis=0)", "mean = x.mean(axis=0).detach()")
    )
    wrong = diagnose_source(module(parts))
    assert beliefs(wrong) == ["mean-path-missing"]


# --- conventions are said, and are no mistake unless the course says so


def test_what_differs_between_courses_is_said_and_is_no_mistake() -> None:
    report = diagnose_source(WRAPPERS["settings"](Parts()))
    assert report["functions"][0]["differences"] == [
        "In your course momentum weighs the old value; PyTorch's weighs the new value.",
        "In your course running_var averages the biased variance; PyTorch's averages the unbiased variance.",
    ]
    turned = WRAPPERS["settings"](Parts(keep="(1 - momentum)", take="momentum"))
    assert diagnose_source(turned)["status"] == "right"
    said = diagnose_source(turned)["functions"][0]["differences"]
    assert said[0] == "Your momentum weighs the new value; your course's weighs the old value."
    assert beliefs(diagnose_source(turned, "cs231n")) == ["momentum-swapped"]


def test_the_unbiased_variance_is_a_mistake_where_the_declared_course_averages_the_biased_one() -> None:
    text = WRAPPERS["settings"](Parts(new_var="x.var(axis=0, ddof=1)"))
    assert diagnose_source(text)["status"] == "right"
    assert beliefs(diagnose_source(text, "cs231n")) == ["running-variance-unbiased"]


def test_two_independent_mistakes_are_both_named() -> None:
    parts = Parts(new_var="np.sqrt(var)", keep="(1 - momentum)", take="momentum")
    text = WRAPPERS["settings"](parts)
    assert beliefs(diagnose_source(text, "cs231n")) == ["momentum-swapped", "running-std-stored"]


def test_a_slip_that_repeats_through_a_call_is_said_once() -> None:
    parts = Slip("mean-path-missing", "backward", " + dmean / n", "").apply()
    maps = """

def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    n, c, h, w = x.shape
    y, cache = batchnorm_forward(x.transpose(0, 2, 3, 1).reshape(-1, c), gamma, beta, bn_param)
    return y.reshape(n, h, w, c).transpose(0, 3, 1, 2), cache


def spatial_batchnorm_backward(dout, cache):
    n, c, h, w = dout.shape
    dx, dgamma, dbeta = batchnorm_backward(dout.transpose(0, 2, 3, 1).reshape(-1, c), cache)
    return dx.reshape(n, h, w, c).transpose(0, 3, 1, 2), dgamma, dbeta
"""
    report = diagnose_source(WRAPPERS["settings"](parts) + maps)
    assert beliefs(report) == ["mean-path-missing"]
    last = report["functions"][-1]
    assert (last["status"], last["reason"]) == ("mistaken", "It uses batchnorm_backward, whose mistake shows here too.")


def test_an_unknown_convention_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="Expected one of bncourse, cs231n"):
        diagnose_source("", "cs999")


def test_the_conventions_load_neither_torch_nor_click() -> None:
    code = (
        "import sys, bncourse.diagnosis.conventions as c\n"
        "c.diagnose_source('def batchnorm_forward(x, gamma, beta, p): pass')\n"
        "print(sorted({'torch', 'click', 'scipy', 'bncourse.diagnosis.evidence'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_convention_has_a_title_and_a_meaning() -> None:
    for name, convention in CONVENTIONS.items():
        assert convention.name == name
        assert convention.title
        assert convention.momentum in ("new", "old")


# --- our errors are not the student's


def test_an_error_of_ours_is_told_apart_from_one_of_the_student(monkeypatch: pytest.MonkeyPatch) -> None:
    text = WRAPPERS["settings"](Parts())

    def fails(self: Any, *arguments: Any) -> Any:
        raise KeyError("of the engine")

    for owner, name in ((Translation, "completed"), (Orientation, "back"), (Forward, "_settings")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, fails)
            first = diagnose_source(text)["functions"][0]
        assert (first["status"], first["findings"]) == ("unreadable", [])
        assert first["reason"].startswith(
            "An error of the checker, not of this function; please report it: KeyError: 'of the"
        )


def test_an_error_of_the_student_is_theirs() -> None:
    text = "def batchnorm_forward(x, gamma, beta, bn_param):\n    raise KeyError('mine')\n"
    found = diagnose_source(text)["functions"][0]
    assert found["reason"] == "It could not be called: KeyError: 'mine'."


# --- what a normalization may lack

RMS = """import numpy as np

def rmsnorm_forward(x, gamma, eps=1e-6):
    inv = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)
    return gamma * x * inv, (x, gamma, inv)

def rmsnorm_backward(dy, cache):
    x, gamma, inv = cache
    g = dy * gamma
    xn = x * inv
    return inv * (g - xn * (g * xn).mean(-1, keepdims=True)), (dy * xn).sum(0)

class RMSNorm:
    def __init__(self, d, eps=1e-6):
        self.g, self.eps = np.ones(d), eps

    def forward(self, x):
        self.x = x.astype(np.float32)
        self.r = np.sqrt(np.mean(self.x**2, axis=1, keepdims=True) + self.eps)
        return self.g * self.x / self.r

    def backward(self, dout):
        x, r = self.x, self.r
        self.dg = (dout * x / r).sum(0)
        t = dout * self.g
        return t / r - x * (t * x).mean(1, keepdims=True) / r**3
"""


def test_rms_norm_needs_no_beta_and_single_precision_is_a_note() -> None:
    functions = diagnose_source(RMS)["functions"]
    assert [one["status"] for one in functions] == ["right"] * 4
    assert functions[2]["notes"][-1] == "It works in float32, also where it is given float64."
    wrong = diagnose_source(RMS.replace("(g - xn * (g * xn)", "(g - g.mean(-1, keepdims=True) - xn * (g * xn)"))
    assert beliefs(wrong) == ["rms-mean-path"]


ROOT = Path(__file__).parents[3]
OURS = ("numpy_bn/functional.py", "numpy_bn/inference.py", "numpy_bn/layer.py", "torch_bn/functional.py")
WRONG_ON_PURPOSE = {"fooling_forward"}
"""Answers that ask for a wrong program."""


def solution_of(assignment: str) -> str:
    """What is given in an assignment, and its solution."""
    master = load_master(ROOT / "assignments" / "masters" / f"{assignment}.md")
    return "\n\n".join(["import numpy as np", *(one.source for one in master.cells if one.kind in ("answer", "given"))])


@pytest.mark.parametrize("path", OURS)
def test_no_function_of_our_own_is_accused(path: str) -> None:
    report = diagnose_source((ROOT / "bncourse" / path).read_text(encoding="utf-8"))
    assert {one["status"] for one in report["functions"]} == {"right"}, report["functions"]


@pytest.mark.parametrize("path", ["numpy_bn/renorm.py", "numpy_bn/ghost.py", "numpy_bn/folding.py"])
def test_functions_that_normalize_by_other_statistics_are_not_taken_for_batch_norm(path: str) -> None:
    report = diagnose_source((ROOT / "bncourse" / path).read_text(encoding="utf-8"))
    assert report["functions"] == []
    assert "looks like a normalization" in report["problem"]


@pytest.mark.parametrize("assignment", ["forward", "backward", "pytorch", "training", "beyond"])
def test_no_solution_of_an_assignment_is_accused(assignment: str) -> None:
    report = diagnose_source(solution_of(assignment))
    wrong = {one["name"] for one in report["functions"] if one["status"] != "right"}
    assert wrong <= WRONG_ON_PURPOSE, report["functions"]


def test_an_assignment_without_a_normalization_is_told_so() -> None:
    assert "looks like a normalization" in diagnose_source(solution_of("shift"))["problem"]


def test_the_gradient_in_inference_is_judged_as_such() -> None:
    whole = solution_of("backward")
    text = whole.replace("dx = dy * gamma * inv_std\n", "dx = dy * gamma * inv_std - dy.mean(axis=0)\n")
    assert text != whole
    report = diagnose_source(text)
    wrong = {one["name"]: one["what"] for one in report["functions"] if one["status"] != "right"}
    assert wrong == {"batch_norm_inference_backward": "batch norm, backward in inference"}


@pytest.mark.parametrize(
    "asked",
    [
        "from bncourse.diagnosis.given import batch_norm_forward",
        "from bncourse.diagnosis.given import batch_norm_forward as forward",
        "from bncourse.diagnosis.given import *",
        "from bncourse.diagnosis import given\ny, cache = given.batch_norm_forward(x, gamma, beta)",
        "import bncourse.diagnosis.given as g, numpy\nforward = g.batch_norm_forward",
        "import bncourse.diagnosis.given\nforward = bncourse.diagnosis.given.batch_norm_forward",
    ],
)
def test_a_gradient_is_judged_with_the_forward_pass_that_its_notebook_was_given(asked: str) -> None:
    lines = (
        "import numpy as np",
        asked,
        "def batch_norm_backward(dy, cache):",
        '    dx = cache["gamma"] * cache["inv_std"] * (dy - dy.mean(axis=0))',
        '    return dx, (dy * cache["x_hat"]).sum(axis=0), dy.sum(axis=0)',
    )
    said = {one["name"]: one["findings"] for one in diagnose_source("\n".join(lines))["functions"]}
    assert [found["belief"] for found in said["batch_norm_backward"]] == ["variance-path-missing"]
    assert said["batch_norm_forward"] == []


UNBIASED = """
import numpy as np

def batchnorm_forward(x, gamma, beta, eps=1e-5):
    var = x.var(axis=0, ddof=1)
    x_hat = (x - x.mean(axis=0)) / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x_hat, gamma, np.sqrt(var + eps))

def batchnorm_backward(dy, cache):
    x_hat, gamma, std = cache
    n = len(dy)
    dx = gamma / std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).sum(axis=0) / (n - 1))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
"""


@pytest.mark.parametrize(("divisor", "said"), [("(n - 1)", []), ("n", ["variance-unbiased"])])
def test_an_unbiased_variance_is_a_convention_only_where_the_gradient_fits_it(divisor: str, said: list[str]) -> None:
    forward = diagnose_source(UNBIASED.replace("/ (n - 1)", f"/ {divisor}"))["functions"][0]
    assert [found["belief"] for found in forward["findings"]] == said
    assert any("N - 1" in one for one in forward["differences"]) == (not said)


def test_a_tensor_of_an_engine_is_asked_for_a_gradient_where_it_does_not_give_one_by_itself() -> None:
    class Tensor:
        def __init__(self, data: Any, requires_grad: bool = False) -> None:
            self.data, self.requires_grad = data, requires_grad

    assert leaf(Tensor, [1.0, 2.0]).requires_grad


def test_buffers_of_a_module_that_are_called_mean_and_var_are_its_running_statistics() -> None:
    module = next(one.source for one in programs("torch") if one.name == "module-1d")
    renamed = module.replace("running_mean", "mean_").replace("running_var", "var_")
    assert "mean_" in renamed
    wrong = renamed.replace("if self.training:", "if True:")
    found = diagnose_source(wrong)["functions"][0]["findings"]
    assert [one["belief"] for one in found] == ["inference-batch-statistics", "inference-moves-statistics"]
