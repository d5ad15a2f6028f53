"""Measure when a center may be held fixed inside a spread: pairs of center and spread in, relative errors out.

Batch norm takes the mean as its center and the mean square of the deviations as its spread. The mean makes that spread
smallest, so the spread's derivative through the mean is zero. Here other centers meet other spreads. `l1_norm` measures
L1 batch norm, the published layer in which the two do not belong together (Wu et al. 2018; Hoffer et al. 2018).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Center = Callable[[Array], float]
Spread = Callable[[Array], float]

CENTERS: dict[str, Center] = {
    "mean": lambda x: float(x.mean()),
    "median": lambda x: float(np.median(x)),
    "mid-range": lambda x: float(x.min() + x.max()) / 2.0,
}
SPREADS: dict[str, Spread] = {
    "mean square": lambda deviation: float((deviation**2).mean()),
    "mean absolute value": lambda deviation: float(np.abs(deviation).mean()),
    "largest absolute value": lambda deviation: float(np.abs(deviation).max()),
}


def spread_gradient(x: Array, center: Center, spread: Spread, *, held: bool, step: float = 1e-6) -> Array:
    """Differentiate a spread about a center with respect to each value, by central differences.

    Parameters
    ----------
    x : array of shape (m,)
    center, spread : functions
        The spread is that of x minus its center.
    held : bool
        Hold the center where it is while x moves (the partial derivative), or let it follow (the total derivative).
    step : float
        By which each value is moved, in the units of x.

    Returns
    -------
    array of shape (m,)

    Examples
    --------
    The mean square about the mean: 2 (x - mean) / m, whether or not the mean is held.

    >>> x = np.array([1.0, 2.0, 6.0])
    >>> for held in (True, False):
    ...     print(spread_gradient(x, CENTERS["mean"], SPREADS["mean square"], held=held).round(6))
    [-1.333333 -0.666667  2.      ]
    [-1.333333 -0.666667  2.      ]
    """
    frozen = center(x)

    def at(moved: Array) -> float:
        return spread(moved - (frozen if held else center(moved)))

    return np.array([(at(x + move) - at(x - move)) / (2.0 * step) for move in step * np.eye(x.size)])


def error_of_holding(x: Array, center: Center, spread: Spread) -> float:
    """Return by how much the gradient of the spread changes when the center is held, relative to its length."""
    total = spread_gradient(x, center, spread, held=False)
    partial = spread_gradient(x, center, spread, held=True)
    return float(np.linalg.norm(partial - total) / np.linalg.norm(total))
