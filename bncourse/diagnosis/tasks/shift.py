"""Programs for `shift`, each right without slips: weights, a weighted line, the bias that runs away."""

from typing import Any

import numpy as np

from bncourse.diagnosis.tasks import whitening
from bncourse.diagnosis.tasks.question import Given, Inputs, Question, Slips

Array = np.ndarray[Any, Any]


# -------------------------------------------------------------------------------------------------- importance weights


def weights_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """Samples, and the means and variances of two normal densities."""
    mean, var, other, other_var = rng.normal(), rng.uniform(0.5, 0.9), rng.normal(), rng.uniform(1.5, 3)
    return Inputs((np.append(rng.normal(size=4), other + 4 * np.sign(other - mean)), mean, var, other, other_var))


def weights(s: Slips, _: Given, x: Array, mean: float, var: float, test_mean: float, test_var: float) -> Array:
    """The ratio of the two densities."""
    if "weights-variances-swapped" in s:
        var, test_var = test_var, var
    if "weights-one-variance" in s:
        test_var = var
    if "weights-one-variance/2" in s:
        var = test_var

    def exponent(mean: float, var: float) -> Array:
        spread = var**2 if "weights-variance-squared" in s else np.sqrt(var) if "weights-root-in-exponent" in s else var
        distance = np.abs(x - mean) if "weights-not-squared" in s else (x - mean) ** 2
        sign = 1 if "weights-sign-lost" in s else -1
        return np.asarray(sign * distance / ((1 if "weights-half-lost" in s else 2) * spread))

    def front(var: float) -> float:
        if "weights-unnormalized" in s:
            return 1.0
        power = 1.0 if "weights-variance-in-front" in s or "weights-variance-squared" in s else 0.5
        return float((2 * np.pi) ** -0.5 * var**-power)

    if "weights-logarithm" in s:
        difference = exponent(test_mean, test_var) - exponent(mean, var)
        return np.asarray(difference + np.log(front(test_var) / front(var)))
    train = front(var) * np.exp(exponent(mean, var))
    test = front(test_var) * np.exp(exponent(test_mean, test_var))
    if "weights-upside-down" in s:
        return np.asarray(train / test)
    if "weights-difference" in s:
        return np.asarray(test - train)
    if "weights-test-only" in s:
        return np.asarray(test)
    if "weights-product" in s:
        return np.asarray(test * train)
    if "weights-share" in s:
        return np.asarray(test / (test + train))
    ratio = test / train
    if "weights-sum-to-one" in s:
        return np.asarray(ratio / ratio.sum())
    if "weights-sum-to-one/2" in s:
        return np.asarray(ratio / ratio.mean())
    if "weights-clipped" in s:
        return np.asarray(np.minimum(ratio, 1))
    return np.asarray(ratio)


# --------------------------------------------------------------------------------------------------- the weighted line


def fit_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """Points that lie on no line, and weights."""
    return Inputs((rng.normal(1, 1, 7), rng.normal(2, 1, 7), rng.uniform(0.3, 3, 7)))


def line(x: Array, y: Array, weights: Array) -> tuple[float, float]:
    """The weighted least-squares line: slope and intercept."""
    share = weights / weights.sum()
    center_x, center_y = (share * x).sum(), (share * y).sum()
    slope = (share * (x - center_x) * (y - center_y)).sum() / (share * (x - center_x) ** 2).sum()
    return float(slope), float(center_y - slope * center_x)


def fit(s: Slips, _: Given, x: Array, y: Array, weights: Array) -> tuple[float, float]:
    """The slope and the intercept."""
    if "fit-weights-ignored" in s:
        weights = np.ones_like(x)
    if "fit-weights-squared" in s:
        weights = weights**2
    if "fit-weights-rooted" in s:
        weights = np.sqrt(weights)
    if "fit-weights-inverted" in s:
        weights = 1 / weights
    if "fit-samples-scaled" in s:
        x, y, weights = weights * x, weights * y, np.ones_like(x)
    if "fit-only-targets-weighted" in s:
        y, weights = weights * y, np.ones_like(x)
    if "fit-only-targets-weighted/2" in s:
        y, weights = np.sqrt(weights) * y, np.ones_like(x)
    share = weights / weights.sum()
    a, b = line(x, y, weights)
    center_x, center_y = (share * x).sum(), (share * y).sum()
    if "fit-means-unweighted" in s:
        near_x, near_y = x - x.mean(), y - y.mean()
        a = float((share * near_x * near_y).sum() / (share * near_x**2).sum())
        b = float(y.mean() - a * x.mean())
    if "fit-intercept-unweighted" in s:
        b = float(y.mean() - a * x.mean())
    if "fit-weights-only-in-means" in s:
        near_x, near_y = x - center_x, y - center_y
        a = float((near_x * near_y).sum() / (near_x**2).sum())
        b = float(center_y - a * center_x)
    if "fit-through-origin" in s:
        a, b = float((share * x * y).sum() / (share * x * x).sum()), 0.0
    if "fit-column-of-ones-unweighted" in s:
        root = np.sqrt(weights)
        a, b = np.linalg.lstsq(np.stack([root * x, np.ones_like(x)], axis=1), root * y, rcond=None)[0]
    if "fit-axes-swapped" in s:
        a, b = line(y, x, weights)
    if "fit-axes-swapped/2" in s:  # the other variance below
        a = float((share * (x - center_x) * (y - center_y)).sum() / (share * (y - center_y) ** 2).sum())
        b = float(center_y - a * center_x)
    if "fit-intercept-sign" in s:
        b = float(center_y + a * center_x)
    if "fit-intercept-is-mean" in s:
        b = float(center_y)
    return (b, a) if "fit-order" in s else (a, b)


