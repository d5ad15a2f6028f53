"""An update of running statistics in; the same with one of its two results right out, so that one test judges one."""

from collections.abc import Callable
from typing import Any

import numpy as np

Function = Callable[..., Any]


def moved(old: Any, new: Any, weight: float) -> Any:
    """Return the old value moved towards the new one, which has this weight; both are arrays or tensors.

    >>> moved(4.0, 8.0, 0.25)
    5.0
    """
    return (1 - weight) * old + weight * new


def mean_alone(update: Function) -> Function:
    """Return the update with its own running mean beside a right running variance.

    Parameters
    ----------
    update : callable
        `update(running_mean, running_var, x, momentum=momentum) -> (running_mean, running_var)`, for x of shape (N, C).

    Examples
    --------
    >>> mean_alone(lambda *_, momentum: (0, 0))(np.zeros(1), np.ones(1), np.array([[1.0], [3.0]]), momentum=0.5)
    (0, array([1.5]))
    """

    def judged(running_mean: Any, running_var: Any, x: Any, *, momentum: float) -> Any:
        right_var = _right(running_mean, running_var, x, momentum)[1]
        return update(running_mean, running_var, x, momentum=momentum)[0], right_var

    return judged


def var_alone(update: Function) -> Function:
    """Return the update with its own running variance beside a right running mean.

    Weights of old and new that the mean shares are the right ones in it: they were charged with the mean.
    """

    def judged(running_mean: Any, running_var: Any, x: Any, *, momentum: float) -> Any:
        center, zeros = x.mean(axis=0), np.zeros_like(running_mean)
        mean, right = _right(running_mean, running_var, x, momentum)
        first, other = (update(start, running_var, x, momentum=momentum) for start in (zeros, zeros + 1))
        var, first, other = (np.asarray(part, dtype=float) for part in (first[1], first[0], other[0]))
        if var.shape == first.shape == other.shape == center.shape and np.abs(var - right).max() > 1e-9:
            old, new = other - first, first / center
            if np.ptp(old) < 1e-9 and np.ptp(new) < 1e-9 and abs(new[0]) > 1e-9:
                var = moved(running_var, (var - old * running_var) / new, momentum)
        return mean, var

    return judged


def _right(running_mean: Any, running_var: Any, x: Any, momentum: float) -> tuple[Any, Any]:
    """What a right update returns."""
    return moved(running_mean, x.mean(axis=0), momentum), moved(running_var, x.var(axis=0, ddof=1), momentum)
