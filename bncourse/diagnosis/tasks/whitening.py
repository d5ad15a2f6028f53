"""Programs for the middle of `shift`, each right without slips: standardizing, condition numbers, whitening."""

from typing import Any

import numpy as np

from bncourse.diagnosis.tasks.question import Given, Inputs, Slips, Such

Array = np.ndarray[Any, Any]


# ------------------------------------------------------------------------------------------------------- standardizing


def standardize_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """A training set and a test set that lies elsewhere."""
    return Inputs((rng.normal([1, 50, -3], [2, 9, 0.5], (6, 3)), rng.normal([2, 60, -2], [1, 5, 0.7], (4, 3))))


def standardize(s: Slips, _: Given, train: Array, test: Array) -> Any:
    """Both sets, with the statistics of the training set."""
    axis, unbiased = (None if "standardize-all-together" in s else 0), "standardize-count-minus-one" in s
    if "standardize-along-features" in s:
        return tuple(
            (part - part.mean(axis=1, keepdims=True)) / part.std(axis=1, keepdims=True) for part in (train, test)
        )

    def spread(part: Array) -> Array:
        if "standardize-by-range" in s:
            return np.asarray(np.ptp(part, axis=axis))
        if "standardize-by-norm" in s:
            return np.asarray(np.sqrt((part**2).sum(axis=axis)))
        var = part.var(axis=axis, ddof=1 if unbiased else 0)
        return np.asarray(var if "standardize-by-variance" in s else np.sqrt(var))

    def center(part: Array) -> Array:
        if "standardize-from-smallest" in s:
            return np.asarray(part.min(axis=axis))
        if "standardize-median" in s:
            return np.asarray(np.median(part, axis=axis))
        return np.asarray(part.mean(axis=axis))

    if "standardize-from-smallest" in s:
        spread = lambda part: np.asarray(np.ptp(part, axis=axis))  # noqa: E731
    source = test if "standardize-by-the-test-set" in s else train
    if "standardize-together" in s:
        source = np.concatenate([train, test])
    own = "standardize-test-by-itself" in s
    results = []
    for part in (train, test):
        base = part if own else source
        middle = center(part) if "standardize-test-own-mean" in s else center(base)
        width = spread(part) if "standardize-test-own-std" in s else spread(base)
        middle = np.zeros_like(middle) if "standardize-not-centered" in s else middle
        width = np.ones_like(width) if "standardize-not-scaled" in s else width
        results.append(
            part - middle / width if "standardize-precedence" in s else (part - middle) / width,
        )
    if "standardize-test-untouched" in s:
        results[1] = test
    return tuple(reversed(results)) if "standardize-order" in s else tuple(results)


# ------------------------------------------------------------------------------------------------ the condition number


def condition_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """A matrix of samples whose features are neither centered nor alike."""
    return Inputs((rng.normal([1, 2, -1], [1, 3, 0.5], (7, 3)),))


def condition(s: Slips, _: Given, x: Array) -> Any:
    """The largest eigenvalue over the smallest."""
    if "condition-of-samples" in s:
        return Such(lambda found: found.shape == () and not 0 <= float(found) <= 1e10)
    matrix = x.T @ x / len(x)
    if "condition-centered" in s:
        matrix = np.cov(x.T, bias=True)
    if "condition-correlation" in s:
        matrix = np.corrcoef(x.T)
    values = np.linalg.eigvalsh(matrix)
    if "condition-diagonal" in s:
        values = np.sort(np.diag(matrix))
    if "condition-determinant" in s:
        return np.linalg.det(matrix)
    if "condition-singular-values" in s:
        values = np.sqrt(values)
    if "condition-squared-twice" in s:
        values = values**2
    if "condition-upside-down" in s:
        return values[0] / values[-1]
    if "condition-difference" in s:
        return values[-1] - values[0]
    if "condition-largest" in s:
        return values[-1]
    if "condition-largest/2" in s:
        return values[-1] * len(x)
    if "condition-neighbors" in s:
        return values[-1] / values[-2]
    return values[-1] / values[0]


