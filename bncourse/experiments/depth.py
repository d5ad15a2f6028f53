"""What batch normalization is for: networks so deep that nothing learns without help.

Networks of 2, 8 and 32 blocks, plain and residual, are trained at their own best learning rates. `start` looks at the
same networks, and at 64 blocks, before the first step: how large the signal is after every block, which share of it
the block's branch has contributed, and how large the gradient is there. In a residual network without normalization
each branch is as large as all that came before, so the signal grows by a factor in every block. Normalization makes
each branch equally large: the signal grows by addition, and late branches contribute little (De and Smith 2020). What
else starts the branches small: a scalar from 0, or Fixup's start.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from bncourse.experiments.deep_networks import DeepNetwork
from bncourse.experiments.held_out import pictures, score
from bncourse.experiments.result import Label, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Array, batches, outcome, tensors, train
from bncourse.experiments.tuning import TunedConfig, plan

QUESTION = "What is batch normalization for: how deep can a network be without it, with it, and with other helpers?"

ARMS = (
    ("residual", "none"),
    ("residual", "batch"),
    ("residual", "layer"),
    ("residual", "skipinit"),
    ("residual", "fixup"),
    ("plain", "none"),
    ("plain", "batch"),
    ("plain", "layer"),
)
"""The shape of the network and its normalization."""


@dataclass(frozen=True, kw_only=True)
class DepthConfig(TunedConfig):
    """Depths in blocks of two linear layers each."""

    arms: tuple[tuple[str, str], ...] = ARMS
    depths: tuple[int, ...] = (2, 8, 32, 64)
    start_depths: tuple[int, ...] = (2, 8, 32, 64)
    width: int = 64
    steps: int = 200
    batch_size: int = 64
    start_batch: int = 512


FULL = DepthConfig(
    seeds=tuple(range(10)), data="mnist", rates=(0.03, 0.1, 0.3), limits=(1e-6, 3.0), tuning_seeds=(1000,)
)
QUICK = DepthConfig(
    seeds=(0, 1, 2),
    rates=(0.1,),
    limits=(0.1, 0.1),
    tuning_seeds=(1000,),
    held_out=200,
    arms=(("residual", "none"), ("residual", "batch"), ("residual", "skipinit")),
    depths=(16,),
    start_depths=(16,),
    width=32,
    steps=60,
    batch_size=32,
    start_batch=128,
)


def units(config: DepthConfig, finished: Finished) -> list[Unit]:
    """Plan the looks before training, then every network at every depth."""
    start, arms = [], []
    for shape, norm in config.arms:
        start += grid(config.seeds, part=["start"], shape=[shape], norm=[norm], depth=config.start_depths)
    for depth in config.depths:
        labels: list[dict[str, Label]] = [{"shape": shape, "norm": norm, "depth": depth} for shape, norm in config.arms]
        arms += labels
    return start + plan(config, finished, arms)


def measure(config: DepthConfig, unit: Unit) -> dict[str, Any]:
    """Look at one network before training, or train it."""
    torch.manual_seed(unit.seed)
    part = unit["part"]
    data = tensors(config.data, device=config.device) if part == "start" else pictures(config, part)
    options = {"residual": unit["shape"] == "residual", "norm": unit["norm"]}
    model = DeepNetwork(data.x_train[0].numel(), config.width, unit["depth"], **options).to(config.device)
    if part == "start":
        return start(model, data.x_train[: config.start_batch], data.y_train[: config.start_batch])
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"])
    return score(model, data, part) | outcome(losses)


def start(model: DeepNetwork, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
    """Measure the signal, the branches and the gradient after every block, on one batch.

    Returns
    -------
    dict
        `signal`, of shape (blocks + 1,): variance over the batch, mean over units, after the stem and each block.
        `share`, of shape (blocks,): variance of a block's branch, divided by that of the block's output. `gradient`,
        of shape (blocks + 1,): norm of the loss's gradient by the signal, divided by that at the last block.
    """
    seen = model.look(x)
    gradients = torch.autograd.grad(cross_entropy(seen.logits, y), seen.signals)
    signal = np.array([_variance(h) for h in seen.signals])
    branch = np.array([_variance(h) for h in seen.branches])
    norms: Array = np.array([float(gradient.norm()) for gradient in gradients])
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "signal": signal,
            "share": branch / signal[1:],
            "gradient": norms / norms[-1],
            "signal_growth": signal[-1] / signal[0],
            "last_share": branch[-1] / signal[-1],
            "gradient_growth": norms[0] / norms[-1],
        }


def _variance(h: torch.Tensor) -> float:
    return float(h.detach().double().var(0, correction=0).mean())
