"""Recurrent networks: what a blank start does, where gamma should start, and which statistics to read with.

A digit is read row by row, top to bottom, by an LSTM or by a plain net of tanh units. The first rows of MNIST are
blank in every picture. From a hidden state of zeros, all samples are alike as long as the rows are: the variance is
exactly 0, and each normalization multiplies the gradient by gamma / sqrt(eps) on its way back. Cooijmans et al. (2016)
therefore put a little noise into the initial hidden state.

Part `start` measures the gradient on its way back through 28 rows before any training, with and without that noise;
`blank` trains a little on these rows. Parts `tuning` and `reported` train on pictures of 7 rows, with the noise, each
arm at its own best learning rate of Adam. Every trained network is read in four ways: with statistics recomputed
per step, with the moving averages of training, with recomputed statistics pooled over all steps, and with those of the
test batch.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, cross_entropy

from bncourse.experiments.held_out import pictures, score
from bncourse.experiments.result import Label, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Tensors, accuracy, batches, outcome, tensors, train
from bncourse.experiments.tuning import TunedConfig, plan
from bncourse.torch_bn.recurrent_layer import BatchNormLSTMCell, PerStepBatchNorm

QUESTION = "What must change for recurrent networks: the start, gamma, or the statistics that inference uses?"


@dataclass(frozen=True, kw_only=True)
class RecurrentConfig(TunedConfig):
    """Rows of a picture as a sequence."""

    cells: tuple[str, ...] = ("lstm", "tanh")
    norms: tuple[str, ...] = ("batch", "layer")
    gammas: tuple[float, ...] = (0.1, 1.0)
    """Where gamma starts, in the normalized networks."""
    noises: tuple[float, ...] = (0.0, 0.1)
    """Standard deviation of the noise in the initial hidden state, in training."""
    hidden: int = 32
    steps: int = 2000
    blank_steps: int = 60
    blank_rate: float = 0.002
    batch_size: int = 60
    pool: int = 4
    """Rows and columns that are averaged into one, for training."""
    test: int = 2000
    limits: tuple[float, float] = (0.0003, 0.3)
    tanh_seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """More for the trained nets of tanh units, between which five seeds show no difference."""


FULL = RecurrentConfig(tanh_seeds=tuple(range(10)), data="mnist", rates=(0.003, 0.01, 0.03), tuning_seeds=(1000,))
QUICK = RecurrentConfig(
    seeds=(0, 1, 2),
    tanh_seeds=(0, 1, 2),
    cells=("tanh",),
    norms=("batch",),
    rates=(0.03,),
    limits=(0.03, 0.03),
    tuning_seeds=(1000,),
    held_out=200,
    steps=60,
    pool=1,
)


def units(config: RecurrentConfig, finished: Finished) -> list[Unit]:
    """Plan every cell from every start before training, then the trained ones."""
    planned, arms = [], []
    last = config.gammas[-1]
    for cell in config.cells:
        for norm in config.norms:
            planned += grid(
                config.seeds, part=["start"], cell=[cell], norm=[norm], gamma=config.gammas, noise=config.noises
            )
            if cell == "lstm":
                planned += grid(
                    config.seeds, part=["blank"], cell=[cell], norm=[norm], gamma=[last], noise=config.noises
                )
            if cell == "lstm" or norm == "batch":
                arms += [(cell, norm, gamma) for gamma in config.gammas]
        arms += [(cell, "none", last)] if cell == "lstm" else []
    labels: list[dict[str, Label]] = [
        {"cell": cell, "norm": norm, "gamma": gamma, "noise": config.noises[-1]} for cell, norm, gamma in arms
    ]
    for arm in labels:
        seeds = config.tanh_seeds if arm["cell"] == "tanh" else config.seeds
        planned += plan(replace(config, seeds=seeds), finished, [arm])
    return planned


def measure(config: RecurrentConfig, unit: Unit) -> dict[str, Any]:
    """Send a gradient back before training, or train once and read in four ways."""
    torch.manual_seed(unit.seed)
    part, hidden = unit["part"], config.hidden
    options = {"cell": unit["cell"], "norm": unit["norm"], "gamma": unit["gamma"], "noise": unit["noise"]}
    if part == "start":
        x, y, _, _ = tensors(config.data, device=config.device, train=200, test=1)
        return through_time(RowReader(x.shape[-1], hidden, **options).to(config.device), x, y)
    if part == "blank":
        rows = tensors(config.data, device=config.device, train=6000, test=1)
        model = RowReader(rows.x_train.shape[-1], hidden, **options).to(config.device)
        return _blank(config, model, rows, unit.seed)
    data = Tensors(*(avg_pool2d(t, config.pool) if t.ndim == 4 else t for t in pictures(config, part)))
    data = data._replace(x_test=data.x_test[: config.test], y_test=data.y_test[: config.test])
    model = RowReader(data.x_train.shape[-1], hidden, **options).to(config.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=unit["rate"])
    order = batches(len(data.x_train), config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"], optimizer=optimizer)
    values: dict[str, Any] = {**outcome(losses)}
    if part == "reported":
        values["moving_accuracy"] = accuracy(model, data.x_test, data.y_test)
        values["batch_accuracy"] = accuracy(model, data.x_test, data.y_test, batch_statistics=True)
    recompute(model, data.x_train[:2000])
    values |= score(model, data, part)
    if part == "reported" and unit["norm"] == "batch":
        values |= by_step(model)
        pool_over_steps(model)
        values["pooled_accuracy"] = accuracy(model, data.x_test, data.y_test)
    return values


def _blank(config: RecurrentConfig, model: "RowReader", data: Tensors, seed: int) -> dict[str, Any]:
    """Train a little, and say after how many steps the loss was no number any more."""
    optimizer = torch.optim.Adam(model.parameters(), lr=config.blank_rate)
    order = batches(len(data.x_train), config.batch_size, seed)
    steps = config.blank_steps
    losses = train(model, data, order, steps=steps, rate=config.blank_rate, optimizer=optimizer)
    finite = int(np.isfinite(losses).sum())
    return {"finite_steps": finite, "not_finite": float(finite < steps), "loss": float(losses[-1])}


class RowReader(nn.Module):
    """A recurrent net that reads one row a step, and a linear read-out of its last state."""

    def __init__(self, side: int, hidden: int, *, cell: str, norm: str, gamma: float, noise: float) -> None:
        super().__init__()
        kinds = {"lstm": BatchNormLSTMCell, "tanh": TanhCell}
        self.cell = kinds[cell](side, hidden, max_steps=side)
        self.noise = noise
        for name in ("norm_x", "norm_h", "norm_c") if cell == "lstm" else ("norm_x", "norm_h"):
            found = getattr(self.cell, name)
            if norm == "layer":
                found = Stepless(nn.LayerNorm(len(found.weight), bias=name == "norm_c"))
            if norm == "none":
                found = Stepless(nn.Identity())
            else:
                nn.init.constant_(
                    dict(found.named_parameters())["layer.weight" if norm == "layer" else "weight"], gamma
                )
            setattr(self.cell, name, found)
        self.read_out = nn.Linear(hidden, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Read pictures of shape (N, 1, side, side)."""
        return self.look(x)[1]

    def look(self, x: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Return the hidden state after every row, and the logits."""
        h, c = self.cell.start(len(x))
        if self.training and self.noise:
            h = h + self.noise * torch.randn_like(h)
        state, hidden = (h, c), []
        for step, row in enumerate(x[:, 0].unbind(dim=1)):
            state = self.cell(row, state, step)
            hidden.append(state[0])
        return hidden, self.read_out(state[0])


class TanhCell(nn.Module):
    """The plain recurrent net, h = tanh(BN(W_x x) + BN(W_h h) + b), with an unused second state."""

    def __init__(self, input_size: int, hidden_size: int, max_steps: int) -> None:
        super().__init__()
        self.weight_x = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_h = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        self.norm_x = PerStepBatchNorm(hidden_size, max_steps, shift=False)
        self.norm_h = PerStepBatchNorm(hidden_size, max_steps, shift=False)
        for weight in (self.weight_x, self.weight_h):
            nn.init.uniform_(weight, -(hidden_size**-0.5), hidden_size**-0.5)

    def start(self, samples: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the state before the first step: zeros."""
        zeros = self.weight_h.new_zeros(samples, self.weight_h.shape[1])
        return zeros, zeros

    def forward(
        self, x: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor], step: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take one step."""
        h, c = state
        h = torch.tanh(self.norm_x(x @ self.weight_x.T, step) + self.norm_h(h @ self.weight_h.T, step) + self.bias)
        return h, c


class Stepless(nn.Module):
    """A layer that does the same at every time step, in the place of one that does not."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor, step: int) -> torch.Tensor:
        """Apply the layer."""
        y: torch.Tensor = self.layer(x)
        return y


def through_time(model: RowReader, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
    """Measure the loss's gradient at the hidden state of every row, on one batch, before any training."""
    hidden, logits = model.look(x)
    gradients = torch.autograd.grad(cross_entropy(logits, y), hidden)
    norms = np.array([float(gradient.norm()) for gradient in gradients])
    weight = torch.autograd.grad(cross_entropy(model(x), y), [model.cell.weight_h])[0]
    blank = int((x.flatten(2).reshape(len(x), x.shape[-2], -1).std(dim=(0, 2)) > 0).int().argmax())
    return {
        "gradient": norms / norms[-1],
        "first": float(norms[0] / norms[-1]),
        "weight_gradient": float(weight.norm()),
        "blank_rows": blank,
        "spread": np.array([float(h.detach().std(0, correction=0).mean()) for h in hidden]),
    }


def _per_step(model: RowReader) -> list[PerStepBatchNorm]:
    return [layer for layer in model.modules() if isinstance(layer, PerStepBatchNorm)]


@torch.no_grad()
def recompute(model: RowReader, x: torch.Tensor) -> None:
    """Replace the statistics of every time step by the mean over batches of `x`, the weights at rest."""
    for layer in _per_step(model):
        layer.num_batches_tracked.zero_()
        layer.momentum = None
    model.train()
    for part in torch.split(x, 200):
        model(part)


@torch.no_grad()
def pool_over_steps(model: RowReader) -> None:
    """Give all time steps one mean and one variance, those of all steps together."""
    for layer in _per_step(model):
        mean = layer.running_mean.mean(0)
        var = layer.running_var.mean(0) + layer.running_mean.var(0, correction=0)
        layer.running_mean[:], layer.running_var[:] = mean, var


def by_step(model: RowReader) -> dict[str, Any]:
    """Return the size of the mean and the deviation of what comes from the hidden state, at every time step."""
    norm: Any = model.cell.norm_h
    return {
        "mean_by_step": norm.running_mean.abs().mean(dim=1).numpy(),
        "std_by_step": norm.running_var.sqrt().mean(dim=1).numpy(),
    }
