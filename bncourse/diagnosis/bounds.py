r"""How far right code may be from the exact values: the rounding of its floating-point type, and no more.

Let u be the unit roundoff, m the count of values per channel and
:math:`\kappa = 1 + \max |x| / \sqrt{\sigma^2 + \epsilon}` the condition of the normalization. Any order of summation
gives a mean within m u max|x|, so a normalized value within about :math:`m u \kappa`; a variance taken as a difference
of two means of squares loses :math:`\kappa^2`. The bound here, :math:`8 (m + 8) u \kappa^2` relative to the size of the
terms that are added, covers both. Tests compare it with high-precision arithmetic.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FLOOR = 1e-9
"""Nothing finer is asked for in float64; finite differences reach 1e-7."""


def condition(x: Array, eps: float, axes: tuple[int, ...] = (0,)) -> float:
    """How much the normalization of x amplifies rounding: 1 + max |x| / sqrt(var + eps), over all channels."""
    wide = x.astype(np.float64)
    return float(1 + (np.abs(wide).max(axis=axes) / np.sqrt(wide.var(axis=axes) + eps)).max())


def tolerance(count: int, kappa: float, dtype: Any = np.float64) -> float:
    """Bound on the error of right code, relative to the size of the terms that are added.

    Parameters
    ----------
    count : int
        Values per channel.
    kappa : float
        From `condition`.
    dtype : dtype
        In which the student's result came back.

    Examples
    --------
    >>> tolerance(6, 4.0), f"{tolerance(6, 4.0, np.float32):.1e}"
    (1e-09, '1.1e-04')
    """
    roundoff = float(np.finfo(dtype).eps) / 2
    return max(FLOOR, 8 * (count + 8) * roundoff * kappa * kappa)


def distance(found: Array, expected: Array, size: Array) -> float:
    """Largest difference relative to `size`, which broadcasts against both; infinite where they cannot be compared."""
    if found.shape != expected.shape:
        return float("inf")
    with np.errstate(all="ignore"):
        worst = float(np.max(np.abs(found - expected) / size, initial=0.0))
    return worst if np.isfinite(worst) else float("inf")
