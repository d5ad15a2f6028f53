"""What a stateful function does with its running statistics besides moving them: in training, and in inference."""

from dataclasses import replace
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.functions import Forward, Values
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
    return found


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
