"""Batch normalization as a regularizer: beside dropout and L2, as noise, and as an effective learning rate.

Three parts. `grid`: dropout x L2 x batch norm on a small training set, where regularization is needed (section 3.4).
`noise`: one example's normalized value depends on its batch-mates; how much it varies with m. `equilibrium`: a weight
before a normalization has no scale of its own, so L2 cannot make its function simpler; it only keeps the weight short
and its steps long. In the long run a step turns the weight by about sqrt(2 * rate * decay), whatever rate and decay
are by themselves.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from bncourse.experiments.networks import linear_layers, mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Tensors, accuracy, batches, outcome, tensors, train

QUESTION = "Is batch normalization a regularizer, and what do dropout and L2 still add to it?"


@dataclass(frozen=True, kw_only=True)
class RegularizationConfig(Config):
    """`train` pictures only: few enough to be learned by heart."""

    train: int = 1000
    hidden: tuple[int, ...] = (100, 100)
    steps: int = 3000
    batch_size: int = 50
    rate: float = 0.1
    norms: tuple[str, ...] = ("none", "batch")
    dropouts: tuple[float, ...] = (0.0, 0.25, 0.5)
    decays: tuple[float, ...] = (0.0, 0.0001, 0.001, 0.01)
    noise_sizes: tuple[int, ...] = (2, 4, 8, 16, 32, 64, 128, 256)
    noise_batches: int = 500
    pairs: tuple[tuple[float, float], ...] = ((0.02, 0.05), (0.1, 0.01), (0.5, 0.002), (0.1, 0.04), (0.1, 0.0025))
    """Rate and decay; the first three have the same product, 0.001, the others four times and a quarter of it."""
    equilibrium_steps: int = 8000


FULL = RegularizationConfig(data="mnist")
QUICK = RegularizationConfig(
    seeds=(0, 1, 2),
    train=200,
    hidden=(50, 50),
    steps=300,
    dropouts=(0.0, 0.5),
    decays=(0.0, 0.01),
    noise_sizes=(4, 16, 64),
    noise_batches=200,
    pairs=((0.5, 0.05), (0.25, 0.1), (0.5, 0.0125)),
    equilibrium_steps=600,
)


def units(config: RegularizationConfig, finished: Finished) -> list[Unit]:
    """Plan the three parts."""
    planned = grid(config.seeds, part=["grid"], norm=config.norms, dropout=config.dropouts, decay=config.decays)
    planned += grid(config.seeds, part=["noise"], batch_size=config.noise_sizes)
    for rate, decay in config.pairs:
        planned += grid(config.seeds, part=["equilibrium"], rate=[rate], decay=[decay])
    return planned


def measure(config: RegularizationConfig, unit: Unit) -> dict[str, Any]:
    """Do one unit of whichever part."""
    everything = tensors(config.data, device=config.device)
    count = config.train
    data = Tensors(everything.x_train[:count], everything.y_train[:count], everything.x_test, everything.y_test)
    torch.manual_seed(unit.seed)
    inputs = data.x_train[0].numel()
    if unit["part"] == "noise":
        x = linear_layers(mlp(inputs, config.hidden))[0](everything.x_train.flatten(1)).detach()
        return {"noise": _noise(x, unit["batch_size"], config.noise_batches, unit.seed)}
    order = batches(count, config.batch_size, unit.seed)
    if unit["part"] == "grid":
        model = _with_dropout(mlp(inputs, config.hidden, norm=unit["norm"]), unit["dropout"]).to(config.device)
        losses = train(model, data, order, steps=config.steps, rate=config.rate, weight_decay=unit["decay"])
        return {
            "accuracy": accuracy(model, data.x_test, data.y_test),
            "train_accuracy": accuracy(model, data.x_train, data.y_train),
            **outcome(losses),
        }
    model = mlp(inputs, config.hidden, norm="batch").to(config.device)
    order = batches(len(everything.x_train), config.batch_size, unit.seed)  # what is learned by heart turns no more
    return _equilibrium(model, everything, order, unit["rate"], unit["decay"], config.equilibrium_steps)


def _with_dropout(model: nn.Sequential, share: float) -> nn.Sequential:
    """Put dropout behind every nonlinearity."""
    layers = [[layer, nn.Dropout(share)] if isinstance(layer, nn.ReLU) else [layer] for layer in model]
    return nn.Sequential(*(layer for pair in layers for layer in pair))


def _noise(x: torch.Tensor, size: int, count: int, seed: int) -> float:
    """Spread of an example's normalized value over random batch-mates: rms over features and 20 examples."""
    rng = np.random.default_rng([seed, 63])
    variances = []
    for example in range(20):
        mates = torch.from_numpy(rng.integers(20, len(x), (count, size - 1)))
        batch = torch.cat([x[example].expand(count, 1, -1), x[mates]], dim=1)  # (count, size, features)
        x_hat = (batch[:, 0] - batch.mean(1)) / torch.sqrt(batch.var(1, correction=0) + 1e-5)
        variances.append(x_hat.var(0))
    return float(torch.stack(variances).mean().sqrt())


def _equilibrium(model: nn.Module, data: Tensors, order: Any, rate: float, decay: float, steps: int) -> dict[str, Any]:
    """Train with L2 on the normalized weights only; follow the first one's length and how far each step turns it."""
    decayed = [layer.weight for layer in linear_layers(model)[:-1]]
    rest = [p for p in model.parameters() if all(p is not weight for weight in decayed)]
    groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": decay}, {"params": rest}]
    optimizer = torch.optim.SGD(groups, lr=rate)
    lengths, turns = [], []
    before = decayed[0].detach().clone()

    def look(step: int, loss: float) -> None:
        after = decayed[0].detach()
        turns.append(float((after / after.norm() - before / before.norm()).norm()))
        lengths.append(float(after.norm()))
        before.copy_(after)

    train(model, data, order, steps=steps, rate=rate, optimizer=optimizer, on_step=look)
    tail = steps // 4
    return {
        "turn": float(np.sqrt(np.mean(np.square(turns[-tail:])))),
        "expected_turn": float(np.sqrt(2 * rate * decay)),
        "length": float(np.mean(lengths[-tail:])),
        "lengths": np.array(lengths[:: steps // 50]),
        "turns": np.array([np.mean(part) for part in np.array_split(turns, 50)]),
    }
