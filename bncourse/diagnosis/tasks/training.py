"""Programs for `training`, each right without slips: gradients of a network, and the training loop.

The two sweeps are in `sweeps`, the mended script in `mending`. All use the notebook's own pieces, some of which the
student has written: a mistake in these is not charged again.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from bncourse.diagnosis.tasks import mending, sweeps
from bncourse.diagnosis.tasks.question import Given, Inputs, Question, Slips

Array = np.ndarray[Any, Any]
Network = list[dict[str, Array]]
WIDTHS = (5, 4, 3, 6)


def some_network(rng: np.random.Generator, widths: tuple[int, ...] = WIDTHS) -> Network:
    """A network whose parameters are none of them 0 or 1."""
    return [
        {"weight": rng.normal(size=(a, b)), "gamma": rng.uniform(0.5, 2, b), "beta": rng.normal(size=b)}
        for a, b in pairwise(widths)
    ]


# ------------------------------------------------------------------------------------------------ loss and gradients


def gradients_inputs(rng: np.random.Generator, _: Given) -> list[Inputs]:
    """A batch and a network, with and without batch normalization."""
    network, x, labels = some_network(rng), rng.normal(size=(7, 5)), rng.integers(0, 6, 7)
    return [Inputs((network, x, labels), {"normalized": flag}) for flag in (True, False)]


def gradients(s: Slips, given: Given, network: Network, x: Array, labels: Array, *, normalized: bool) -> Any:
    """The loss, and a dictionary of gradients for each layer."""
    if "gradients-flag-ignored" in s:
        normalized = True
    if "gradients-flag-ignored/2" in s:
        normalized = False
    h, caches = x, []
    like_hidden = "gradients-last-like-hidden" in s
    for layer in network if like_hidden else network[:-1]:
        h, cache = given["hidden_forward"](layer, h, normalized=normalized)
        caches.append(cache)
    last = network[-1]
    bias = 0 * last["beta"] if "gradients-last-beta-left-out" in s else last["beta"]
    logits = h if like_hidden else h @ last["weight"] + bias
    loss, dlogits = given["cross_entropy"](logits, labels)
    if "gradients-summed" in s:
        dlogits = dlogits * len(x)
    if "gradients-averaged-twice" in s:
        dlogits = dlogits / len(x)
    dbeta = dlogits.mean(axis=0) if "gradients-last-beta-averaged" in s else dlogits.sum(axis=0)
    if "gradients-last-beta-not-trained" in s:
        dbeta = 0 * dbeta
    found = [] if like_hidden else [{"weight": h.T @ dlogits, "beta": dbeta}]
    dh = dlogits if like_hidden else dlogits @ last["weight"].T
    ways = {"": dlogits.sum(axis=1), "/2": dlogits.max(axis=1), "/3": dlogits.mean(axis=1)}
    for way, number in ways.items():
        if f"gradients-last-weight-not-passed{way}" in s:
            dh = np.ones_like(h) * number[:, None]
    for cache in reversed(caches):
        dh, parts = given["hidden_backward"](dh, cache)
        found.insert(0, dict(parts))
    if "gradients-hidden-averaged-again" in s:
        found[:-1] = [{name: value / len(x) for name, value in parts.items()} for parts in found[:-1]]
    if "gradients-gamma-missing" in s:
        found = [{**parts, "gamma": None} if "gamma" in parts else parts for parts in found]
    if "gradients-transposed" in s:
        found = [{**parts, "weight": parts["weight"].T} for parts in found]
    if "gradients-downhill" in s:
        found = [{name: -value for name, value in parts.items()} for parts in found]
    if "gradients-backwards" in s:
        found = found[::-1]
    if "gradients-last-missing" in s:
        found = found[:-1]
    if "gradients-loss-summed" in s:
        loss = loss * len(x)
    if "gradients-parameters-returned" in s:
        found = [{name: layer[name] for name in parts} for layer, parts in zip(network, found, strict=True)]
    return (found, loss) if "gradients-order" in s else (loss, found)


# ---------------------------------------------------------------------------------------------------- the training loop


def train_inputs(rng: np.random.Generator, _: Given) -> list[Inputs]:
    """Four small batches, with and without batch normalization."""
    x, labels = rng.normal(size=(14, 5)), rng.integers(0, 6, 14)
    batches = np.array([rng.permutation(14)[:5] for _step in range(4)])
    rate = float(rng.uniform(0.2, 0.6))
    return [
        Inputs((some_network(rng, (5, 4, 6)), x, labels, batches), {"rate": rate, "normalized": flag})
        for flag in (True, False)
    ]


def train(
    s: Slips, given: Given, network: Network, x: Array, labels: Array, batches: Array, *, rate: float, normalized: bool
) -> Any:
    """The losses before each step, and the trained network."""
    begun, losses = network, []
    names = {"weight", "gamma", "beta"}
    if "train-gamma-not-trained" in s:
        names = {"weight", "beta"}
    if "train-only-weights" in s:
        names = {"weight"}
    if "train-uphill" in s:
        rate = -rate
    if "train-rate-ignored" in s:
        rate = 1.0
    if "train-rate-over-batch" in s:
        rate = rate / batches.shape[1]
    if "train-never-steps" in s:
        rate = 0.0
    if "train-flag-ignored" in s:
        normalized = True
    if "train-flag-ignored/2" in s:
        normalized = False

    def measured(network: Network, batch: Any) -> Any:
        loss, gradients = given["loss_and_gradients"](network, x[batch], labels[batch], normalized=normalized)
        return float(loss), gradients

    for step, batch in enumerate(batches):
        if "train-first-batch-only" in s:
            batch = batches[0]
        if "train-in-order" in s:
            batch = slice(step * batches.shape[1], (step + 1) * batches.shape[1])
        if "train-whole-set" in s:
            batch = slice(None)
        loss, gradients = measured(begun if "train-restarted" in s else network, batch)
        layers = begun if "train-restarted" in s else network
        stepped = [
            {name: value - rate * np.asarray(parts[name]) if name in parts and name in names else value
             for name, value in layer.items()}
            for layer, parts in zip(layers, gradients, strict=True)
        ]  # fmt: skip
        if "train-only-last-layer" in s:
            stepped[:-1] = layers[:-1]
        if "train-last-layer-not-trained" in s:
            stepped[-1] = layers[-1]
        network = stepped
        losses.append(measured(network, batch)[0] if "train-loss-after-step" in s else loss)
    if "train-start-returned" in s:
        network = begun
    result = np.array(losses)
    if "train-last-loss" in s:
        result = result[-1]
    if "train-last-loss/2" in s:
        result = result.mean()
    if "train-last-loss/3" in s:
        result = result[-1:]
    layers = [{**layer} for layer in network]
    return (layers, result) if "train-order" in s else (result, layers)


QUESTIONS = {
    "gradients": Question(
        gradients_inputs,
        gradients,
        ("gradients",),
        given=("hidden_forward", "hidden_backward", "cross_entropy"),
        ways={"gradients-flag-ignored": 2, "gradients-last-weight-not-passed": 3},
    ),
    "train": Question(
        train_inputs,
        train,
        ("train",),
        pairs=False,
        given=("loss_and_gradients",),
        ways={"train-flag-ignored": 2, "train-last-loss": 3},
    ),
    **sweeps.QUESTIONS,
    **mending.QUESTIONS,
}
"""By the answer's name in the assignment."""
