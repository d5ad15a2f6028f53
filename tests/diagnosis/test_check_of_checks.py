"""A check is judged by what it makes of gradients, and by nothing else that a program could show."""

import time
from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis.check_of_checks import BatchRefused, Pair, try_check
from bncourse.diagnosis.evidence.other_transforms import OTHER_RIGHT, OTHER_WRONG, right_pairs, wrong_pairs

WRONG = [*wrong_pairs("mean-path-missing", "variance-path-missing"), *((w.forward, w.backward) for w in OTHER_WRONG)]


def honest(forward: Any, backward: Any) -> bool:
    """Compare with the change of the loss along random directions."""
    rng = np.random.default_rng(12)
    inputs = [rng.normal(2, 0.5, (5, 3)), rng.uniform(1.5, 3, 3), rng.normal(size=3)]
    dy = rng.normal(size=(5, 3))
    gradients = backward(dy, forward(*inputs, eps=0.2)[1])
    for k, gradient in enumerate(gradients):
        v = rng.normal(size=inputs[k].shape)
        sides = []
        for t in (1e-5, -1e-5):
            moved = list(inputs)
            moved[k] = moved[k] + t * v
            sides.append(np.sum(dy * forward(*moved, eps=0.2)[0]))
        if np.shape(gradient) != v.shape or abs((sides[0] - sides[1]) / 2e-5 - np.sum(v * gradient)) > 1e-6:
            return False
    return True


def by_heart(forward: Any, backward: Any) -> bool:
    """Know batch normalization's gradient, and nothing else."""
    rng = np.random.default_rng(1)
    x, dy, gamma, eps = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), np.array([1.0, 2.0, 3.0]), 0.1
    dx = backward(dy, forward(x, gamma, np.zeros(3), eps=eps)[1])[0]
    inv_std = 1 / np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) * inv_std
    return bool(np.abs(dx - gamma * inv_std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))).max() < 1e-9)


def test_an_honest_check_accepts_every_right_pair_and_refuses_every_wrong_one() -> None:
    assert try_check(honest, right=right_pairs(), wrong=WRONG) == (True, 0, 0)


def test_a_check_that_knows_one_formula_fails_on_other_transforms() -> None:
    tried = try_check(by_heart, right=[(one.forward, one.backward) for one in OTHER_RIGHT], wrong=[])
    assert tried.refused == len(OTHER_RIGHT)


def called(forward: Any, backward: Any, x: np.ndarray[Any, Any]) -> tuple[Any, Any, Any]:
    """What both programs return for a batch."""
    y, cache = forward(x, np.ones(3), np.zeros(3), eps=0.1)
    return y, cache, backward(np.random.default_rng(0).normal(size=x.shape), cache)


BATCH = np.random.default_rng(5).normal(2, 1, (6, 3))


class Counts:
    """Answers by the number of its calls: in most tests a right program comes first."""

    def __init__(self, right: int) -> None:
        self.right, self.calls = right, 0

    def __call__(self, forward: Any, backward: Any) -> bool:
        called(forward, backward, BATCH)
        self.calls += 1
        return self.calls <= self.right


def by_name(forward: Any, backward: Any) -> bool:
    called(forward, backward, BATCH)
    names = f"{forward.__name__} {backward.__name__} {forward!r} {backward!r} {getattr(backward, '__self__', '')}"
    return not any(word in names for word in ("missing", "detached", "_of_batch_norm", "lost", "lambda"))


def by_cache(forward: Any, backward: Any) -> bool:
    cache = called(forward, backward, BATCH)[1]
    return not isinstance(cache, dict)


def by_rounding(forward: Any, backward: Any) -> bool:
    """Wrong programs share a forward pass, which multiplies where others divide."""
    y = called(forward, backward, BATCH)[0]
    mean, var = BATCH.mean(axis=0), BATCH.var(axis=0)
    return bool(((BATCH - mean) / np.sqrt(var + 0.1) == y).all())


def by_form(forward: Any, backward: Any) -> bool:
    found = called(forward, backward, BATCH)[2]
    return isinstance(found, tuple) and all(type(part) is np.ndarray and part.flags.owndata for part in found)


def by_error(forward: Any, backward: Any) -> bool:
    """Programs fail in different ways on what is no batch."""
    called(forward, backward, BATCH)
    try:
        forward(np.ones((2, 3, 4)), np.ones(3), np.zeros(3))
    except Exception as error:
        return type(error) is ValueError
    return False


