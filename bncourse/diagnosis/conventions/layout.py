"""How a student's function lies: channels first or last, samples in rows or columns; and which eps is its own."""

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array, Orientation
from bncourse.diagnosis.conventions.bundles import layers_of
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.errors import CannotCallError
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.imports import NotHereError
from bncourse.diagnosis.conventions.known import Convention
from bncourse.diagnosis.conventions.outcomes import Values
from bncourse.diagnosis.conventions.reach import reached
from bncourse.diagnosis.conventions.syntax import constants_of, names_in
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.rules import PLACES, Rules
from bncourse.diagnosis.transform_search import explain
from bncourse.diagnosis.transforms import kind_of

Called = TypeVar("Called", bound=Forward | Layer)
IN_COLUMNS = ("class", "functions", "deeplearning-ai", "jax", "cmu", "keras")
"""Conventions whose samples may lie in columns; in a form like Keras's only if the file makes columns."""
USUAL_EPS = 1e-5
LARGEST_EPS = 1e-2
NO_EPS = 0.1
"""With which a function is compared that adds no eps at all, so that it shows."""
TINY = 1e-14
"""With which one is compared that adds a constant too small to be measured."""


def _orientations(rules: Rules, convention: Convention) -> list[Orientation]:
    """How x and gamma may lie, what the course says first."""
    first = ["last", "first"] if convention.channels == "last" else ["first", "last"]
    if not rules.spatial:
        columns = convention.name in IN_COLUMNS and rules.kind == "batch"
        first = ["first", "rows"] if columns else ["first"]
    return [Orientation(channels, vector) for channels in first for vector in ("flat", "wide")]


def turned(forward: Called, orientation: Orientation) -> Called:
    """The same function or class, called in another layout."""
    other = copy.copy(forward)  # what is read from its text stays
    other.orientation = orientation
    return other


def _runs(
    forward: Forward | Layer, rules: Rules, convention: Convention, probe: Probe
) -> Iterator[tuple[Any, Forward | Layer]]:
    """What it gives in each layout in which it runs."""
    values = Values(probe.x, probe.gamma, probe.beta, probe.eps, groups=2)
    for orientation in _orientations(rules, convention):
        if _in_columns(forward) and not rules.spatial and orientation != Orientation("rows", "wide"):
            continue
        if orientation.channels == "rows" and convention.name == "keras" and not _makes_columns(forward):
            continue
        other = turned(forward, orientation)
        try:
            y = other.run(values).y
        except (NotHereError, CannotCallError):
            raise
        except Exception:  # noqa: S112  (what a student's code raises in a layout that is not its own)
            continue
        if y is None or (isinstance(y, np.ndarray) and y.shape == probe.x.shape):
            yield y, other


def _in_columns(forward: Forward | Layer) -> bool:
    """Whether it takes a dict of parameters that the file makes in the shape (n, 1), so that samples lie in columns."""
    return isinstance(forward, Forward) and bool(layers_of(forward.tree)) and _makes_columns(forward)


