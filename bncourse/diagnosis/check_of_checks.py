"""Try a student's check on pairs of programs: it should accept the right ones and refuse the wrong ones.

A check could tell programs apart by other things than their gradients: by a name, by what is in a cache, by the order
in which they come, by an odd form of what they return, by their numbers in a list of all programs. So every program is
disguised: its cache stays here and a number goes in its place, what it returns comes as plain float64 arrays, the pairs
come in random order, and where that is asked for, a multiple of x is added to each y that nobody knows before.
"""

import copy
import secrets
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.call import GRADIENTS
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]
Pair = tuple[Callable[..., Any], Callable[..., Any]]
"""A forward and a backward pass."""

MAX_SAMPLES, MAX_VALUES = 1_000, 20_000
"""The largest batch that a check may ask for: some of the right programs hold a matrix of samples by samples."""


class BatchRefused(ValueError):
    """A check asked a program for something that is no batch of the stated form; the text says what is expected."""

    public = True
    """The text tells nothing of a test."""


class Tried(NamedTuple):
    """What a check made of the pairs."""

    fair: bool
    """Whether it called both programs of every pair, and always answered True or False."""
    refused: int
    """How many right pairs it refused."""
    accepted: int
    """How many wrong pairs it accepted."""


def try_check(
    check: Callable[..., Any], *, right: Sequence[Pair], wrong: Sequence[Pair], varied: bool = False
) -> Tried:
    """Try a check on right and wrong pairs, in random order.

    Parameters
    ----------
    check : callable
        `check(forward, backward)`, which answers True or False; what it raises is passed on.
    right, wrong : sequences of pairs
        `forward(x, gamma, beta, eps=eps) -> (y, cache)` and `backward(dy, cache) -> (dx, dgamma, dbeta)`.
    varied : bool
        Add a random multiple of x to y, and of dy to dx: right pairs stay right and wrong ones wrong, and none is one
        whose gradients could have been written down before.
    """
    pairs = [*((pair, True) for pair in right), *((pair, False) for pair in wrong)]
    chance = secrets.SystemRandom()  # not to be foretold from any seed; an honest check answers the same
    chance.shuffle(pairs)
    fair, refused, accepted = True, 0, 0
    for pair, is_right in pairs:
        program = _Disguised(*pair, chance.uniform(0.5, 1.5) if varied else 0.0)
        answer = _truth(check(program.forward, program.backward))
        fair = fair and answer is not None and program.forward_calls > 0 and program.backward_calls > 0
        refused += is_right and answer is False
        accepted += not is_right and answer is True
    return Tried(fair, refused, accepted)


def _truth(answer: Any) -> bool | None:
    """The answer as a bool; None where it is neither true nor false."""
    if isinstance(answer, np.ndarray) and answer.shape == ():
        answer = answer[()]
    if isinstance(answer, (bool, np.bool_, int, np.integer)) and answer in (0, 1):
        return bool(answer)
    return None


class _Disguised:
    """A pair whose programs show nothing but numbers; a multiple of x is added to y."""

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any], multiple: float = 0.0) -> None:
        self._forward, self._backward, self._multiple = forward, backward, multiple
        self._caches: list[tuple[Any, tuple[int, ...]]] = []
        self.forward_calls = self.backward_calls = 0

    def forward(self, x: Any, gamma: Any, beta: Any, eps: Any = 1e-5) -> tuple[Array, int]:
        """Normalize a batch; the cache is a number, for `backward` alone."""
        batch, scale, shift = (_floats(value) for value in (x, gamma, beta))
        if batch.ndim != 2 or not len(batch) or scale.shape != batch.shape[1:] or shift.shape != batch.shape[1:]:
            raise BatchRefused("A program takes x of shape (N, C), and gamma and beta of shape (C,).")
        if len(batch) > MAX_SAMPLES or batch.size > MAX_VALUES:
            raise BatchRefused(f"A program takes at most {MAX_SAMPLES} samples and {MAX_VALUES} values.")
        y, cache = self._forward(batch.copy(), scale.copy(), shift.copy(), eps=float(eps))
        self._caches.append((cache, batch.shape))
        self.forward_calls += 1
        shown = _same_rounding(_plain(y), batch, scale, shift, float(eps))
        return self._varied(shown, batch), len(self._caches)

    def backward(self, dy: Any, cache: Any) -> tuple[Array, ...]:
        """Take the gradients; every call gets a cache that no other has touched."""
        if not isinstance(cache, (int, np.integer)) or not 0 < cache <= len(self._caches):
            raise BatchRefused("A program's backward pass takes the cache that its own forward pass returned.")
        kept, shape = self._caches[int(cache) - 1]
        upstream = _floats(dy)
        if upstream.shape != shape:
            raise BatchRefused("dy has the shape of y.")
        found = self._backward(upstream, copy.deepcopy(kept))
        self.backward_calls += 1
        parts = [found[name] for name in GRADIENTS] if isinstance(found, dict) else list(found)
        dx, *others = (_plain(part, shape[1] if position else 0) for position, part in enumerate(parts))
        return self._varied(dx, upstream), *others

    def _varied(self, value: Array, along: Array) -> Array:
        """Add the multiple, where the shapes are those of a batch."""
        return value + self._multiple * along if self._multiple and value.shape == along.shape else value


def _floats(value: Any) -> Array:
    """A copy of real numbers in float64."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise BatchRefused("A program takes arrays of real numbers.")
    return np.array(array, dtype=np.float64)


def _plain(value: Any, channels: int = 0) -> Array:
    """What a program returned, in one form for all: its own float64 array, (C,) where it was (1, C)."""
    array = np.array(value, dtype=np.float64, order="C")
    return array[0].copy() if channels and array.shape == (1, channels) else array


def _same_rounding(y: Array, batch: Array, scale: Array, shift: Array, eps: float) -> Array:
    """The reference's y in the place of one that differs by rounding alone, which would tell programs apart."""
    expected = reference.batch_norm_forward(batch, scale, shift, eps=eps)[0]
    near = y.shape == expected.shape and bool((np.abs(y - expected) <= 1e-12 * (1 + np.abs(expected))).all())
    return np.asarray(expected) if near else y
