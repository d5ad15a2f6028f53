import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bncourse.diagnosis import checks, diagnose
from bncourse.diagnosis.checks import Misconception
from bncourse.diagnosis.evidence.specimens import SPECIMENS
from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward
from bncourse.diagnosis.running_stats import right_update
from bncourse.numpy_bn import (
    Gradients,
    batch_norm_backward,
    batch_norm_backward_staged,
    batch_norm_forward,
    batch_norm_inference,
    batch_norm_inference_backward,
)

ALL_RIGHT = [
    (checks.check_forward, (batch_norm_forward,)),
    (checks.check_backward, (batch_norm_forward, batch_norm_backward)),
    (checks.check_dx, (batch_norm_forward, batch_norm_backward)),
    (checks.check_dgamma, (batch_norm_forward, batch_norm_backward)),
    (checks.check_dbeta, (batch_norm_forward, batch_norm_backward)),
    (checks.check_staged, (batch_norm_forward, batch_norm_backward_staged)),
    (checks.check_inference, (batch_norm_inference,)),
    (checks.check_inference_backward, (batch_norm_inference, batch_norm_inference_backward)),
    (checks.check_running, (right_update,)),
    (checks.check_conv, (batch_norm_forward,)),
    (checks.check_conv, (batch_norm_forward, batch_norm_backward)),
    (checks.check_laws, (batch_norm_forward,)),
    (checks.check_laws, (batch_norm_forward, batch_norm_backward)),
]


def caught(check: Any, *functions: Any, **options: Any) -> Misconception:
    with pytest.raises(Misconception) as raised:
        check(*functions, **options)
    return raised.value


@pytest.mark.parametrize(("check", "functions"), ALL_RIGHT, ids=lambda value: getattr(value, "__name__", ""))
def test_the_reference_passes_and_the_check_returns_none(check: Any, functions: Any) -> None:
    for seed in range(20):
        assert check(*functions, seed=seed) is None


