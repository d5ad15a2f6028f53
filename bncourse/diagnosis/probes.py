"""The inputs that checks hand to a student's functions: exaggerated, uneven, and different for every seed.

At the usual eps = 1e-5, gamma = 1 and a large batch most mistakes are smaller than any sensible tolerance. The recipe
in `probes.json` was searched (see `bncourse.diagnosis.evidence.search`), so that every two beliefs of the catalogue,
and each from the truth, differ by far more than rounding. Within the recipe the seed draws the numbers, so that an
answer learned by heart is worth nothing; nor is a shape, because seed 0, which students see, shares its sizes with no
other.
"""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.bounds import condition, tolerance
from bncourse.diagnosis.layouts import BATCH, Layout

Array = np.ndarray[Any, Any]


class Recipe(NamedTuple):
    """What all seeds have in common."""

    counts: tuple[int, ...]
    """Numbers of samples to draw from, none of them among the numbers of features."""
    channels: tuple[int, ...]
    eps: tuple[float, float]
    """Range of eps; the seed draws from it."""
    std: tuple[float, float]
    """Smallest and largest standard deviation of a feature."""
    offset: float
    """Largest mean of a feature, in standard deviations."""
    gamma: tuple[float, float]
    """Smallest and largest size of gamma; signs alternate."""
    paths: tuple[float, float]
    """Share of dy that flows through the mean and through the variance, beside a share of 1 that does not."""
    momentum: tuple[float, float]
    running_std: tuple[float, float]


def recorded_recipe() -> Recipe:
    """Read the recipe that the search found."""
    text = Path(__file__).with_name("probes.json").read_text(encoding="utf-8")
    entries: dict[str, Any] = json.loads(text)["recipe"]
    for name, value in entries.items():
        entries[name] = tuple(value) if isinstance(value, list) else value
    return Recipe(**entries)


@dataclass(frozen=True, eq=False)
class Probe:
    """One set of inputs."""

    x: Array
    gamma: Array
    beta: Array
    dy: Array
    eps: float
    running_mean: Array
    running_var: Array
    momentum: float
    kappa: float
    key: tuple[Any, ...]
    """Seed, spatial sizes, layout and eps, from which the probe can be made again."""
    layout: Layout = BATCH

    @cached_property
    def count(self) -> int:
        """Values that share a mean."""
        return int(self.layout.rows(self.x).shape[0])

    def rows(self, array: Array) -> Array:
        """Values that share a mean as columns."""
        return self.layout.rows(array)

    @property
    def gain(self) -> Array:
        """Gamma in the shape of `rows`."""
        return self.rows(np.broadcast_to(self.layout.across(self.gamma, self.x.ndim), self.x.shape))

    @property
    def wide(self) -> tuple[Array, Array, Array]:
        """The batch, gamma and beta in float64, for the reference."""
        return self.x.astype(np.float64), self.gamma.astype(np.float64), self.beta.astype(np.float64)

    def allowed(self, dtype: Any = np.float64) -> float:
        """Tolerance for a result of this dtype; no result is finer than its inputs."""
        return tolerance(self.count, self.kappa, np.float32 if self.x.dtype == np.float32 else dtype)


RECIPE = recorded_recipe()


def _sizes(seed: int, spatial: tuple[int, ...], recipe: Recipe) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of samples and of channels to draw from: those of seed 0, which students see, are no other seed's."""
    if seed == 0:
        return recipe.counts, recipe.channels
    seen = make_probe(0, spatial=spatial, recipe=recipe).x.shape
    counts = tuple(count for count in recipe.counts if count != seen[0])
    channels = tuple(count for count in recipe.channels if count != seen[1])
    return counts or recipe.counts, channels or recipe.channels


def _shape(seed: int, spatial: tuple[int, ...], layout: Layout, recipe: Recipe, rng: Any) -> tuple[int, ...]:
    """Shape of x: many values for each mean, few means, and no two sizes alike."""
    if layout.kind == "batch":
        samples, channels = (int(rng.choice(sizes)) for sizes in _sizes(seed, spatial, recipe))
        if samples == 2 * channels:  # a count taken from the wrong axis would look like a lost factor of two
            samples = max(recipe.counts) + 1
    elif layout.kind in ("layer", "rms"):
        channels, samples = (int(rng.choice(sizes)) for sizes in _sizes(seed, spatial, recipe))
    else:
        samples = 3
        channels = 4 if layout.kind == "instance" else layout.groups * int(rng.choice((4,) if seed % 2 else (3,)))
    return (samples, channels, *spatial)


