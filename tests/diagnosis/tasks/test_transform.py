"""Numbers of another library's functions are named as NumPy's are; here a tensor is an array with `detach`."""

from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward
from bncourse.diagnosis.report import Misconception
from bncourse.diagnosis.tasks.transform import name_transform

PARTS = ("forward", "dx", "dgamma", "dbeta")


class Tensor:
    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)

    def detach(self) -> "Tensor":
        return self

    def numpy(self) -> Any:
        return self.array


def function(forward: Any = plain_forward, change: Any = lambda gradients, gamma: gradients) -> Any:
    def run(x: Tensor, gamma: Tensor, beta: Tensor, dy: Tensor | None = None, *, eps: float = 1e-5) -> Any:
        y, cache = forward(x.array, gamma.array, beta.array, eps)
        if dy is None:
            return Tensor(y)
        return Tensor(y), *map(Tensor, change(plain_backward(dy.array, cache), gamma.array))

    return run


def outside(x: Any, gamma: Any, beta: Any, eps: float) -> Any:
    return gamma * (x - x.mean(axis=0)) / (x.std(axis=0) + eps) + beta, plain_forward(x, gamma, beta, eps)[1]


@pytest.mark.parametrize("part", PARTS)
def test_right_numbers_are_not_named(part: str) -> None:
    name_transform(part, function(), Tensor)


def test_a_wrong_forward_pass_is_named_once_and_without_lines_for_numpy() -> None:
    with pytest.raises(Misconception, match="eps is added to the standard deviation") as raised:
        name_transform("forward", function(outside), Tensor)
    assert raised.value.belief == "eps-outside-root"
    assert "Try it" not in str(raised.value)
    for part in PARTS[1:]:
        name_transform(part, function(outside), Tensor)


def test_a_wrong_gradient_is_named_under_its_own_part() -> None:
    wrong = function(change=lambda gradients, gamma: (gradients[0] / gamma, *gradients[1:]))
    with pytest.raises(Misconception) as raised:
        name_transform("dx", wrong, Tensor)
    assert raised.value.belief == "dx-gamma-missing"
    for part in ("forward", "dgamma", "dbeta"):
        name_transform(part, wrong, Tensor)


def test_what_raises_is_left_to_the_tests() -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    for part in PARTS:
        name_transform(part, fails, Tensor)
