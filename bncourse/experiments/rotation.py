r"""How far a step turns weights before a normalization, under weight decay, once growth and decay balance.

Such weights have a direction and no scale. A step at right angles to them makes them longer, decay makes them shorter,
and in the balance each step turns them by about sqrt(2 * rate * decay), whatever the gradient's size. The product of
rate and decay is all that is left. This holds for plain gradient descent with L2, and for AdamW, whose steps have one
size and whose decay is a part of the step. Momentum m makes successive steps alike: in the balance the
weights wander just as fast, in shorter steps. The factor is 1 / (1 + m) for the square of the turn under SGD,
where momentum also raises the rate, and (1 - m) / (1 + m) under AdamW.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bncourse.experiments.networks import linear_layers, mlp
from bncourse.experiments.result import Config, Label, Unit
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import batches, tensors, train

QUESTION = "How far does a step turn the weights once weight decay and growth balance, under SGD and under AdamW?"


@dataclass(frozen=True, kw_only=True)
class RotationConfig(Config):
    """Each entry is an optimizer, its momentum, a learning rate and a weight decay."""

    runs: tuple[tuple[str, float, float, float], ...] = (
        ("SGD", 0.0, 0.1, 0.01),
        ("SGD", 0.0, 0.5, 0.002),
        ("SGD", 0.0, 0.1, 0.04),
        ("SGD", 0.9, 0.05, 0.02),
        ("AdamW", 0.0, 0.01, 0.1),
        ("AdamW", 0.9, 0.01, 0.1),
    )
    hidden: tuple[int, ...] = (64, 64)
    steps: int = 4500
    batch_size: int = 50


FULL = RotationConfig(data="mnist")
QUICK = RotationConfig(
    seeds=(0, 1, 2),
    runs=(("SGD", 0.0, 0.5, 0.05), ("SGD", 0.0, 0.25, 0.1), ("AdamW", 0.0, 0.02, 0.5), ("AdamW", 0.9, 0.02, 0.5)),
    hidden=(32,),
    steps=300,
)


LABELS = ("optimizer", "momentum", "rate", "decay")


def labels(run: tuple[str, float, float, float]) -> dict[str, Label]:
    """Name the condition of an entry of `runs`."""
    return dict(zip(LABELS, run, strict=True))


def units(config: RotationConfig, finished: Finished) -> list[Unit]:
    """Plan every optimizer with every pair of rate and decay."""
    return [Unit.of(seed, **labels(run)) for seed in config.seeds for run in config.runs]


def expected_turn(optimizer: str, momentum: float, rate: float, decay: float) -> float:
    """Return the turn of a step in the balance, in radians.

    >>> round(expected_turn("SGD", 0.0, 0.5, 0.01), 6), round(expected_turn("AdamW", 0.6, 0.5, 0.01), 6)
    (0.1, 0.05)
    """
    alike = 1 / (1 + momentum) if optimizer == "SGD" else (1 - momentum) / (1 + momentum)
    return float(np.sqrt(2 * rate * decay * alike))


def measure(config: RotationConfig, unit: Unit) -> dict[str, Any]:
    """Train with decay on the normalized weights only; follow the first one's length and the turn of each step."""
    data = tensors(config.data, device=config.device)
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm="batch").to(config.device)
    decayed = [layer.weight for layer in linear_layers(model)[:-1]]
    rest = [p for p in model.parameters() if all(p is not weight for weight in decayed)]
    groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": unit["decay"]}, {"params": rest}]
    optimizer: torch.optim.Optimizer
    if unit["optimizer"] == "SGD":
        optimizer = torch.optim.SGD(groups, lr=unit["rate"], momentum=unit["momentum"])
    else:
        groups[1]["weight_decay"] = 0.0
        optimizer = torch.optim.AdamW(groups, lr=unit["rate"], betas=(unit["momentum"], 0.999))
    lengths, turns = [], []
    before = decayed[0].detach().clone()

    def look(step: int, loss: float) -> None:
        after = decayed[0].detach()
        turns.append(float((after / after.norm() - before / before.norm()).norm()))
        lengths.append(float(after.norm()))
        before.copy_(after)

    order = batches(len(data.x_train), config.batch_size, unit.seed)
    train(model, data, order, steps=config.steps, rate=unit["rate"], optimizer=optimizer, on_step=look)
    tail = config.steps // 4
    return {
        "turn": float(np.sqrt(np.mean(np.square(turns[-tail:])))),
        "expected_turn": expected_turn(*(unit[name] for name in LABELS)),
        "length": float(np.mean(lengths[-tail:])),
        "lengths": np.array(lengths[:: config.steps // 50]),
        "turns": np.array([np.mean(part) for part in np.array_split(turns, 50)]),
    }
