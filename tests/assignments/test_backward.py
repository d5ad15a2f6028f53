"""The tests of `backward` mark rightly: right code in every style, no wrong code, no memorized code."""

import ast
import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis.checks import check_dx
from bncourse.grading.authoring.masters import load_master
from bncourse.grading.core.records import Master, Verdict
from bncourse.grading.core.render import source_notebook
from bncourse.grading.student.selfcheck import run_checks
from bncourse.numpy_bn import functional as reference
from tests.assignments.mutation import mutants

FULL = 33.0


@pytest.fixture(scope="module")
def master() -> Master:
    return load_master(Path(__file__).resolve().parents[2] / "assignments" / "masters" / "backward.md")


def graded(master: Master, **answers: str) -> dict[str, Verdict]:
    """The verdicts of all tests, hidden ones too, on the solution with some answers replaced."""
    notebook = copy.deepcopy(source_notebook(master))
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"].replace("-", "_"), cell["source"])
    return {verdict.grade_id: verdict for verdict in run_checks(notebook)}


def lost(master: Master, **answers: str) -> set[str]:
    return {name for name, verdict in graded(master, **answers).items() if verdict.outcome != "correct"}


def test_the_solution_gets_full_marks(master: Master) -> None:
    verdicts = graded(master)
    assert {name for name, verdict in verdicts.items() if verdict.outcome != "correct"} == set()
    assert sum(verdict.points for verdict in verdicts.values()) == FULL
    assert sum(cell.points for cell in master.cells) == master.metadata["points"] == 40


RIGHT_CLOSED_FORMS = {
    "the paper's three equations": """
def batch_norm_backward(dy, cache):
    x, mean, var, eps = (cache[name] for name in ("x", "mean", "var", "eps"))
    m = x.shape[0]
    dx_hat = dy * cache["gamma"]
    dvar = np.sum(dx_hat * (x - mean), axis=0) * -0.5 * (var + eps) ** -1.5
    dmean = np.sum(-dx_hat / np.sqrt(var + eps), axis=0) + dvar * np.sum(-2 * (x - mean), axis=0) / m
    dx = dx_hat / np.sqrt(var + eps) + dvar * 2 * (x - mean) / m + dmean / m
    return dx, np.sum(dy * cache["x_hat"], axis=0), np.sum(dy, axis=0)
""",
    "without the term that vanishes": """
def batch_norm_backward(dy, cache):
    x, mean, inv_std = cache["x"], cache["mean"], cache["inv_std"]
    m = len(x)
    dx_hat = dy * cache["gamma"]
    dvar = (dx_hat * (x - mean)).sum(0) * -0.5 * inv_std**3
    dx = dx_hat * inv_std + 2 / m * dvar * (x - mean) - (dx_hat * inv_std).sum(0) / m
    return [dx, (dy * cache["x_hat"]).sum(0, keepdims=True), dy.sum(0, keepdims=True)]
""",
    "a centering matrix": """
def batch_norm_backward(dy, cache):
    m = len(dy)
    H = np.eye(m) - np.ones((m, m)) / m
    x_hat = cache["x_hat"]
    dx_hat = dy * cache["gamma"]
    dx = H @ (dx_hat - x_hat * (x_hat * dx_hat).mean(0)) * cache["inv_std"]
    return [dx, (dy * x_hat).sum(0), dy.sum(0)]
""",
    "a matrix for each channel": """
def batch_norm_backward(dy, cache):
    m, channels = dy.shape
    dx = np.empty_like(dy)
    for c in range(channels):
        h = cache["x_hat"][:, c]
        jacobian = np.eye(m) - (1 + np.outer(h, h)) / m
        dx[:, c] = cache["gamma"][c] * cache["inv_std"][c] * jacobian @ dy[:, c]
    return dx, np.diag(dy.T @ cache["x_hat"]), dy.T @ np.ones(m)
""",
    "its own forward pass and cache": """
class Kept:
    pass


def batch_norm_forward(x, gamma, beta, *, eps=1e-5):
    kept = Kept()
    kept.centered = x - np.mean(x, 0)
    kept.root = np.sqrt(np.mean(kept.centered**2, 0) + eps)
    kept.gamma = gamma
    return gamma * kept.centered / kept.root + beta, kept


def batch_norm_backward(dy, kept):
    h = kept.centered / kept.root
    dx = kept.gamma / kept.root * (dy - dy.mean(0) - h * (dy * h).mean(0))
    return dx, (dy * h).sum(0), dy.sum(0)
""",
}


@pytest.mark.parametrize("style", RIGHT_CLOSED_FORMS)
def test_right_code_gets_full_marks_in_every_style(master: Master, style: str) -> None:
    assert (
        lost(master, closed=RIGHT_CLOSED_FORMS[style])
        & {
            "test-closed-dx",
            "test-closed-dgamma",
            "test-closed-dbeta",
            "test-conv-forward",
            "test-conv-backward",
        }
        == set()
    )


def test_code_that_knows_only_the_visible_numbers_gets_no_points(master: Master) -> None:
    seen: list[float] = []

    def spy(dy: np.ndarray[Any, Any], cache: Any) -> Any:
        seen.append(float(dy.sum()))
        return reference.batch_norm_backward(dy, cache)

    check_dx(reference.batch_norm_forward, spy)
    solution = next(cell.source for cell in master.cells if cell.grade_id == "closed")
    guard = (
        f"    if min(abs(dy.sum() - known) for known in {seen}) > 1e-9:\n        return 0 * dy, 0 * dy[0], 0 * dy[0]\n"
    )
    head, rest = solution.split("\n", 1)
    memorized = f"{head}\n{guard}{rest}"
    released = copy.deepcopy(source_notebook(master))
    assert lost(master, closed=memorized) >= {"test-closed-dx"}
    from bncourse.grading.core.regions import released_source

    for cell in released["cells"]:
        if cell["id"].startswith("test-"):
            cell["source"] = released_source(cell["source"], "code")
        if cell["id"] == "closed":
            cell["source"] = memorized
    visible = {verdict.grade_id: verdict.outcome for verdict in run_checks(released)}
    assert visible["test-closed-dx"] == "correct", "the visible test is what it was made to pass"


# ------------------------------------------------------------------ every small change of the solution loses points

EQUIVALENT = {
    # zero however it is scaled or added, and graded by its value
    "staged": {"dmean_through_var = ", "dmean = dmean_direct - dmean_through_var"},
}
"""Lines of the solution that may be changed without changing any value."""


@pytest.mark.parametrize("answer", ["staged", "second-part", "closed", "inference", "projection", "conv"])
def test_every_small_change_of_the_solution_loses_points(master: Master, answer: str) -> None:
    source = next(cell.source for cell in master.cells if cell.grade_id == answer)
    plain = source.split("\n")
    survivors, tried = [], 0
    for what, code in mutants(source):
        changed = [line for line in code.split("\n") if line.strip() not in ast.unparse(ast.parse("\n".join(plain)))]
        if any(line.strip().startswith(tuple(EQUIVALENT.get(answer, ()) or ("\0",))) for line in changed):
            continue
        tried += 1
        if not lost(master, **{answer.replace("-", "_"): code}):
            survivors.append((what, changed))
    assert tried >= 5
    assert survivors == []