# --------------------------------------------------------------------------------------------- the bias that runs away


def naive_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """Inputs and targets, neither with the mean 0, a learning rate and a number of steps."""
    return Inputs((rng.normal(1, 1, 5), rng.normal(2, 1, 5), float(rng.uniform(0.1, 0.4)), int(rng.integers(3, 6))))


def naive(s: Slips, _: Given, u: Array, t: Array, learning_rate: float, steps: int) -> Any:
    """The biases and the losses, before each step and after the last."""
    b, biases, losses, after = 0.0, [], [], []
    if "naive-targets-centered" in s:
        t = t - t.mean()
    if "naive-rate-ignored" in s:
        learning_rate = 1.0
    for _step in range(steps + 1):
        x = u + b
        center = x.mean()
        if "naive-not-centered" in s:
            center = 0.0
        if "naive-mean-frozen" in s:
            center = u.mean()
        error = x - center - t
        loss = (error**2).sum() if "naive-loss-summed" in s else (error**2).mean()
        biases.append(b)
        losses.append(loss if "naive-loss-without-half" in s else loss / 2)
        gradient = error.sum() if "naive-gradient-summed" in s else error.mean()
        if "naive-gradient-doubled" in s:
            gradient = 2 * gradient
        if "naive-honest" in s:
            gradient = 0.0
        if "naive-gradient-of-loss" in s:
            gradient = loss / 2
        b = b + learning_rate * gradient if "naive-uphill" in s else b - learning_rate * gradient
        after.append(b)
    if "naive-first-missing" in s:
        return tuple(np.array(part) for part in (after[:-1], losses[1:]))
    if "naive-last-missing" in s:
        return tuple(np.array(part[:-1]) for part in (biases, losses))
    if "naive-bias-after-step" in s:
        return np.array(after), np.array(losses)
    if "naive-order" in s:
        return np.array(losses), np.array(biases)
    if "naive-only-last" in s:
        return biases[-1], losses[-1]
    return np.array(biases), np.array(losses)


def honest_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """Inputs, targets and a bias."""
    return Inputs((rng.normal(1, 1, 5), rng.normal(2, 1, 5), float(rng.normal(1, 0.3))))


def honest(s: Slips, _: Given, u: Array, t: Array, b: float) -> Any:
    """The direct part of the derivative, and the one through the mean."""
    x = u + b
    error = x - t if "honest-not-centered" in s else x - x.mean() - t
    average = np.sum if "honest-summed" in s else np.mean
    direct = average(error)
    through = -direct
    if "honest-half-forgotten" in s:
        direct, through = 2 * direct, 2 * through
    if "honest-count-in-mean-path" in s:
        through = through / len(u)
    if "honest-count-in-mean-path/2" in s:
        through = through * len(u)
    if "honest-same-sign" in s:
        through = direct
    if "honest-mean-path-zero" in s:
        through = 0.0 * direct
    if "honest-only-the-sum" in s:
        direct, through = 0.0, 0.0
    if "honest-order" in s:
        direct, through = through, direct
    if "honest-times-the-bias" in s:
        direct, through = direct * b, through * b
    if "honest-one-for-each-sample" in s:
        return error, np.full_like(error, through)
    if "honest-one-for-each-sample/2" in s:
        return error / len(error), -error / len(error)
    if "honest-one-for-each-sample/3" in s:
        return error, through
    if "honest-one-number" in s:
        return direct + through
    return direct, through


QUESTIONS = {
    "weights": Question(
        weights_inputs, weights, ("weights",), ways={"weights-one-variance": 2, "weights-sum-to-one": 2}
    ),
    "fit": Question(
        fit_inputs,
        fit,
        ("fit",),
        ways={"fit-only-targets-weighted": 2, "fit-axes-swapped": 2},
    ),
    "standardize": Question(whitening.standardize_inputs, whitening.standardize, ("standardize",)),
    "condition": Question(
        whitening.condition_inputs, whitening.condition, ("condition",), ways={"condition-largest": 2}
    ),
    "zca": Question(
        whitening.zca_inputs,
        whitening.zca,
        ("zca",),
        ways={"zca-entry-by-entry": 2, "zca-not-turned-back": 2, "zca-cholesky": 2},
    ),
    "zca-eps": Question(
        whitening.zca_eps_inputs,
        whitening.zca,
        ("zca-eps", "zca"),
        ways={
            "zca-entry-by-entry": 2,
            "zca-not-turned-back": 2,
            "zca-cholesky": 2,
            "zca-eps-hard-coded": 2,
            "zca-eps-afterwards": 2,
        },
    ),
    "naive": Question(naive_inputs, naive, ("naive",)),
    "honest": Question(
        honest_inputs, honest, ("honest",), ways={"honest-count-in-mean-path": 2, "honest-one-for-each-sample": 3}
    ),
}
"""By the answer's name in the assignment."""
