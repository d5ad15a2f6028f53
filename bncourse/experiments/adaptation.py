"""Adapting to another domain at test time: recomputed statistics, and entropy minimization of gamma and beta.

A network is trained on clean digits and tested on shifted ones. Four ways: with the statistics of its training; with
those of each test batch; with statistics recomputed on unlabeled pictures of the new kind (AdaBN); and with the
batch's statistics while gamma and beta follow the gradient of the predictions' entropy, batch by batch as the test
pictures come (TENT, Wang et al. 2021). One learning rate of TENT serves all kinds of shift, since at test time nobody
says which kind it is; it is chosen on shifted held-out training pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import affine_grid, grid_sample, max_pool2d

from bncourse.experiments.held_out import pictures
from bncourse.experiments.networks import mlp, normalizations
from bncourse.experiments.result import Unit
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import accuracy, batches, train
from bncourse.experiments.tuning import TunedConfig, plan
from bncourse.torch_bn.recompute import recompute_statistics

QUESTION = "How much do recomputed statistics and entropy minimization at test time recover on shifted digits?"

TURN = radians(25)

WAYS = ("before", "batch", "recomputed", "tent")


def thick(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw with a broader pen."""
    return max_pool2d(x, 3, stride=1, padding=1)


def uneven(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Add light that grows from the left edge, where it adds nothing, to the right edge."""
    return x + torch.linspace(0, 1, x.shape[-1], device=x.device)


def noisy(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Add noise of standard deviation 0.3 to every pixel."""
    return x + 0.3 * torch.randn(x.shape, generator=generator).to(x.device)


def turned(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Turn every picture by the same angle."""
    turn = torch.tensor([[cos(TURN), -sin(TURN), 0.0], [sin(TURN), cos(TURN), 0.0]], device=x.device)
    places = affine_grid(turn.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return grid_sample(x, places, align_corners=False)


def clean(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Leave the pictures alone."""
    return x


SHIFTS: dict[str, Callable[[torch.Tensor, torch.Generator], torch.Tensor]] = {
    shift.__name__: shift for shift in (clean, uneven, thick, noisy, turned)
}


@dataclass(frozen=True, kw_only=True)
class AdaptationConfig(TunedConfig):
    """`rates` are TENT's, of Adam; `rate` is the network's, with plain gradient descent."""

    hidden: tuple[int, ...] = (100, 100)
    steps: int = 1000
    batch_size: int = 60
    rate: float = 0.1
    adapt: int = 5000
    """Pictures of the new kind: so many unlabeled ones for AdaBN, and as many others to be answered in every way."""
    adapt_batch: int = 100


FULL = AdaptationConfig(seeds=tuple(range(10)), data="mnist", rates=(0.003, 0.01, 0.03))
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
    for kind, shift in SHIFTS.items():
        generator = torch.Generator().manual_seed(unit.seed)
        x, y = shift(data.x_test[: config.adapt], generator), data.y_test[: config.adapt]
        if part == "reported":
            values[f"{kind}_before"] = accuracy(model, x, y)
            values[f"{kind}_batch"] = entropy_minimized(model, x, y, 0.0, config.adapt_batch)
            model.load_state_dict(trained)
            unlabeled = shift(data.x_train[: config.adapt], generator)
            recompute_statistics(model, torch.split(unlabeled, config.adapt_batch))
            values[f"{kind}_recomputed"] = accuracy(model, x, y)
            model.load_state_dict(trained)
        values[f"{kind}_tent"] = entropy_minimized(model, x, y, unit["rate"], config.adapt_batch)
        model.load_state_dict(trained)
    if part == "tuning":
        return {"held_out": float(np.mean([values[f"{kind}_tent"] for kind in SHIFTS]))}
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