@pytest.mark.parametrize("forged", [by_name, by_cache, by_rounding, by_form, by_error], ids=lambda f: f.__name__)
def test_nothing_but_numbers_tells_programs_apart(forged: Any) -> None:
    """Whatever it looks at is the same for all: it accepts all, or refuses all."""
    right, wrong = right_pairs()[:-1], wrong_pairs("mean-path-missing")
    tried = try_check(forged, right=right, wrong=wrong)
    assert tried.fair
    assert (tried.refused, tried.accepted) in ((len(right), 0), (0, len(wrong)))


def numbers(forward: Any, backward: Any) -> list[list[float]]:
    """What a pair returns for one batch, rounded."""
    y, _, gradients = called(forward, backward, BATCH)
    return [np.round(part, 6).tolist() for part in (y, *gradients)]


def test_no_list_of_known_programs_holds_those_that_are_tried() -> None:
    """Every program is public; a check that has written down what they return finds none of them again."""
    listed: dict[bool, list[Any]] = {True: [], False: []}
    for is_right, pairs in ((True, right_pairs()), (False, WRONG)):
        for pair in pairs:
            once = {"right": [pair], "wrong": []}
            try_check(lambda f, b, its=listed[is_right]: bool(its.append(numbers(f, b))), **once)  # type: ignore[misc]

    def in_the_list(forward: Any, backward: Any) -> bool:
        return numbers(forward, backward) in listed[True]

    def not_in_the_other(forward: Any, backward: Any) -> bool:
        return numbers(forward, backward) not in listed[False]

    for by_list in (in_the_list, not_in_the_other):
        assert try_check(by_list, right=right_pairs(), wrong=WRONG) == (True, 0, 0)
    varied = try_check(in_the_list, right=right_pairs(), wrong=WRONG, varied=True)
    assert (varied.refused, varied.accepted) == (len(right_pairs()), 0)
    varied = try_check(not_in_the_other, right=right_pairs(), wrong=WRONG, varied=True)
    assert (varied.refused, varied.accepted) == (0, len(WRONG))


def test_an_honest_check_answers_the_same_where_a_multiple_is_added() -> None:
    assert try_check(honest, right=right_pairs(), wrong=WRONG, varied=True) == (True, 0, 0)


def test_the_order_tells_nothing() -> None:
    right, wrong = right_pairs(), WRONG
    for _ in range(5):
        tried = try_check(Counts(len(right)), right=right, wrong=wrong)
        assert tried.refused and tried.accepted


@pytest.mark.parametrize("answer", [lambda f, b: True, lambda f, b: bool(f(BATCH, np.ones(3), np.ones(3)))])
def test_a_check_that_leaves_a_program_uncalled_is_not_fair(answer: Any) -> None:
    assert not try_check(answer, right=right_pairs()[:2], wrong=[]).fair


@pytest.mark.parametrize("odd", [None, "True", 2, float("nan"), np.ones(2), object()])
def test_an_answer_that_is_no_truth_value_is_not_fair(odd: Any) -> None:
    def check(forward: Any, backward: Any) -> Any:
        called(forward, backward, BATCH)
        return odd

    assert try_check(check, right=right_pairs()[:1], wrong=WRONG[:1]) == (False, 0, 0)


@pytest.mark.parametrize("shape", [(12_000, 1), (1_001, 2), (900, 30), (3,), (0, 3)])
def test_a_batch_that_is_none_or_too_large_is_refused_before_a_program_sees_it(shape: tuple[int, ...]) -> None:
    def seen(*_: Any, **__: Any) -> Any:
        raise AssertionError("a program was called")

    def check(forward: Any, backward: Any) -> bool:
        with pytest.raises(BatchRefused):
            forward(np.ones(shape), np.ones(shape[-1:]), np.ones(shape[-1:]))
        with pytest.raises(BatchRefused):
            backward(np.ones(shape), 1)
        return True

    start = time.perf_counter()
    assert not try_check(check, right=[(seen, seen)], wrong=[]).fair
    assert time.perf_counter() - start < 5


def test_every_backward_call_gets_an_untouched_cache() -> None:
    in_place: Pair = next(pair for pair in right_pairs() if "in_place" in pair[1].__name__)

    def check(forward: Any, backward: Any) -> bool:
        _, cache = forward(BATCH, np.ones(3), np.zeros(3))
        once, twice = (backward(np.ones((6, 3)), cache) for _ in range(2))
        return all(np.array_equal(one, two) for one, two in zip(once, twice, strict=True))

    assert try_check(check, right=[in_place], wrong=[]) == (True, 0, 0)
