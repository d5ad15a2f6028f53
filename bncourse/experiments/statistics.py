"""What may be said from a handful of seeds: a mean, and an interval that says how sure it is."""

import math
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class Interval(NamedTuple):
    """A mean over seeds and the interval that covers the true mean with the stated confidence."""

    mean: float
    low: float
    high: float
    seeds: int

    def __str__(self) -> str:
        """Mean and half width, as a table shows them."""
        return f"{self.mean:.4g} in all seeds" if self.empty else f"{self.mean:.4g} ± {self.half:.2g}"

    @property
    def half(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2

    @property
    def empty(self) -> bool:
        """Whether all seeds gave the same number, up to rounding: an interval of width 0 would promise too much."""
        return self.half <= 1e-9 * abs(self.mean)

    def said(self, digits: int, *, scale: float = 1.0, sign: str = "") -> str:
        """Say the mean and half of the width with that many digits, or that all seeds gave the same number.

        Where half of the width would be rounded to 0, both get as many digits as show it.

        Parameters
        ----------
        digits : int
            After the point.
        scale : float
            Factor on both numbers; 100 for percent.
        sign : {"", "+"}
            Whether a positive mean bears a plus.

        Examples
        --------
        >>> interval([0.8, 0.9]).said(1, scale=100), interval([0.9, 0.9]).said(1, scale=100)
        ('85.0 ± 63.5', '90.0 in all seeds')
        >>> interval([0.03, 0.0304]).said(2)
        '0.030 ± 0.003'
        """
        half = scale * self.half
        while 0.0 < half < math.inf and not self.empty and float(f"{half:.{digits}f}") == 0.0:
            digits += 1
        mean = f"{scale * self.mean:{sign}.{digits}f}".replace("-", "−")
        if float(f"{scale * self.mean:.{digits}f}") == 0.0:
            mean = mean.lstrip("+−")  # a zero bears no sign
        return f"{mean} in all seeds" if self.empty else f"{mean} ± {half:.{digits}f}"


def interval(values: Any, *, confidence: float = 0.95) -> Interval:
    r"""Student's interval for a mean.

    .. math:: \bar v \pm t_{n-1} \, s / \sqrt n

    It supposes that the seeds are independent and their values roughly normal. With two seeds it is honest
    and wide (t = 12.7), with five t is 2.78.

    Parameters
    ----------
    values : array of shape (seeds,)
        One number per seed. A run that diverged counts as NaN, and then so does the mean.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval
        With one seed only, low and high are infinite: one run says nothing about its spread.

    Raises
    ------
    ValueError
        If there are no values, or they are not a vector.

    Examples
    --------
    Mean 2, standard deviation 1, n = 3 and t = 4.3027: half width 4.3027 / sqrt(3) = 2.484.

    >>> result = interval([1.0, 2.0, 3.0])
    >>> [round(number, 3) for number in result[:3]]
    [2.0, -0.484, 4.484]
    """
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"values has shape {array.shape}. Expected one number per seed: shape (seeds,).")
    mean = float(array.mean())
    if array.size == 1:
        return Interval(mean, -np.inf, np.inf, 1)
    half = t_quantile(confidence, array.size - 1) * float(array.std(ddof=1)) / array.size**0.5
    return Interval(mean, mean - half, mean + half, array.size)


def t_quantile(confidence: float, degrees: int) -> float:
    r"""Number t between whose negative and itself Student's t falls with the stated probability.

    With :math:`\theta = \arctan(t/\sqrt\nu)` that probability is a finite sum of cosines (Abramowitz and Stegun,
    26.7.3 and 26.7.4), which is inverted here by halving an interval of :math:`\theta`.

    >>> round(t_quantile(0.95, 4), 4)
    2.7764
    """
    low, high = 0.0, math.pi / 2
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if _probability(middle, degrees) < confidence else (low, middle)
    return math.sqrt(degrees) * math.tan(low)


def _probability(angle: float, degrees: int) -> float:
    """Probability that Student's t is between -t and t, where t is sqrt(degrees) tan(angle)."""
    odd = degrees % 2
    term, total = (math.cos(angle) if odd else 1.0), 0.0
    for power in range(2 + odd, degrees + 1, 2):
        total += term
        term *= (power - 1) / power * math.cos(angle) ** 2
    total *= math.sin(angle)
    return (angle + total) * 2 / math.pi if odd else total


def band(curves: Array, *, confidence: float = 0.95) -> tuple[Array, Array, Array]:
    """Mean, low and high of curves of shape (seeds, points), point by point."""
    points = [interval(column, confidence=confidence) for column in np.asarray(curves, dtype=float).T]
    mean, low, high = (np.array([getattr(point, name) for point in points]) for name in ("mean", "low", "high"))
    return mean, low, high
