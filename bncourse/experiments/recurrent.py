"""Recurrent networks: one set of statistics for each time step, one for all, or layer normalization.

A digit is read row by row, top to bottom, by an LSTM. At the first step the hidden state is a constant, later it
carries a picture: its mean and variance change with the step. In training each step is normalized by its own batch in
either case; the question is what inference uses: moving averages of each step (Cooijmans 2016), or one pair for all.
Gamma starts at 0.1, and for comparison at 1, as elsewhere.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import accuracy, batches, outcome, tensors, train
from bncourse.torch_bn.recurrent_layer import BatchNormLSTMCell

QUESTION = "What must change for recurrent networks: statistics per time step, one for all, or layer normalization?"


@dataclass(frozen=True, kw_only=True)
class RecurrentConfig(Config):
    """Rows of a picture as a sequence."""

    norms: tuple[str, ...] = ("none", "per step", "one for all", "layer")
    gammas: tuple[float, ...] = (0.1, 1.0)
    """Where gamma starts, in the normalized networks."""
    hidden: int = 64
    steps: int = 250
    batch_size: int = 60
    rate: float = 0.002
    """Of Adam."""


FULL = RecurrentConfig(data="mnist")
QUICK = RecurrentConfig(seeds=(0, 1, 2), gammas=(0.1,), hidden=32, steps=120, rate=0.01)


def units(config: RecurrentConfig, finished: Finished) -> list[Unit]:
    """Plan every normalization; without one there is no gamma."""
    planned = grid(config.seeds, norm=[norm for norm in config.norms if norm == "none"])
    return planned + grid(config.seeds, norm=[n for n in config.norms if n != "none"], gamma=config.gammas)


def measure(config: RecurrentConfig, unit: Unit) -> dict[str, Any]:
    """Train once; read with the stored statistics and with those of test batches."""
    data = tensors(config.data, device=config.device)
    torch.manual_seed(unit.seed)
    side = data.x_train.shape[-1]
    gamma = float(dict(unit.condition).get("gamma", 1.0))
    model = RowReader(side, config.hidden, unit["norm"], gamma).to(config.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.rate)
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=config.rate, optimizer=optimizer)
    values = {
        "accuracy": accuracy(model, data.x_test, data.y_test),
        "batch_accuracy": accuracy(model, data.x_test, data.y_test, batch_statistics=True),
        **outcome(losses),
    }
    if unit["norm"] == "per step":
        norm = model.cell.norm_h
        values["mean_by_step"] = norm.running_mean.abs().mean(dim=1).numpy()
        values["std_by_step"] = norm.running_var.sqrt().mean(dim=1).numpy()
    return values


class RowReader(nn.Module):
    """An LSTM that reads one row a step, and a linear read-out of its last state."""

    def __init__(self, side: int, hidden: int, norm: str, gamma: float) -> None:
        super().__init__()
        self.cell = BatchNormLSTMCell(side, hidden, max_steps=1 if norm == "one for all" else side)
        for name in ("norm_x", "norm_h", "norm_c"):
            features = hidden if name == "norm_c" else 4 * hidden
            if norm == "layer":
                setattr(self.cell, name, Stepless(nn.LayerNorm(features, bias=name == "norm_c")))
            if norm == "none":
                setattr(self.cell, name, Stepless(nn.Identity()))
            else:
                nn.init.constant_(dict(self.cell.named_parameters())[_weight(name, norm)], gamma)
        self.read_out = nn.Linear(hidden, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Read pictures of shape (N, 1, side, side)."""
        state = self.cell.start(len(x))
        for step, row in enumerate(x[:, 0].unbind(dim=1)):
            state = self.cell(row, state, step)
        logits: torch.Tensor = self.read_out(state[0])
        return logits


def _weight(name: str, norm: str) -> str:
    return f"{name}.layer.weight" if norm == "layer" else f"{name}.weight"


class Stepless(nn.Module):
    """A layer that does the same at every time step, in the place of one that does not."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor, step: int) -> torch.Tensor:
        """Apply the layer."""
        y: torch.Tensor = self.layer(x)
        return y
