"""Programs for the script in `training` that is to be mended, each right without slips.

The four mistakes of the script itself are not among them: to find these is the task, and a test says no more than the
law that they break. What is named is what a repair gets wrong.
"""

from typing import Any

import numpy as np

from bncourse.diagnosis.tasks.question import Given, Inputs, Question, Slips

Array = np.ndarray[Any, Any]


def backward_inputs(rng: np.random.Generator, given: Given) -> Inputs:
    """An upstream gradient, and the cache of the script's forward pass."""
    x, gamma, beta = rng.normal([1, 2, -1], [1, 3, 0.5], (6, 3)), rng.uniform(0.5, 2, 3), rng.normal(size=3)
    return Inputs((rng.normal(size=(6, 3)), given["normalize"](x, gamma, beta, eps=0.1)[1]))


def backward(s: Slips, _: Given, dy: Array, cache: dict[str, Array]) -> Any:
    """The three gradients, dgamma with x_hat."""
    x, x_hat, inv_std, gamma = cache["x"], cache["x_hat"], cache["inv_std"], cache["gamma"]
    mean, along = dy.mean(axis=0), x_hat * (dy * x_hat).mean(axis=0)
    dgamma = (dy * x_hat).sum(axis=0)
    if "mend-shift-dx-paths-lost" in s:
        mean, along = 0 * mean, 0 * along
    if "mend-shift-dx-paths-lost/2" in s:
        along = 0 * along
    if "mend-shift-dx-paths-lost/3" in s:
        mean = 0 * mean
    if "mend-shift-dx-with-x" in s:
        along = x * (dy * x).mean(axis=0)
    if "mend-shift-dx-with-x/2" in s:
        along = x * (dy * x_hat).mean(axis=0)
    if "mend-shift-dx-with-x/3" in s:
        along = x_hat * (dy * x).mean(axis=0)
    if "mend-shift-only-centered" in s:
        dgamma = (dy * (x - x.mean(axis=0))).sum(axis=0)
    if "mend-shift-of-y" in s:
        dgamma = (dy * gamma * x_hat).sum(axis=0)
    if "mend-shift-averaged" in s:
        dgamma = (dy * x_hat).mean(axis=0)
    if "mend-shift-scaled-twice" in s:
        dgamma = dgamma * inv_std
    dbeta = mean if "mend-shift-dbeta-averaged" in s else dy.sum(axis=0)
    return gamma * inv_std * (dy - mean - along), dgamma, dbeta


def estimate_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """A batch of few samples."""
    return Inputs((rng.normal([1, 2, -1], [1, 3, 0.5], (5, 3)),))


def estimate(s: Slips, _: Given, x: Array) -> Any:
    """Mean and unbiased variance."""
    mean, var = x.mean(axis=0), x.var(axis=0, ddof=1)
    if "mend-scale-biased" in s:
        var = x.var(axis=0)
    if "mend-scale-still-root" in s:
        var = x.std(axis=0)
    if "mend-scale-about-zero" in s:
        var = (x * x).mean(axis=0)
    if "mend-scale-all-together" in s:
        mean, var = x.mean(), x.var(ddof=1)
    if "mend-scale-squared" in s:
        var = var**2
    if "mend-scale-summed" in s:
        var = x.var(axis=0) * len(x)
    return mean, var


def record_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """Old statistics, a batch, and a momentum that is not the default."""
    x = rng.normal([1, 2, -1], [1, 3, 0.5], (5, 3))
    return Inputs((rng.normal(size=3), rng.uniform(1, 2, 3), x), {"momentum": float(rng.uniform(0.2, 0.4))})


