"""Wrong gradients dx: paths lost, flipped or mis-scaled. Every function here is wrong on purpose.

Most learners write either the closed form or the paper's three equations; these programs do both.
"""

from typing import Any

import numpy as np

from bncourse.diagnosis.evidence.specimens.registry import plain_backward, wrong

Array = np.ndarray[Any, Any]
Result = tuple[Array, Array, Array]


def _with(dx: Array, dy: Array, cache: Any) -> Result:
    """A wrong dx beside a right dgamma and dbeta."""
    return dx, (dy * cache["x_hat"]).sum(axis=0), dy.sum(axis=0)


def _parts(dy: Array, cache: Any) -> tuple[Array, Array, Array, Array]:
    """The factor, and the three terms of the closed form."""
    x_hat = cache["x_hat"]
    return cache["gamma"] * cache["inv_std"], dy, dy.mean(axis=0), x_hat * (dy * x_hat).mean(axis=0)


@wrong("variance-path-missing", "backward")
def no_variance(dy: Array, cache: Any) -> Result:
    g, direct, mean, _ = _parts(dy, cache)
    return _with(g * (direct - mean), dy, cache)


@wrong("mean-path-missing", "backward")
def no_mean(dy: Array, cache: Any) -> Result:
    g, direct, _, var = _parts(dy, cache)
    return _with(g * (direct - var), dy, cache)


@wrong("statistics-detached", "backward")
def neither(dy: Array, cache: Any) -> Result:
    g, direct, _, _ = _parts(dy, cache)
    return _with(g * direct, dy, cache)


@wrong("direct-path-missing", "backward")
def only_statistics(dy: Array, cache: Any) -> Result:
    g, _, mean, var = _parts(dy, cache)
    return _with(-g * (mean + var), dy, cache)


@wrong("variance-path-flipped", "backward")
def plus_variance(dy: Array, cache: Any) -> Result:
    g, direct, mean, var = _parts(dy, cache)
    return _with(g * (direct - mean + var), dy, cache)


@wrong("mean-path-flipped", "backward")
def plus_mean(dy: Array, cache: Any) -> Result:
    g, direct, mean, var = _parts(dy, cache)
    return _with(g * (direct + mean - var), dy, cache)


@wrong("both-paths-flipped", "backward")
def plus_both(dy: Array, cache: Any) -> Result:
    g, direct, mean, var = _parts(dy, cache)
    return _with(g * (direct + mean + var), dy, cache)


@wrong("dx-flipped", "backward")
def downhill(dy: Array, cache: Any) -> Result:
    return _with(-plain_backward(dy, cache)[0], dy, cache)


@wrong("sum-for-mean", "backward")
def two_sums(dy: Array, cache: Any) -> Result:
    x_hat = cache["x_hat"]
    dx_hat = dy * cache["gamma"]
    return _with(cache["inv_std"] * (dx_hat - dx_hat.sum(axis=0) - x_hat * (dx_hat * x_hat).sum(axis=0)), dy, cache)


@wrong("mean-path-sum", "backward")
def mean_not_divided(dy: Array, cache: Any) -> Result:
    g, direct, _, var = _parts(dy, cache)
    return _with(g * (direct - dy.sum(axis=0) - var), dy, cache)


@wrong("variance-path-sum", "backward")
def variance_not_divided(dy: Array, cache: Any) -> Result:
    dx_hat, s, centered = dy * cache["gamma"], cache["inv_std"], cache["x"] - cache["mean"]
    dvar = (dx_hat * centered).sum(axis=0) * -0.5 * s**3
    dmean = -(dx_hat * s).sum(axis=0)
    return _with(dx_hat * s + dvar * 2 * centered + dmean / len(dy), dy, cache)


@wrong("mean-path-divided-twice", "backward")
def mean_of_means(dy: Array, cache: Any) -> Result:
    g, direct, mean, var = _parts(dy, cache)
    return _with(g * (direct - mean / len(dy) - var), dy, cache)


@wrong("variance-path-divided-twice", "backward")
def variance_of_means(dy: Array, cache: Any) -> Result:
    g, direct, mean, var = _parts(dy, cache)
    return _with(g * (direct - mean - var / len(dy)), dy, cache)


@wrong("count-minus-one", "backward")
def bessel_everywhere(dy: Array, cache: Any) -> Result:
    g, direct, mean, var = _parts(dy, cache)
    correction = len(dy) / (len(dy) - 1)
    return _with(g * (direct - correction * (mean + var)), dy, cache)


@wrong("variance-path-count-minus-one", "backward")
def bessel_in_variance(dy: Array, cache: Any) -> Result:
    dx_hat, s, centered = dy * cache["gamma"], cache["inv_std"], cache["x"] - cache["mean"]
    dvar = (dx_hat * centered).sum(axis=0) * -0.5 * s**3
    dmean = -(dx_hat * s).sum(axis=0)
    return _with(dx_hat * s + dvar * 2 * centered / (len(dy) - 1) + dmean / len(dy), dy, cache)


@wrong("factor-two-lost", "backward")
def square_without_two(dy: Array, cache: Any) -> Result:
    dx_hat, s, centered = dy * cache["gamma"], cache["inv_std"], cache["x"] - cache["mean"]
    dvar = (dx_hat * centered).sum(axis=0) * -0.5 * s**3
    dmean = -(dx_hat * s).sum(axis=0)
    return _with(dx_hat * s + dvar * centered / len(dy) + dmean / len(dy), dy, cache)