def test_checks_are_silent_whatever_they_are_given(capfd: pytest.CaptureFixture[str], caplog: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for specimen in SPECIMENS:
            if specimen.role in ("forward", "backward", "pair"):
                for check in (checks.check_backward, checks.check_laws):
                    try:
                        check(specimen.forward, specimen.gradient)
                    except Misconception:
                        continue
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_hint_levels_show_one_line_more_each() -> None:
    texts = [str(caught(checks.check_forward, lambda x, g, b, eps: (x, None), hint=level)) for level in range(4)]
    first = texts[0].count("\n")
    assert first <= 2
    assert [text.count("\n") - first for text in texts] == [0, 1, 2, 3]
    assert all(text.startswith(texts[0].splitlines()[0]) for text in texts)


def test_partial_credit_looks_at_one_quantity_only() -> None:
    def backward(dy: Any, cache: Any) -> Any:
        dx, dgamma, dbeta = batch_norm_backward(dy, cache)
        return dx, dgamma / len(dy), dbeta

    checks.check_dx(batch_norm_forward, backward)
    checks.check_dbeta(batch_norm_forward, backward)
    assert caught(checks.check_dgamma, batch_norm_forward, backward).belief == "dgamma-mean"
    assert caught(checks.check_backward, batch_norm_forward, backward).belief == "dgamma-mean"


@pytest.mark.parametrize("one", ["dx", "dgamma", "dbeta"])
def test_a_quantity_that_is_missing_does_not_cost_the_others(one: str) -> None:
    def backward(dy: Any, cache: Any) -> Any:
        return batch_norm_backward(dy, cache)._replace(**{one: None})

    for name in ("dx", "dgamma", "dbeta"):
        check = getattr(checks, f"check_{name}")
        if name == one:
            assert caught(check, batch_norm_forward, backward).belief == "nothing-returned"
        else:
            check(batch_norm_forward, backward)


# --- follow-through: a wrong forward pass is charged once


def eps_outside(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    std = x.std(axis=0)
    x_hat = (x - x.mean(axis=0)) / (std + eps)
    return gamma * x_hat + beta, (x_hat, std, gamma, eps)


def its_gradient(dy: Any, cache: Any) -> Any:
    x_hat, std, gamma, eps = cache
    # d(1 / (std + eps)) / d var = -1 / (2 std (std + eps)^2)
    rest = dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0) * (std + eps) / std
    return gamma / (std + eps) * rest, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def test_the_exact_gradient_of_a_wrong_forward_pass_is_not_charged_again() -> None:
    for seed in range(10):
        assert caught(checks.check_forward, eps_outside, seed=seed).belief == "eps-outside-root"
        checks.check_backward(eps_outside, its_gradient, seed=seed)
        report = diagnose(eps_outside, its_gradient, seed=seed)
        assert report.beliefs == ("eps-outside-root",)
        assert "dx" in report.follow_through
        assert report.findings[0].remark.startswith("Your backward pass is the right gradient of your forward pass")


def test_a_path_lost_after_a_wrong_forward_pass_is_named_all_the_same() -> None:
    def without_mean(dy: Any, cache: Any) -> Any:
        x_hat, std, gamma, eps = cache
        rest = dy - x_hat * (dy * x_hat).mean(axis=0) * (std + eps) / std
        return gamma / (std + eps) * rest, (dy * x_hat).sum(axis=0), dy.sum(axis=0)

    assert caught(checks.check_backward, eps_outside, without_mean).belief == "mean-path-missing"


def test_the_gradient_of_a_trivial_forward_pass_earns_nothing() -> None:
    def identity(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        return x.copy(), gamma

    def its_gradient(dy: Any, gamma: Any) -> Any:
        return dy.copy(), 0 * gamma, 0 * gamma

    def only_centered(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        centered = x - x.mean(axis=0)
        return gamma * centered + beta, (centered, gamma)

    def its_short_gradient(dy: Any, cache: Any) -> Any:
        centered, gamma = cache
        return gamma * (dy - dy.mean(axis=0)), (dy * centered).sum(axis=0), dy.sum(axis=0)

    assert caught(checks.check_backward, identity, its_gradient)
    raised = caught(checks.check_backward, only_centered, its_short_gradient)
    assert raised.belief == "variance-not-divided"
    assert "fix the forward pass first" in str(raised)


def test_a_backward_pass_right_for_the_task_passes_beside_a_wrong_forward_pass() -> None:
    def forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        y, cache = plain_forward(x, gamma, beta, eps)
        return y - beta, cache

    checks.check_backward(forward, plain_backward)


def test_a_function_is_called_twice_with_the_same_numbers_unless_once_is_enough() -> None:
    calls: list[float] = []

    def counted(dy: Any, cache: Any) -> Any:
        calls.append(float(dy.sum()))
        return batch_norm_backward(dy, cache)

    checks.check_dx(batch_norm_forward, counted)
    assert len(calls) == 2
    assert len(set(calls)) == 1
    checks.check_dx(batch_norm_forward, counted, seed=1, repeat=False)
    assert len(calls) == 3


# --- staged


def test_stages_may_come_as_a_dict_a_named_tuple_or_a_plain_tuple() -> None:
    for packed in (dict, tuple, lambda stages: stages):

        def staged(dy: Any, cache: Any, packed: Any = packed) -> Any:
            gradients, stages = batch_norm_backward_staged(dy, cache)
            return gradients, packed(stages._asdict().items()) if packed is dict else packed(stages)

        checks.check_staged(batch_norm_forward, staged)


def test_the_share_through_the_mean_may_be_one_row() -> None:
    def staged(dy: Any, cache: Any) -> Any:
        gradients, stages = batch_norm_backward_staged(dy, cache)
        return gradients, stages._replace(dx_through_mean=stages.dx_through_mean[:1], dvar=stages.dvar[None])

    checks.check_staged(batch_norm_forward, staged)


@pytest.mark.parametrize(
    "stage", ["dx_hat", "dvar", "dmean_direct", "dmean_through_var", "dmean", "dx_direct", "dx_through_var"]
)
def test_a_wrong_stage_is_named(stage: str) -> None:
    def staged(dy: Any, cache: Any) -> Any:
        gradients, stages = batch_norm_backward_staged(dy, cache)
        return gradients, stages._replace(**{stage: getattr(stages, stage) * 1.01 + 1e-3})

    raised = caught(checks.check_staged, batch_norm_forward, staged)
    assert (raised.belief, raised.part) == ("stage-wrong", stage)
    assert f"It shows in {stage}." in str(raised)


def test_the_belief_behind_a_wrong_stage_is_named_where_dx_tells() -> None:
    def staged(dy: Any, cache: Any) -> Any:
        gradients, stages = batch_norm_backward_staged(dy, cache)
        dx = gradients.dx + stages.dx_through_var
        return gradients._replace(dx=dx), stages._replace(
            dvar=2 * stages.dvar, dx_through_var=2 * stages.dx_through_var
        )

    raised = caught(checks.check_staged, batch_norm_forward, staged)
    assert (raised.belief, raised.part) == ("factor-half-lost", "dvar")
    assert str(raised).startswith(
        "Your code believes that the derivative of one over a root has no factor in front. It shows in dvar."
    )


def test_right_stages_with_a_wrong_gradient_are_not_enough() -> None:
    def staged(dy: Any, cache: Any) -> Any:
        gradients, stages = batch_norm_backward_staged(dy, cache)
        return gradients._replace(dx=-gradients.dx), stages

    assert caught(checks.check_staged, batch_norm_forward, staged).belief == "dx-flipped"


# --- functions that live elsewhere


class Handle:
    """Says nothing of what it stands for."""

    def __init__(self, value: Any) -> None:
        self._hidden = [value]


class Remote:
    """A function in another process: arrays cross as copies, all other objects stay behind handles."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.mutated_arguments: tuple[str, ...] = ()

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        inside = [a.copy() if isinstance(a, np.ndarray) else a._hidden[0] for a in arguments]
        before = [a.copy() if isinstance(a, np.ndarray) else None for a in inside]
        result = self.function(*inside, **options)
        pairs = enumerate(zip(before, inside, strict=True))
        self.mutated_arguments = tuple(
            f"argument {n}" for n, (old, new) in pairs if old is not None and not np.array_equal(old, new)
        )
        return tuple(
            value if isinstance(value, np.ndarray) else Handle(value) for value in (result[0], result[1], *result[2:])
        )


def test_a_cache_that_nobody_can_open_is_enough() -> None:
    forward, backward = Remote(plain_forward), Remote(plain_backward)
    for check in (checks.check_backward, checks.check_laws, checks.check_dx):
        check(forward, backward)


def test_wrong_functions_elsewhere_are_diagnosed_too() -> None:
    for specimen in SPECIMENS:
        if specimen.role == "backward" and specimen.belief.endswith("path-missing"):
            raised = caught(checks.check_backward, Remote(plain_forward), Remote(specimen.function))
            assert raised.belief == specimen.belief
    raised = caught(checks.check_backward, Remote(eps_outside), Remote(plain_backward_of_tuple))
    assert raised.belief == "closed-form-of-another-forward"


def plain_backward_of_tuple(dy: Any, cache: Any) -> Any:
    x_hat, std, gamma, eps = cache
    return plain_backward(dy, {"x_hat": x_hat, "inv_std": 1 / (std + eps), "gamma": gamma})


def test_arguments_changed_elsewhere_are_reported_through_the_attribute() -> None:
    def in_place(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        result = plain_forward(x.copy(), gamma, beta, eps)
        x -= 1
        return result

    assert caught(checks.check_forward, Remote(in_place)).belief == "input-changed"


# --- what was raised


def test_what_the_function_raised_comes_first_and_stays_the_cause() -> None:
    def backward(dy: Any, cache: Any) -> Gradients:
        raise ZeroDivisionError("first line\nsecond line")

    raised = caught(checks.check_backward, batch_norm_forward, backward)
    assert str(raised).splitlines()[0] == "Your function raised ZeroDivisionError: first line"
    assert isinstance(raised.__cause__, ZeroDivisionError)
    assert raised.belief == "raised"


def test_an_empty_answer_is_named_as_such() -> None:
    assert caught(checks.check_forward, lambda x, gamma, beta, eps: None).belief == "nothing-returned"
    assert caught(checks.check_running, lambda m, v, x, momentum: None).belief == "nothing-returned"


def test_what_is_no_exception_passes_through() -> None:
    def forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checks.check_forward(forward)


def test_inference_may_return_y_alone() -> None:
    checks.check_inference(lambda *arguments, eps: batch_norm_inference(*arguments, eps=eps)[0])


# --- whatever a function returns, a check returns None or raises a Misconception, in silence

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
                assert "\nRead on: " in str(raised)
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


def test_the_lines_to_paste_call_the_functions_by_their_own_names() -> None:
    def batch_norm_forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        mean, std = x.mean(axis=0), np.sqrt(x.var(axis=0)) + eps
        return gamma * (x - mean) / std + beta, None

    with pytest.raises(Misconception) as caught:
        checks.check_forward(batch_norm_forward)
    pasted = str(caught.value).split("\n")[1].removeprefix("Try it: ")
    assert "print(batch_norm_forward(x, one, 0 * one, eps=0.5)[0]" in pasted
    exec(pasted, {"np": np, "print": lambda value: None, "batch_norm_forward": batch_norm_forward})
    assert "print(forward(x, one, 0 * one, eps=0.5)[0]" in caught.value.args[0]