def record(s: Slips, given: Given, mean: Array, var: Array, x: Array, *, momentum: float = 0.1) -> Any:
    """The running statistics after a batch, of which momentum is the weight."""
    new_mean, new_var = (np.asarray(part, dtype=float) for part in given["population_estimate"](x))
    if "mend-weight-hard-coded" in s:
        momentum = 0.1
    old, new = 1 - momentum, momentum
    if "mend-weight-not-decayed" in s:
        old = 1.0
    if "mend-weight-decayed-only" in s:
        new = 0.0
    if "mend-weight-half" in s:
        old = new = 0.5
    pairs = [(old, new), (old, new)]
    if "mend-weight-only-mean" in s:
        pairs[1] = (momentum, 1 - momentum)
    if "mend-weight-only-variance" in s:
        pairs[0] = (momentum, 1 - momentum)
    if "mend-weight-new-on-both" in s:
        pairs = [(momentum, momentum)] * 2
    results = [pairs[0][0] * mean + pairs[0][1] * new_mean, pairs[1][0] * var + pairs[1][1] * new_var]
    return tuple(reversed(results)) if "mend-weight-order" in s else tuple(results)


def predict_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """A network with running statistics, and digits."""
    network: list[dict[str, Array]] = []
    for before, after in ((5, 4), (4, 4), (4, 6)):
        layer = {"weight": rng.normal(size=(before, after)), "gamma": rng.uniform(0.5, 2, after)}
        layer |= {"beta": rng.normal(size=after)}
        network.append(layer | {"running_mean": rng.normal(size=after), "running_var": rng.uniform(0.5, 3, after)})
    return Inputs((network, rng.normal(size=(7, 5))))


def predict(s: Slips, _: Given, network: list[dict[str, Array]], x: Array) -> Any:
    """The logits, from the running statistics."""
    h = x
    for layer in network[:-1]:
        z = h @ layer["weight"]
        mean, var, gamma, beta = layer["running_mean"], layer["running_var"], layer["gamma"], layer["beta"]
        if "mend-alone-batch-mean" in s:
            mean = z.mean(axis=0)
        if "mend-alone-batch-variance" in s:
            var = z.var(axis=0)
        if "mend-alone-first-layer-statistics" in s:
            mean, var = network[0]["running_mean"], network[0]["running_var"]
        root = var + 1e-5 if "mend-alone-root-missing" in s else np.sqrt(var + 1e-5)
        root = np.sqrt(np.sqrt(var) + 1e-5) if "mend-alone-root-twice" in s else root
        root = np.sqrt(var**2 + 1e-5) if "mend-alone-root-missing/2" in s else root
        y = (z - mean) / root
        if "mend-alone-not-normalized" in s:
            y = z
        y = y if "mend-alone-without-gamma/2" in s or "mend-alone-without-gamma" in s else gamma * y
        y = y if "mend-alone-without-gamma/3" in s or "mend-alone-without-gamma" in s else y + beta
        h = y if "mend-alone-without-sigmoid" in s else 0.5 + 0.5 * np.tanh(y / 2)
        if "mend-alone-normalized-twice" in s:
            h = 0.5 + 0.5 * np.tanh((gamma * (y - mean) / root + beta) / 2)
    logits = h @ network[-1]["weight"] + network[-1]["beta"]
    if "mend-alone-sigmoid-at-the-end" in s:
        return 0.5 + 0.5 * np.tanh(logits / 2)
    return logits.argmax(axis=1) if "mend-alone-digits-returned" in s else logits


QUESTIONS = {
    "mend-shift": Question(
        backward_inputs,
        backward,
        ("mend-shift",),
        given=("normalize",),
        ways={"mend-shift-dx-with-x": 3, "mend-shift-dx-paths-lost": 3},
    ),
    "mend-scale": Question(estimate_inputs, estimate, ("mend-scale",)),
    "mend-weight": Question(
        record_inputs,
        record,
        ("mend-weight",),
        given=("population_estimate",),
        silent=frozenset({"mend-weight-only-mean", "mend-weight-only-variance"}),
    ),
    "mend-alone": Question(
        predict_inputs,
        predict,
        ("mend-alone",),
        ways={"mend-alone-root-missing": 2, "mend-alone-without-gamma": 3},
        silent=frozenset({"mend-alone-batch-mean", "mend-alone-batch-variance"}),
    ),
}
"""By the test's name in the assignment."""