@wrong("factor-half-lost", "backward")
def root_without_half(dy: Array, cache: Any) -> Result:
    dx_hat, s, centered = dy * cache["gamma"], cache["inv_std"], cache["x"] - cache["mean"]
    dvar = -(dx_hat * centered).sum(axis=0) * s**3
    dmean = -(dx_hat * s).sum(axis=0)
    return _with(dx_hat * s + dvar * 2 * centered / len(dy) + dmean / len(dy), dy, cache)


@wrong("variance-path-root-lost", "backward")
def centered_for_normalized(dy: Array, cache: Any) -> Result:
    g, direct, mean, _ = _parts(dy, cache)
    centered = cache["x"] - cache["mean"]
    return _with(g * (direct - mean - centered * (dy * cache["x_hat"]).mean(axis=0)), dy, cache)


@wrong("variance-path-root-gained", "backward")
def normalized_again(dy: Array, cache: Any) -> Result:
    g, direct, mean, var = _parts(dy, cache)
    return _with(g * (direct - mean - var * cache["inv_std"]), dy, cache)


@wrong("dx-gamma-missing", "backward")
def unscaled(dy: Array, cache: Any) -> Result:
    _, direct, mean, var = _parts(dy, cache)
    return _with(cache["inv_std"] * (direct - mean - var), dy, cache)


@wrong("dx-gamma-doubled", "backward")
def scaled_twice(dy: Array, cache: Any) -> Result:
    return _with(cache["gamma"] * plain_backward(dy, cache)[0], dy, cache)


@wrong("dx-gamma-one-plus", "backward")
def scaled_by_one_plus(dy: Array, cache: Any) -> Result:
    _, direct, mean, var = _parts(dy, cache)
    return _with((1 + cache["gamma"]) * cache["inv_std"] * (direct - mean - var), dy, cache)


@wrong("inverse-std-missing", "backward")
def undivided(dy: Array, cache: Any) -> Result:
    _, direct, mean, var = _parts(dy, cache)
    return _with(cache["gamma"] * (direct - mean - var), dy, cache)


@wrong("dx-multiplied-by-std", "backward")
def std_for_inverse(dy: Array, cache: Any) -> Result:
    _, direct, mean, var = _parts(dy, cache)
    return _with(cache["gamma"] * (direct - mean - var) / cache["inv_std"], dy, cache)


@wrong("direct-path-missing", "backward")
def own_path_overwritten(dy: Array, cache: Any) -> Result:
    centered, dx_hat = cache["x_hat"] / cache["inv_std"], dy * cache["gamma"]
    dvar = -0.5 * (dx_hat * centered).sum(axis=0) * cache["inv_std"] ** 3
    dcentered = dx_hat * cache["inv_std"]
    dcentered = 2 / len(dy) * centered * dvar
    return _with(dcentered - dcentered.mean(axis=0), dy, cache)


@wrong("inverse-std-doubled", "backward")
def divided_by_variance(dy: Array, cache: Any) -> Result:
    _, direct, mean, var = _parts(dy, cache)
    return _with(cache["gamma"] * (direct - mean - var) / (cache["var"] + cache["eps"]), dy, cache)


@wrong("dy-passed-through", "backward")
def handed_on(dy: Array, cache: Any) -> Result:
    return _with(dy.copy(), dy, cache)


@wrong("dx-divided-by-count", "backward")
def averaged(dy: Array, cache: Any) -> Result:
    return _with(plain_backward(dy, cache)[0] / len(dy), dy, cache)


@wrong("dx-times-count", "backward")
def bracket_without_front(dy: Array, cache: Any) -> Result:
    g, x_hat, count = cache["gamma"] * cache["inv_std"], cache["x_hat"], len(dy)
    return _with(g * (count * dy - dy.sum(axis=0) - x_hat * (dy * x_hat).sum(axis=0)), dy, cache)


@wrong("backward-eps-ignored", "backward")
def eps_in_forward_only(dy: Array, cache: Any) -> Result:
    dx_hat, centered = dy * cache["gamma"], cache["x"] - cache["mean"]
    s = 1 / np.sqrt(cache["var"])
    dvar = (dx_hat * centered).sum(axis=0) * -0.5 * s**3
    return _with(dx_hat * s + dvar * 2 * centered / len(dy) - s * dx_hat.mean(axis=0), dy, cache)


@wrong("backward-eps-ignored", "backward")
def eps_forgotten_in_one_stage(dy: Array, cache: Any) -> Result:
    dx_hat, centered, s = dy * cache["gamma"], cache["x"] - cache["mean"], cache["inv_std"]
    dvar = (dx_hat * centered).sum(axis=0) * -0.5 * cache["var"] ** -1.5
    return _with(dx_hat * s + dvar * 2 * centered / len(dy) - s * dx_hat.mean(axis=0), dy, cache)


@wrong("backward-eps-hard-coded", "backward")
def eps_of_backward(dy: Array, cache: Any) -> Result:
    s = 1 / np.sqrt(cache["var"] + 1e-5)
    _, direct, mean, var = _parts(dy, cache)
    return _with(cache["gamma"] * s * (direct - mean - var), dy, cache)


@wrong("backward-eps-outside-root", "backward")
def eps_after_root_in_backward(dy: Array, cache: Any) -> Result:
    s = 1 / (np.sqrt(cache["var"]) + cache["eps"])
    _, direct, mean, var = _parts(dy, cache)
    return _with(cache["gamma"] * s * (direct - mean - var), dy, cache)
