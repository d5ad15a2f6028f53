"""Answers of the real assignments that do no work: a check that looks at no gradient, pairs that agree on nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from bncourse.grading.authoring.masters import load_master
from bncourse.grading.core.records import Master, SubmissionRecord
from bncourse.grading.core.render import as_bytes, release_notebook
from bncourse.grading.engine.grader import Grader
from bncourse.grading.engine.preflight import own_solution
from tests.assignments.whole_class import MASTERS

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("forged")]


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(jobs=2, seed=987654321) as made:
        yield made


@pytest.fixture(scope="module")
def beyond() -> Master:
    return load_master(MASTERS / "beyond.md")


@pytest.fixture(scope="module")
def backward() -> Master:
    return load_master(MASTERS / "backward.md")


def lost(grader: Grader, master: Master, **answers: str) -> dict[str, float]:
    """What the master's own notebook loses, test by test, with some answers replaced."""
    made: Any = release_notebook(master)
    right = own_solution(master).answers | {name.replace("_", "-"): text for name, text in answers.items()}
    for cell in made["cells"]:
        cell["source"] = right.get(cell["id"], cell["source"])
    record: SubmissionRecord = grader.grade(master, "x", as_bytes(made))
    return {v.grade_id: v.max_points - v.points for v in record.verdicts if v.points < v.max_points}


SEEN_ON_THE_WIRE = """\
import sys
wire = next(module for name, module in sys.modules.items() if name.endswith("inside.codec"))
seen = []
def decode(self, data, before=wire.Decoder.decode):
    value = before(self, data)
    seen.append(bytes(data))
    return value
wire.Decoder.decode = decode
"""
CALLED = """\
    rng = np.random.default_rng(0)
    x, dy, gamma, beta = rng.normal(size=(6, 3)), rng.normal(size=(6, 3)), rng.normal(size=3), rng.normal(size=3)
    y, cache = forward(x, gamma, beta, eps=0.1)
    found = backward(dy, cache)
"""
FORGED = {
    "by the name, calling nothing": "    return b'right' in b''.join(seen[-3:])",
    "by the name": CALLED + "    return not any(w in b''.join(seen[-9:]) for w in (b'lost', b'no_eps', b'lambda'))",
    "by its own number": CALLED + "    seen.append(b'!')\n    return seen.count(b'!') in (1, *range(3, 20))",
    "by what is in the cache": CALLED + "    return not (isinstance(cache, dict) and 'y' in cache)",
    "always True": CALLED + "    return True",
    "always False": CALLED + "    return False",
    "by the right program": CALLED
    + "    right = right_backward(dy, batch_norm_forward(x, gamma, beta, eps=0.1)[1])\n"
    + "    return all(np.abs(a - b).max() < 1e-9 for a, b in zip(found, right))",
}
CHECKS = {f"test-check-{name}" for name in ("right", "paths", "gamma", "parameters", "eps")}


@pytest.mark.parametrize("how", FORGED)
def test_a_check_that_looks_at_no_gradient_gets_nothing(how: str, grader: Grader, beyond: Master) -> None:
    forged = f"{SEEN_ON_THE_WIRE}def my_check(forward, backward):\n{FORGED[how]}"
    assert lost(grader, beyond, my_check=forged).keys() == CHECKS


def test_an_honest_check_gets_all(grader: Grader, beyond: Master) -> None:
    assert lost(grader, beyond) == {}


GROUPS = """\
def group_norm_forward(x, gamma, beta, groups, *, eps=1e-5):
    return {y}, None
def group_norm_backward(dy, cache):
    return {dx}, np.zeros(dy.shape[1]), np.zeros(dy.shape[1])
"""


@pytest.mark.parametrize(("y", "dx"), [("np.ones(x.shape)", "0 * dy"), ("x", "dy"), ("3 * x + 1", "3 * dy")])
def test_a_pair_of_passes_that_normalizes_nothing_gets_nothing(y: str, dx: str, grader: Grader, beyond: Master) -> None:
    assert lost(grader, beyond, group=GROUPS.format(y=y, dx=dx)) == {"test-group-forward": 3, "test-group-backward": 4}


ROWS = "def batch_norm_backward(dy, cache):\n    return {rows}, np.ones(dy.shape[1]), dy.sum(axis=0)"
MAPS = "\ndef batch_norm_backward_conv(dy, cache):\n    return {maps}, np.ones(dy.shape[1]), dy.sum(axis=(0, 2, 3))"


@pytest.mark.parametrize(
    ("rows", "maps"),
    [("np.ones(dy.shape)", "np.ones(dy.shape)"), ("dy", "dy"), ("dy * 2 + 1", "dy * 2 + 1"), ("abs(dy)", "abs(dy)")],
)
def test_a_conv_pair_that_agrees_without_work_gets_nothing(
    rows: str, maps: str, grader: Grader, backward: Master
) -> None:
    conv = own_solution(backward).answers["conv"].split("def batch_norm_backward_conv")[0]
    found = lost(grader, backward, closed=ROWS.format(rows=rows), conv=conv + MAPS.format(maps=maps))
    assert found["test-conv-backward"] == 3
    assert "test-conv-forward" not in found


def test_a_slip_in_task_3_is_charged_once(grader: Grader, backward: Master) -> None:
    slip = own_solution(backward).answers["closed"]
    assert "- x_hat * (dy * x_hat).mean(axis=0)" in slip
    found = lost(grader, backward, closed=slip.replace("- x_hat * (dy * x_hat).mean(axis=0)", ""))
    assert "test-conv-backward" not in found
    assert found
