"""Whatever a student's functions return, a check returns None or raises a Misconception, in silence."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bncourse.diagnosis import checks, diagnose
from bncourse.diagnosis.checks import Misconception
from bncourse.diagnosis.specimens.registry import plain_backward, plain_forward

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.floats(),
    st.lists(st.floats(), max_size=3),
    st.sampled_from([1e308, -1e308, 5e-324, 1e200, 0.0, -0.0]).map(lambda value: ("fill", value)),
    arrays.arrays(st.sampled_from([np.float64, np.float32, np.int64, np.complex128]), arrays.array_shapes(max_dims=3)),
    st.just({}),
    st.just(object()),
)


def filled(value: Any, like: Any) -> Any:
    return np.full(np.shape(like), value[1]) if isinstance(value, tuple) else value


@settings(max_examples=150, deadline=None, derandomize=True)
@given(odd=ODD, place=st.integers(0, 5))
def test_any_result_gives_none_or_a_misconception_and_no_warning(odd: Any, place: int) -> None:
    def forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        y, cache = plain_forward(x, gamma, beta, eps)
        return {0: odd, 1: (filled(odd, y), cache)}.get(place, (y, cache))

    def backward(dy: Any, cache: Any) -> Any:
        right = list(plain_backward(dy, cache))
        if place in (2, 3, 4):
            right[place - 2] = filled(odd, right[place - 2])
        return odd if place == 5 else tuple(right)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for check in (checks.check_backward, checks.check_laws, checks.check_conv):
            try:
                assert check(forward, backward) is None
            except Misconception as raised:
                assert str(raised).splitlines()[-1].startswith("Read on: ")
        assert not diagnose(forward, backward).correct


@pytest.mark.parametrize("factor", [1e-300, 1e-12, 1e12, 1e150, 1e300])
def test_results_of_absurd_size_are_wrong_and_nothing_worse(factor: float) -> None:
    def forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        y, cache = plain_forward(x, gamma, beta, eps)
        return factor * y, cache

    def backward(dy: Any, cache: Any) -> Any:
        dx, dgamma, dbeta = plain_backward(dy, cache)
        return factor * dx, factor * dgamma, factor * dbeta

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not diagnose(forward, plain_backward).correct
        assert not diagnose(plain_forward, backward).correct


@pytest.mark.parametrize("thing", [None, 3, "forward", np.ones(3)])
def test_what_is_no_function_is_said_to_be_none(thing: Any) -> None:
    with pytest.raises(Misconception, match="There is no function to call here"):
        checks.check_forward(thing)


@pytest.mark.parametrize("seed", [-1, 1.5, "0"])
def test_a_seed_that_is_no_whole_number_is_refused(seed: Any) -> None:
    with pytest.raises(ValueError, match="Expected a whole number"):
        checks.check_forward(plain_forward, seed=seed)


def test_a_backward_pass_of_inference_needs_the_inference() -> None:
    with pytest.raises(ValueError, match="Expected both"):
        diagnose(plain_forward, inference_backward=plain_backward)


# --- an oracle that shares no code with the reference


def torch_forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    leaves = [torch.tensor(value, requires_grad=True) for value in (x, gamma, beta)]
    y = torch.nn.functional.batch_norm(leaves[0], None, None, *leaves[1:], training=True, eps=eps)
    return y.detach().numpy(), (y, leaves)


def torch_inference(x: Any, gamma: Any, beta: Any, mean: Any, var: Any, eps: float = 1e-5) -> Any:
    leaves = [torch.tensor(value, requires_grad=True) for value in (x, gamma, beta)]
    statistics = torch.tensor(mean), torch.tensor(var)
    y = torch.nn.functional.batch_norm(leaves[0], *statistics, *leaves[1:], training=False, eps=eps)
    return y.detach().numpy(), (y, leaves)


def torch_backward(dy: Any, cache: Any) -> Any:
    y, leaves = cache
    return tuple(gradient.numpy() for gradient in torch.autograd.grad(y, leaves, torch.tensor(dy)))


def torch_update(mean: Any, var: Any, x: Any, momentum: float = 0.1) -> Any:
    running = torch.tensor(mean), torch.tensor(var)
    torch.nn.functional.batch_norm(torch.tensor(x), *running, training=True, momentum=momentum)
    return tuple(value.numpy() for value in running)


def test_pytorch_is_right() -> None:
    for seed in range(20):
        report = diagnose(
            torch_forward,
            torch_backward,
            inference=torch_inference,
            inference_backward=torch_backward,
            running=torch_update,
            conv=True,
            seed=seed,
        )
        assert report.correct, str(report)
        checks.check_laws(torch_forward, torch_backward, seed=seed)