@lru_cache(maxsize=256)
def make_probe(
    seed: int,
    *,
    spatial: tuple[int, ...] = (),
    recipe: Recipe = RECIPE,
    dtype: str = "float64",
    layout: Layout = BATCH,
    eps: float | None = None,
) -> Probe:
    """Draw the inputs of one seed.

    Parameters
    ----------
    seed : int
        Any non-negative number.
    spatial : tuple of int
        Sizes after the channels, such as (2, 3) for feature maps.
    recipe : Recipe
        What all seeds have in common.
    dtype : str
        Of the arrays.
    layout : Layout
        Which values share a mean; by default those of a channel.
    eps : float, optional
        By default the seed draws it.

    Raises
    ------
    ValueError
        If the seed is no whole number, or negative.
    """
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed is {seed!r}, but it draws the numbers of a check. Expected a whole number, 0 or more.")
    rng = np.random.default_rng([int(seed), *spatial])
    shape = _shape(int(seed), spatial, layout, recipe, rng)
    drawn = float(rng.uniform(*recipe.eps))
    flat = layout.rows(np.empty(shape)).shape

    def spread(low: float, high: float, size: int) -> Array:
        """Numbers evenly spread in the logarithm, moved a little, in random order."""
        steps = np.linspace(np.log(low), np.log(high), size)
        moved = steps + rng.uniform(-0.2, 0.2, size) * (steps[1] - steps[0])
        return np.asarray(rng.permutation(np.exp(moved)))

    def standard(values: Array) -> Array:
        """Columns of mean 0 and variance 1."""
        centered = values - values.mean(axis=0)
        return np.asarray(centered / centered.std(axis=0))

    def sign(size: int) -> Array:
        """Signs that alternate, in random order."""
        return np.asarray(rng.permutation(np.where(np.arange(size) % 2, -1.0, 1.0)))

    sets, channels = flat[1], shape[1]
    x_hat = standard(np.asarray(rng.standard_normal(flat)))
    std = spread(*recipe.std, sets)
    mean = std * rng.uniform(0.4, 1.0, sets) * recipe.offset * sign(sets)
    x = mean + std * x_hat
    # dy: shares along ones and along x_hat, which the two statistics' paths carry, and a rest which neither does
    rest = standard(np.asarray(rng.standard_normal(flat)))
    rest -= x_hat * (rest * x_hat).mean(axis=0)
    dy = rest + recipe.paths[0] * rng.uniform(0.7, 1.3, sets) * sign(sets)
    dy += x_hat * recipe.paths[1] * rng.uniform(0.7, 1.3, sets) * sign(sets)
    gamma = spread(*recipe.gamma, channels) * sign(channels)
    beta = spread(0.35, 2.9, channels) * sign(channels)
    running_std = spread(*recipe.running_std, channels)
    if layout.kind == "batch":
        running_mean = mean + std * rng.uniform(0.5, 1.5, channels) * sign(channels)
    else:
        running_mean = np.zeros(channels)
    momentum = float(rng.uniform(*recipe.momentum))

    def folded(values: Array) -> Array:
        """Sets of values in the shape of x."""
        return np.ascontiguousarray(layout.back(values, shape), dtype=dtype)

    upstream = folded(dy) if layout.kind == "batch" else folded(dy) / layout.across(gamma, len(shape))
    folded_x = folded(x)
    vectors = [np.asarray(value, dtype=dtype) for value in (gamma, beta, running_mean, running_std**2)]
    used = drawn if eps is None else eps
    kappa = condition(layout.rows(folded_x), used)
    key = (int(seed), spatial, layout, eps)
    gamma, beta, running_mean, running_var = vectors
    probe = Probe(folded_x, gamma, beta, upstream, used, running_mean, running_var, momentum, kappa, key, layout)
    for array in (probe.x, probe.gamma, probe.beta, probe.dy, probe.running_mean, probe.running_var):
        array.flags.writeable = False
    return probe
