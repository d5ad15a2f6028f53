"""Running statistics in a form of the file's own: what inference makes of them after one batch, two and three.

Nothing is read out of the state. In inference y is a straight line of x for each feature, and its slope and its height
say by which mean and variance it normalizes.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array
from bncourse.diagnosis.conventions.bundles import follow
from bncourse.diagnosis.conventions.errors import quiet
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.unbundled import Unbundled
from bncourse.diagnosis.report import Finding, finding

EPS, STEPS, CLOSE = 1e-3, 3, 1e-6


class Moments(NamedTuple):
    """By which mean and variance inference normalizes."""

    mean: Array
    var: Array


def of_own_form(forward: Forward, inference: Forward | None) -> tuple[Finding, ...]:
    """Name what is wrong with an average that a state of the file's own keeps, if three steps show it.

    Parameters
    ----------
    forward : Forward
        A function that is given its state, and returns the next one or moves it in place.
    inference : Forward, optional
        Where inference is a function of its own.
    """
    with np.errstate(all="ignore"):
        return _looked_at(forward, inference or forward)


def _looked_at(forward: Forward, inference: Forward) -> tuple[Finding, ...]:
    try:
        batches = [np.random.default_rng(step).normal(step + 1, 1 + step, (8, 3)) for step in range(STEPS)]
        seen = list(_moments(forward, inference, batches))
    except Exception:  # what cannot be called so is not judged by it
        return ()
    means = _weights([one.mean for one in seen], [x.mean(axis=0) for x in batches])
    variances = [_weights([one.var for one in seen], [x.var(axis=0, ddof=ddof) for x in batches]) for ddof in (0, 1)]
    known = [one for one in variances if one is not None]
    if means is not None and known:
        if any(np.abs(one - means).max() < CLOSE for one in known):
            return _of_count(means)
        return _of_one_correction(means, known[0])
    return _of_stored_correction([one.mean for one in seen], [x.mean(axis=0) for x in batches])


def _weights(averages: list[Array], news: list[Array]) -> Array | None:
    """How much of each new value an average takes, from the second on; None where it is no average of them."""
    found = []
    for before, after, new in zip(averages, averages[1:], news[1:], strict=False):
        weight = (after - before) / (new - before)
        if not np.isfinite(weight).all() or np.ptp(weight) > CLOSE:
            return None
        found.append(float(weight.mean()))
    return np.array(found)


def _of_count(weights: Array) -> tuple[Finding, ...]:
    """An average of all batches in which the start counts as one of them."""
    ahead = [1 / (step + 2) for step in range(1, STEPS)]
    if np.abs(weights - ahead).max() < CLOSE:
        return (finding("running-count-ahead"),)
    return ()


def _of_one_correction(means: Array, variances: Array) -> tuple[Finding, ...]:
    """A start at zero that is corrected for one statistic, and not for the other."""
    for corrected, plain in ((means, variances), (variances, means)):
        decay = 1 - plain[0]
        debiased = [(1 - decay) / (1 - decay ** (step + 1)) for step in range(1, STEPS)]
        if np.ptp(plain) < CLOSE and np.abs(corrected - debiased).max() < CLOSE:
            return (finding("running-start-corrected-once"),)
    return ()


def _of_stored_correction(averages: list[Array], news: list[Array]) -> tuple[Finding, ...]:
    """A corrected average from which the next one begins."""
    rest = averages[1] - news[1]
    for decay in np.linspace(0.5, 0.999, 500):
        held, fits = news[0], np.abs(averages[0] - news[0]).max() < CLOSE
        for step in range(1, STEPS):
            held = (decay * held + (1 - decay) * news[step]) / (1 - decay ** (step + 1))
            fits = fits and np.abs(held - averages[step]).max() < 1e-3 * np.abs(rest).max()
        if fits:
            return (finding("running-correction-stored"),)
    return ()


def _moments(forward: Forward, inference: Forward, batches: list[Array]) -> Iterator[Moments]:
    """Train on one batch after another, and ask what inference normalizes by."""
    function = forward.of_bundles
    if function is None:
        return
    name, state = _start(function, forward.program)
    for x in batches:
        given = copy.deepcopy(state)
        found = _call(forward, function, {name: given}, x, train=True)
        parts = found if isinstance(found, tuple) else (found,)
        state = next((one for one in parts if _alike(one, state)), given)
        asked = inference.of_bundles or function
        zero, one = (
            _y(_call(inference, asked, {name: copy.deepcopy(state)}, np.full((4, 3), value), train=False))[0]
            for value in (0.0, 1.0)
        )
        slope = one - zero
        yield Moments(-zero / slope, 1 / slope**2 - EPS)


def _y(found: Any) -> Array:
    return np.asarray(found[0] if isinstance(found, tuple) else found)


def _call(forward: Forward, function: Unbundled, state: dict[str, Any], x: Array, *, train: bool) -> Any:
    """Call the student's function with a state, gamma at one and beta at zero."""
    ones = {"gamma": np.ones(3), "beta": np.zeros(3)}
    given = {**ones, "x": x, "train": train, "eval": not train, "eps": EPS}
    made = {
        name: eval(text, {**forward.program.namespace, **ones})
        for name, text in function.made.items()
        if name not in state
    }
    ours = {**made, **{name: one for name, one in state.items() if any(name == each.name for each in function.own)}}
    for one in function.own:
        role = forward.signature.roles.get(one.name)
        if one.name not in ours and role in given:
            ours[one.name] = given[role]
    with quiet():
        return function.function(**ours)


def _start(function: Unbundled, program: Program) -> tuple[str, Any]:
    """The parameter that holds the state, and what the file's own function or class makes it begin with."""
    if function.starts:
        name, text = next(iter(function.starts.items()))
        return name, eval(text, {**program.namespace, "gamma": np.ones(3)})
    name, ways = next((name, set(held)) for name, held in function.held.items() if "count" in held.values())
    for made in _makers(program):
        try:
            found = made(3)
        except Exception:  # noqa: S112  (it makes something else)
            continue
        for one in found if type(found) is tuple else (found,):
            held = [follow(one, way) for way in ways]
            if all(value is not None and not callable(value) for value in held):
                return name, one
    raise LookupError("nothing in the file makes its state")


def _makers(program: Program) -> Iterator[Callable[[int], Any]]:
    for name, tree in program.trees.items():
        function = isinstance(tree, ast.FunctionDef) and len(tree.args.args) == 1
        if (function or isinstance(tree, ast.ClassDef)) and callable(program.namespace.get(name)):
            yield program.namespace[name]


def _alike(one: Any, state: Any) -> bool:
    """Whether it is a state, too."""
    same = type(one) is type(state) and not isinstance(one, np.ndarray)
    return same and (not isinstance(one, dict) or one.keys() == state.keys())
