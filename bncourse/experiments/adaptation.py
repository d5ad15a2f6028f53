"""Adapting to another domain at test time: recomputed statistics, and entropy minimization of gamma and beta.

A network is trained on clean digits and tested on shifted ones, as in `adabn`. Four ways: with the statistics of its
training; with those of each test batch; with statistics recomputed on unlabeled pictures of the new kind (AdaBN); and
with the batch's statistics while gamma and beta follow the gradient of the predictions' entropy, batch by batch as
the test pictures come (TENT, Wang et al. 2021). TENT's learning rate is chosen on shifted held-out training pictures.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from bncourse.experiments.adabn import SHIFTS, shift
from bncourse.experiments.networks import mlp, normalizations
from bncourse.experiments.result import Unit
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import accuracy, batches, train
from bncourse.experiments.tuning import TunedConfig, pictures, plan
from bncourse.torch_bn.recompute import recompute_statistics

QUESTION = "How much do recomputed statistics and entropy minimization at test time recover on shifted digits?"


@dataclass(frozen=True, kw_only=True)
class AdaptationConfig(TunedConfig):
    """`rates` are TENT's, of Adam; the network's own rate is that of `adabn`."""

    hidden: tuple[int, ...] = (100, 100)
    steps: int = 1000
    batch_size: int = 60
    rate: float = 0.1
    adapt: int = 2000
    """Pictures of the new kind, unlabeled for AdaBN and to be answered by all."""
    adapt_batch: int = 200


FULL = AdaptationConfig(data="mnist", rates=(0.001, 0.003, 0.01), limits=(0.0001, 1.0), tuning_seeds=(1000,))
QUICK = AdaptationConfig(
    seeds=(0, 1, 2),
    rates=(0.003,),
    limits=(0.003, 0.003),
    tuning_seeds=(1000,),
    held_out=200,
    steps=300,
    adapt_batch=100,
)


def units(config: AdaptationConfig, finished: Finished) -> list[Unit]:
    """Plan one arm: a rate of TENT for all kinds of shift together."""
    return plan(config, finished, [{"adapted": "gamma and beta"}])


def measure(config: AdaptationConfig, unit: Unit) -> dict[str, Any]:
    """Train on clean pictures, and adapt to every kind of shift."""
    part = unit["part"]
    data = pictures(config, part)
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm="batch").to(config.device)
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    train(model, data, order, steps=config.steps, rate=config.rate)
    trained = {name: value.clone() for name, value in model.state_dict().items()}
    values: dict[str, Any] = {}
    for kind in SHIFTS:
        generator = torch.Generator().manual_seed(unit.seed)
        x, y = shift(data.x_test[: config.adapt], kind, generator), data.y_test[: config.adapt]
        if part == "reported":
            values[f"{kind}_before"] = accuracy(model, x, y)
            values[f"{kind}_batch"] = entropy_minimized(model, x, y, 0.0, config.adapt_batch)
            model.load_state_dict(trained)
            unlabeled = shift(data.x_train[: config.adapt], kind, generator)
            recompute_statistics(model, torch.split(unlabeled, config.adapt_batch))
            values[f"{kind}_recomputed"] = accuracy(model, x, y)
            model.load_state_dict(trained)
        values[f"{kind}_tent"] = entropy_minimized(model, x, y, unit["rate"], config.adapt_batch)
        model.load_state_dict(trained)
    tent = [values[f"{kind}_tent"] for kind in SHIFTS]
    if part == "tuning":
        return {"held_out": float(np.mean(tent))}
    shifted = [kind for kind in SHIFTS if kind != "clean"]
    for way in ("before", "batch", "recomputed", "tent"):
        values[f"shifted_{way}"] = float(np.mean([values[f"{kind}_{way}"] for kind in shifted]))
    return values


def entropy_minimized(model: nn.Module, x: torch.Tensor, y: torch.Tensor, rate: float, batch_size: int) -> float:
    """Answer batch by batch with the batch's own statistics; after each, one step on gamma and beta lowers the entropy.

    Parameters
    ----------
    model : nn.Module
        Its gamma and beta are changed, its running statistics too.
    x, y : tensors
        The labels only count the right answers.
    rate : float
        Of Adam; 0 leaves gamma and beta alone.
    batch_size : int

    Returns
    -------
    float
        Share of right answers, each given before the step that its batch makes.
    """
    affine = [p for layer in normalizations(model) for p in (layer.weight, layer.bias)]
    optimizer = torch.optim.Adam(affine, lr=rate)
    model.train()
    right = 0
    for part, labels in zip(torch.split(x, batch_size), torch.split(y, batch_size), strict=True):
        logits = model(part)
        right += int((logits.argmax(1) == labels).sum())
        if rate:
            log_p = logits.log_softmax(1)
            entropy = -(log_p.exp() * log_p).sum(1).mean()
            gradients = torch.autograd.grad(entropy, affine)
            for p, gradient in zip(affine, gradients, strict=True):
                p.grad = gradient
            optimizer.step()
    return right / len(y)
