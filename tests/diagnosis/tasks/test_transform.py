"""Numbers of another library's functions are named as NumPy's are; here a tensor is an array with `detach`."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward
from bncourse.diagnosis.report import Misconception
from bncourse.diagnosis.running_stats import right_update
from bncourse.diagnosis.tasks.transform import name_inference, name_running, name_transform

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


# --- a module ---


class Module:
    def __init__(self, mean: Any, var: Any) -> None:
        self.running_mean, self.running_var = Tensor(mean), Tensor(var)


def after(channels: int, batches: list[Tensor], *, update: Any = right_update, infer: Any = None, **given: Any) -> Any:
    """A module of arrays: what it holds after the last batch, and y where it is asked in inference."""
    x, start = batches[-1].array, {name: value.array for name, value in given["start"].items()}
    mean, var = start["running_mean"], start["running_var"]
    if infer is not None:
        return Module(mean, var), Tensor(infer(x, start["weight"], start["bias"], mean, var, given["eps"])), None
    return Module(*update(mean, var, x, momentum=given["momentum"])), None, None


def plain_inference(x: Any, gamma: Any, beta: Any, mean: Any, var: Any, eps: float) -> Any:
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


def biased(mean: Any, var: Any, x: Any, *, momentum: float) -> Any:
    new, _ = right_update(mean, var, x, momentum=momentum)
    return new, (1 - momentum) * var + momentum * x.var(axis=0)


def swapped(mean: Any, var: Any, x: Any, *, momentum: float) -> Any:
    return right_update(mean, var, x, momentum=1 - momentum)


def test_right_modules_are_not_named() -> None:
    for part in ("running_mean", "running_var"):
        name_running(part, after, Tensor)
    name_inference(partial(after, infer=plain_inference), Tensor)


def test_what_is_wrong_with_the_running_variance_is_not_said_of_the_running_mean() -> None:
    name_running("running_mean", partial(after, update=biased), Tensor)
    with pytest.raises(Misconception) as raised:
        name_running("running_var", partial(after, update=biased), Tensor)
    assert raised.value.belief == "running-variance-biased"
    assert "Try it" not in str(raised.value)


def test_what_is_wrong_with_both_is_said_of_either() -> None:
    for part in ("running_mean", "running_var"):
        with pytest.raises(Misconception) as raised:
            name_running(part, partial(after, update=swapped), Tensor)
        assert raised.value.belief == "momentum-swapped"


def test_inference_is_named() -> None:
    def infer(x: Any, gamma: Any, beta: Any, _: Any, __: Any, eps: float) -> Any:
        return plain_forward(x, gamma, beta, eps)[0]

    def without_beta(x: Any, gamma: Any, beta: Any, *rest: Any) -> Any:
        return plain_inference(x, gamma, 0 * beta, *rest)

    for wrong, belief in ((infer, "inference-batch-statistics"), (without_beta, "inference-without-beta")):
        with pytest.raises(Misconception) as raised:
            name_inference(partial(after, infer=wrong), Tensor)
        assert raised.value.belief == belief


def test_feature_maps_are_named() -> None:
    def whole(x: Any, gamma: Any, beta: Any, eps: float, axes: Any = (0, 2, 3)) -> Any:
        shape = (1, -1, 1, 1)
        x_hat = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape), None

    def run(forward: Any, x: Tensor, gamma: Tensor, beta: Tensor, dy: Tensor | None = None, *, eps: float = 0) -> Any:
        y = Tensor(forward(x.array, gamma.array, beta.array, eps)[0])
        if dy is None:
            return y
        rows = [value.array.transpose(0, 2, 3, 1).reshape(-1, x.array.shape[1]) for value in (x, dy)]
        dx, *rest = plain_backward(rows[1], plain_forward(rows[0], gamma.array, beta.array, eps)[1])
        n, c, h, w = x.array.shape
        return y, Tensor(dx.reshape(n, h, w, c).transpose(0, 3, 1, 2)), *map(Tensor, rest)

    name_transform("conv", partial(run, whole), Tensor)
    with pytest.raises(Misconception) as raised:
        name_transform("conv", partial(run, partial(whole, axes=(2, 3))), Tensor)
    assert raised.value.belief == "conv-instance-norm"