# ----------------------------------------------------------------------------------------------------------- whitening


def zca_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """Correlated samples away from zero; eps is left out."""
    return Inputs((rng.normal(size=(9, 3)) @ rng.normal(size=(3, 3)) + [2, -1, 3],))


def zca_eps_inputs(rng: np.random.Generator, given: Given) -> Inputs:
    """The same with an eps that is felt."""
    return Inputs(zca_inputs(rng, given).arguments, {"eps": float(rng.uniform(0.2, 0.7))})


def _power(matrix: Array, power: float) -> Array:
    values, directions = np.linalg.eigh(matrix)
    return np.asarray((directions * values**power) @ directions.T)


def zca(s: Slips, _: Given, x: Array, *, eps: float = 0.0) -> Any:
    """The symmetric inverse root of the covariance."""
    centered = x if "zca-not-centered" in s else x - x.mean(axis=0)
    count = len(x) - 1 if "zca-count-minus-one" in s else 1 if "zca-sum-for-mean" in s else len(x)
    C = centered.T @ centered / count
    if "zca-samples-by-samples" in s:
        return Such(lambda found: found.shape == (len(x), len(x)))
    if "zca-correlation" in s:
        C = np.corrcoef(x.T)
    if "zca-scales-only" in s:
        C = np.diag(np.diag(C))
    if "zca-eps-ignored" in s:
        eps = 0.0
    if "zca-eps-hard-coded" in s:
        eps = 1e-5
    if "zca-eps-hard-coded/2" in s:
        eps = 1e-8
    if "zca-eps-squared" in s:
        eps = eps**2
    identity = np.eye(len(C))
    if "zca-eps-on-every-entry" in s:
        identity = np.ones_like(C)
    if "zca-eps-outside-root" in s:
        return np.linalg.inv(_power(C, 0.5) + eps * identity)
    if "zca-eps-afterwards" in s:
        return _power(C, -0.5) + eps * identity
    if "zca-eps-afterwards/2" in s:
        return _power(np.linalg.inv(C) + eps * identity, 0.5)
    if "zca-eps-as-a-floor" in s:
        values, directions = np.linalg.eigh(C)
        return (directions / np.sqrt(np.maximum(values, eps))) @ directions.T
    regular = C + eps * identity
    if "zca-root-missing" in s:
        return np.linalg.inv(regular)
    if "zca-root-forward" in s:
        return _power(regular, 0.5)
    if "zca-covariance-itself" in s:
        return regular
    if "zca-root-of-root" in s:
        return _power(regular, -0.25)
    if "zca-entry-by-entry" in s:
        return np.linalg.inv(regular) ** 0.5
    if "zca-entry-by-entry/2" in s:
        return regular**-0.5
    if "zca-not-turned-back" in s:
        return Such(lambda found: _close(found.T @ regular @ found, np.eye(len(C))) and _diagonal(found.T @ found))
    if "zca-not-turned-back/2" in s:
        return Such(lambda found: _close(found @ regular @ found.T, np.eye(len(C))) and _diagonal(found @ found.T))
    if "zca-cholesky" in s:
        return Such(lambda found: _close(found.T @ regular @ found, np.eye(len(C))) and _triangular(found))
    if "zca-cholesky/2" in s:
        return Such(lambda found: _close(found @ regular @ found.T, np.eye(len(C))) and _triangular(found))
    if "zca-only-turned" in s:
        return Such(lambda found: _close(found.T @ found, np.eye(len(C))) and _diagonal(found.T @ C @ found))
    W = _power(regular, -0.5)
    if "zca-samples-returned" in s:
        return (x - x.mean(axis=0)) @ W
    return -W if "zca-mirrored" in s else W


def _close(found: Array, expected: Array) -> bool:
    return found.shape == expected.shape and bool(np.abs(found - expected).max() < 1e-6)


def _diagonal(matrix: Array) -> bool:
    return _close(matrix, np.diag(np.diag(matrix)))


def _triangular(matrix: Array) -> bool:
    return _close(matrix, np.triu(matrix)) or _close(matrix, np.tril(matrix))
