"""Digits in another light: recomputed statistics adapt a trained network without a label (AdaBN, Li 2016).

A network is trained on clean pictures and tested on fainter, brighter, blurred, noisy and inverted ones: with the
statistics of its training, and with statistics recomputed on unlabeled pictures of the new kind. The weights stay as
they are. For comparison, a network without normalization, and both trained on distorted pictures to begin with
(section 4.2.1 of the paper distorts less: batch norm shows each picture less often).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import avg_pool2d

from bncourse.experiments.networks import mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Tensors, accuracy, batches, tensors, train
from bncourse.torch_bn.recompute import recompute_statistics

QUESTION = "Can batch normalization follow a new domain by recomputing its statistics?"

SHIFTS = ("clean", "faint", "bright", "blurred", "noisy", "inverted")


@dataclass(frozen=True, kw_only=True)
class AdaBNConfig(Config):
    """Each trained network is tested on every kind of shift."""

    norms: tuple[str, ...] = ("none", "batch")
    training: tuple[str, ...] = ("clean", "distorted")
    hidden: tuple[int, ...] = (100, 100)
    steps: int = 5000
    batch_size: int = 60
    rate: float = 0.1


FULL = AdaBNConfig(data="mnist", seeds=tuple(range(8)))
QUICK = AdaBNConfig(seeds=(0, 1, 2, 3), steps=400)


def units(config: AdaBNConfig, finished: Finished) -> list[Unit]:
    """Plan the networks; each is tested on every kind of shift."""
    return grid(config.seeds, norm=config.norms, training=config.training)


def measure(config: AdaBNConfig, unit: Unit) -> dict[str, Any]:
    """Train on clean or distorted pictures; test under every shift, before and after recomputing."""
    data = tensors(config.data, device=config.device)
    torch.manual_seed(unit.seed)
    model = mlp(data.x_train[0].numel(), config.hidden, norm=unit["norm"]).to(config.device)
    shown = _distorted(data, unit.seed) if unit["training"] == "distorted" else data
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    train(model, shown, order, steps=config.steps, rate=config.rate)
    trained = {name: value.clone() for name, value in model.state_dict().items()}
    values = {}
    for kind in SHIFTS:
        generator = torch.Generator().manual_seed(unit.seed)
        x_test = shift(data.x_test, kind, generator)
        model.load_state_dict(trained)
        values[f"{kind}_before"] = accuracy(model, x_test, data.y_test)
        if unit["norm"] == "batch":
            unlabeled = shift(data.x_train[: len(x_test)], kind, generator)
            recompute_statistics(model, torch.split(unlabeled, 100))
            values[f"{kind}_after"] = accuracy(model, x_test, data.y_test)
    return values


def shift(x: torch.Tensor, kind: str, generator: torch.Generator) -> torch.Tensor:
    """Pictures of shape (N, 1, side, side) as another camera would take them."""
    if kind == "faint":
        return 0.3 * x
    if kind == "bright":
        return 0.5 + 0.5 * x
    if kind == "blurred":
        return avg_pool2d(x, 3, stride=1, padding=1)
    if kind == "noisy":
        return x + 0.3 * torch.randn(x.shape, generator=generator)
    if kind == "inverted":
        return 1.0 - x
    return x


def _distorted(data: Tensors, seed: int) -> Tensors:
    """Half of the training pictures clean, the others in equal parts faint, bright, blurred and noisy."""
    generator = torch.Generator().manual_seed(seed)
    part = len(data.x_train) // 8
    x = data.x_train.clone()
    for position, kind in enumerate(("faint", "bright", "blurred", "noisy")):
        chosen = slice(position * part, (position + 1) * part)
        x[chosen] = shift(x[chosen], kind, generator)
    return data._replace(x_train=x)
