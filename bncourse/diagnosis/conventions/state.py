"""What a stateful function does with its running statistics besides moving them: in training, and in inference."""

from dataclasses import replace
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.outcomes import Values
from bncourse.diagnosis.probes import Probe
from bncourse.diagnosis.report import Finding, finding


def of_training(forward: Forward | Layer, probe: Probe, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Name a y in training that the running statistics move, in the place of what was said of it with one pair of them.

    Parameters
    ----------
    forward : Forward or Layer
        A function that keeps running statistics.
    probe : Probe
        What it is tried on.
    found : tuple of Finding
        What is known of it already.
    """
    wrong = [one for one in found if one.part in ("forward", "conv")]
    mean, var = probe.running_mean, probe.running_var
    ys = [_y(forward, probe, *one) for one in ((mean, var), (mean + 3, var), (mean, 4 * var))]
    if any(y is None for y in ys) or all(np.array_equal(ys[0], y, equal_nan=True) for y in ys):
        return found
    named = finding("running-in-training", wrong[0].part if wrong else "forward")
    rest = (each for each in found if each not in wrong and each.belief != "running-statistics-mixed")
    return (named, *rest)  # what is normalized by the running mean moves the variance about it, too


def _y(forward: Forward | Layer, probe: Probe, mean: Any, var: Any) -> Any:
    y = forward.run(Values(probe.x, probe.gamma, probe.beta, probe.eps, True, mean.copy(), var.copy(), 0.5)).y
    return y if isinstance(y, np.ndarray) else None


REPLACED = (
    "With the momentum that stands in your code each batch replaces {:.0f} % of the running statistics: "
    "its value and its formula are of two conventions."
)
"""What is said where a caller can give another value."""


def of_its_own_momentum(forward: Forward | Layer, probe: Probe) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Name a momentum that stands in the file beside a formula for the other convention: one batch replaces the rest.

    Parameters
    ----------
    forward, probe
        As in `of_training`.

    Returns
    -------
    findings, notes : tuple
        A mistake where the file alone says which momentum it is, and a note where that is a default.
    """
    try:
        weights = _of_a_layer(forward, probe) if isinstance(forward, Layer) else _of_a_function(forward, probe)
        is_default = forward.takes("momentum", Values(probe.x, probe.gamma, probe.beta, probe.eps))
    except Exception:  # what cannot be called so is not judged by it
        return (), ()
    weight = float(np.mean(weights))
    if not np.isfinite(weights).all() or np.ptp(weights) > 1e-6 or not 1e-6 < weight < 0.5 - 1e-6:
        return (), ()
    if is_default:
        return (), (REPLACED.format(100 * (1 - weight)),)
    return (finding("momentum-of-another-formula"),), ()


def _of_a_function(forward: Forward, probe: Probe) -> Any:
    """How much of old statistics is left after a batch, with the function's own momentum; NaN where it has none."""
    if not forward.has_own_momentum:
        return np.array([np.nan])
    mean, var = probe.running_mean, probe.running_var
    values = Values(probe.x, probe.gamma, probe.beta, probe.eps, True, mean, var)
    before, after = (
        forward.run(replace(values, running_mean=mean + more, running_var=var + more)).statistics for more in (0.0, 1.0)
    )
    return np.concatenate([after[name] - before[name] for name in ("running_mean", "running_var")])


def _of_a_layer(layer: Layer, probe: Probe) -> Any:
    """The same for one that counts its batches, perhaps: what is left after its second and after its third batch."""
    values = Values(probe.x, probe.gamma, probe.beta, probe.eps)
    batches = [probe.x, probe.x + 3, probe.x - 5]
    moved, used = [], None
    for x in batches:
        outcome = layer.run(replace(values, x=x), used)
        used = outcome.layer
        moved.append(outcome.statistics["running_mean"].copy())
    means = [probe.rows(x).mean(axis=0) for x in batches]
    return np.concatenate([(moved[at] - means[at]) / (moved[at - 1] - means[at]) for at in (1, 2)])


def of_inference(forward: Forward | Layer, probe: Probe, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Name an inference that moves the running statistics, in the place of an unknown mistake.

    Parameters
    ----------
    forward, probe, found
        As in `of_training`.
    """
    statistics = probe.running_mean, probe.running_var
    mean, var = (one.copy() for one in statistics)
    values = Values(probe.x, probe.gamma, probe.beta, probe.eps, False, mean, var, 0.5)
    moved = forward.run(values).statistics
    for name, before in zip(("running_mean", "running_var"), statistics, strict=True):
        after = moved.get(name)
        if isinstance(after, np.ndarray) and after.shape == before.shape and np.abs(after - before).max() > 1e-3:
            kept = tuple(one for one in found if not (one.part == "inference" and one.belief is None))
            return (*kept, finding("inference-moves-statistics", "inference"))
    if isinstance(forward, Layer) and any(one.part == "inference" and one.belief is None for one in found):
        ys = [_still_after(forward, values, x) for x in (probe.x, 2 * probe.x + 1)]
        if _differ(*ys):
            kept = tuple(one for one in found if one.part != "inference")
            return (*kept, finding("batch-before-kept", "inference"))
    return found


def _still_after(layer: Layer, values: Values, x: Any) -> Any:
    """Y in inference of a layer that was trained with x, its running statistics set to the same values again."""
    try:
        used = layer.run(replace(values, x=x, train=True)).layer
        return layer.run(values, layer.filled(used, values)).y
    except Exception:  # what cannot be called twice is not judged by it
        return None


def of_the_next_batch(layer: Layer, probe: Probe, *, has_backward: bool) -> tuple[Finding, ...]:
    """Name what a layer keeps of the batch before: y, or dx, of one that has seen another batch is another one.

    Parameters
    ----------
    layer : Layer
        The class.
    probe : Probe
        What it is tried on.
    has_backward : bool
        Whether it has a backward pass of its own.
    """
    values = Values(probe.x, probe.gamma, probe.beta, probe.eps, True, groups=2)
    before = replace(values, x=2 * probe.x[:-1] + 1)
    try:
        first = layer.run(before)
        used = first.layer
        if has_backward:
            layer.backward(probe.dy[:-1], first)
        next_one, fresh = layer.run(values, used), layer.run(values)
        if _differ(next_one.y, fresh.y):
            return (finding("batch-before-kept", "forward"),)
        if has_backward and _differ(layer.backward(probe.dy, next_one)[0], layer.backward(probe.dy, fresh)[0]):
            return (finding("batch-before-kept", "dx"),)
    except Exception:  # what cannot be called twice is not judged by it
        return ()
    return ()


def _differ(one: Any, other: Any) -> bool:
    return isinstance(one, np.ndarray) and one.shape == other.shape and np.abs(one - other).max() > 1e-6


EXCHANGED = {"running-in-training", "inference-batch-statistics", "inference-moves-statistics"}
"""What one wrong condition shows in training, in inference, and afterward."""


def once(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Say once that training and inference have changed places, where all that follows from it is seen."""
    said = {one.belief for one in found}
    if not said >= EXCHANGED:
        return found
    rest = tuple(one for one in found if one.belief not in (*EXCHANGED, "running-not-updated"))
    return (finding("modes-exchanged", "forward"), *rest)