def _makes_columns(forward: Forward | Layer) -> bool:
    """Whether the file makes arrays of the shape (n, 1)."""
    calls = (node for tree in forward.program.trees.values() for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(
        getattr(call.func, "attr", "") in ("ones", "zeros")
        and any(isinstance(one, ast.Tuple) and ast.unparse(one.elts[-1]) == "1" for one in call.args)
        for call in calls
    )


def runs_on(forward: Forward | Layer, rules: Rules, convention: Convention, probe: Probe) -> bool:
    """Whether it returns an array of the shape of x in any layout."""
    try:
        return any(y is not None for y, _ in _runs(forward, rules, convention, probe))
    except (NotHereError, CannotCallError):
        return False


def oriented(forward: Forward | Layer, rules: Rules, convention: Convention, probe: Probe) -> Forward | Layer:
    """Choose the layout in which it is right, or else that in which the fewest beliefs explain it.

    Raises
    ------
    NotHereError, CannotCallError
        If it needs what is not here.
    """
    right = rules.layout.forward(*probe.wide, probe.eps)
    runs: list[tuple[Any, Forward | Layer]] = []
    for y, other in _runs(forward, rules, convention, probe):
        if y is not None and np.abs(y - right).max() < 1e-2:
            return other
        runs.append((y, other))
    if len(runs) > 1:
        return min(runs, key=lambda run: _mistakes(run[0], probe))[1]  # the first of several that are alike
    return runs[0][1] if runs else turned(forward, _orientations(rules, convention)[0])


def _mistakes(y: Any, probe: Probe) -> float:
    """How many beliefs explain y; one about the layout itself counts for more."""
    found = explain(y, probe, kind_of(probe), 1e-6) if y is not None else None
    if found is None:
        return 3.0
    return len(found.beliefs) + 0.5 * ("conv-channels-last" in found.beliefs)


def gamma_on_columns(forward: Forward | Layer, rules: Rules, convention: Convention) -> bool:
    """Whether it runs on feature maps only with as many columns as channels, because gamma meets the columns."""
    usual = make_probe(0, spatial=PLACES, layout=rules.layout)
    square = make_probe(0, spatial=(2, usual.x.shape[1]), layout=rules.layout)
    maps = rules._replace(spatial=PLACES)
    if any(runs_on(forward, one, convention, usual if one.spatial else make_probe(0)) for one in (rules, maps)):
        return False
    ys = []
    for more in (1.0, 2.0):
        gamma = square.gamma.copy()
        gamma[0] *= more
        try:
            ys.append(forward.run(Values(square.x, gamma, square.beta, square.eps)).y)
        except Exception:
            return False
    if not all(isinstance(y, np.ndarray) and y.shape == square.x.shape for y in ys):
        return False
    moved = np.abs(ys[1] - ys[0]).max(axis=(0, 1, 2))
    return bool(moved[0] > 0 and not moved[1:].any())


def written_eps(forward: Forward | Layer) -> float | None:
    """The one small number that stands in the code: where the result is wrong it says more than a measurement."""
    trees = reached(forward.tree, forward.program)
    found = {one for tree in trees for one in constants_of(tree)}
    found |= {one for name in names_in(*trees) if isinstance(one := forward.program.namespace.get(name), float)}
    small = [one for one in found if isinstance(one, float) and 0 < one <= LARGEST_EPS]
    return small[0] if len(small) == 1 else None


def constant_of(run: Callable[..., Any], probe: Probe, *, inference: bool = False) -> float | None:
    """Measure the constant that a function adds in the place of eps, on values that hardly vary.

    Parameters
    ----------
    run : callable
        Of x, gamma and beta, and in inference of the running mean and variance.
    probe : Probe
        What it is tried on.
    inference : bool
        Whether it is given running statistics.

    Returns
    -------
    float or None
        `NO_EPS` where it adds none; None where it normalizes in another way.
    """
    matrix = probe.rows(probe.x)
    mean = matrix.mean(axis=0)
    more: list[Array]
    if inference:
        small, var = matrix, probe.running_var * 1e-6
        about, more = probe.running_mean, [probe.running_mean.copy(), var.copy()]
    else:
        small = mean * (1 if probe.layout.centered else 1e-3) + (matrix - mean) * 1e-3
        about, more = small.mean(axis=0) if probe.layout.centered else 0 * mean, []
        var = ((small - about) ** 2).mean(axis=0)
    x = probe.layout.back(small, probe.x.shape)
    y = run(x, probe.gamma, probe.beta, *more)
    if not isinstance(y, np.ndarray) or y.shape != x.shape:
        return None
    gamma, beta = (probe.layout.across(one, x.ndim) for one in (probe.gamma, probe.beta))
    centered = small - about
    with np.errstate(all="ignore"):
        slope = (probe.rows((y - beta) / gamma) * centered).sum(axis=0) / (centered**2).sum(axis=0)
        constants = 1 / slope**2 - var
    found = float(np.median(constants))
    if np.isfinite(constants).all() and np.ptp(constants) <= 1e-4 * abs(found) and 1e-18 < found < 0.5:
        return found
    if not (np.abs(constants) <= 1e-7 * var).all():
        return None
    flat = run(0 * x, probe.gamma, probe.beta, *(0 * one for one in more))
    return NO_EPS if not isinstance(flat, np.ndarray) or not np.isfinite(flat).all() else TINY
