"""Where company leaks: two losses in which a sample's batch-mates tell the network what it should have found out.

`contrastive`: two noisy views of each digit must be matched among all views of a batch. The batch is spread over groups
with statistics of their own, as over several machines. If both views of a digit are normalized in groups of the same
members, the statistics they share give the pair away. Momentum contrast shuffles the second views between the groups
for this reason (He et al. 2020). Each network is asked to match test digits with the groups it was trained with, and
with shuffled ones; what it loses is what it had read off its company.

`discriminator`: a network with batch norm on its input tells real samples from generated ones, given the real ones and
the generated ones as two batches or mixed in one. In two batches each is brought to mean 0 and variance 1 by itself, so
that a difference in mean or scale cannot be seen at all; a difference in shape still can.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize

from bncourse.experiments.held_out import pictures
from bncourse.experiments.networks import linear
from bncourse.experiments.result import Label, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Tensors, batches
from bncourse.experiments.tuning import TunedConfig, plan

QUESTION = "Where does a sample's company tell a network what it should have found out for itself?"


@dataclass(frozen=True, kw_only=True)
class CompanyConfig(TunedConfig):
    """Small views and small groups, where company says most."""

    ways: tuple[str, ...] = ("same groups", "shuffled groups", "one batch")
    group: int = 4
    groups: int = 16
    view_noise: float = 0.5
    temperature: float = 0.2
    steps: int = 300
    hidden: int = 64
    features: int = 16
    differences: tuple[str, ...] = ("mean", "scale", "shape")
    feeds: tuple[str, ...] = ("two batches", "one batch")
    discriminator_steps: int = 300
    discriminator_batch: int = 64


FULL = CompanyConfig(rates=(0.03, 0.1, 0.3), tuning_seeds=(1000, 1001, 1002), held_out=200, limits=(0.001, 3.0))
QUICK = CompanyConfig(
    seeds=(0, 1, 2),
    rates=(0.1,),
    limits=(0.1, 0.1),
    tuning_seeds=(1000,),
    held_out=200,
    steps=100,
    ways=("same groups", "shuffled groups"),
    discriminator_steps=150,
)


def units(config: CompanyConfig, finished: Finished) -> list[Unit]:
    """Plan the discriminators, then the contrastive networks."""
    planned = grid(config.seeds, part=["discriminator"], difference=config.differences, feed=config.feeds)
    arms: list[dict[str, Label]] = [{"way": way} for way in config.ways]
    return planned + plan(config, finished, arms)


def measure(config: CompanyConfig, unit: Unit) -> dict[str, Any]:
    """Train one network, and ask it with and without its company."""
    torch.manual_seed(unit.seed)
    if unit["part"] == "discriminator":
        return discriminator(config, unit["difference"], unit["feed"], unit.seed)
    return contrastive(config, unit["way"], unit["part"], unit["rate"], unit.seed)


class Encoder(nn.Module):
    """Two layers with batch norm over groups of consecutive samples, and features of length 1."""

    def __init__(self, inputs: int, hidden: int, features: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([linear(inputs, hidden, bias=False), linear(hidden, hidden, bias=False)])
        self.read_out = linear(hidden, features)

    def forward(self, x: torch.Tensor, group: int) -> torch.Tensor:
        """Encode x of shape (N, inputs), each `group` of consecutive samples with its own statistics."""
        h = x
        for layer in self.layers:
            h = layer(h).unflatten(0, (-1, group))
            h = (h - h.mean(1, keepdim=True)) / (h.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
            h = torch.relu(h.flatten(0, 1))
        return normalize(self.read_out(h), dim=1)


def match(
    config: CompanyConfig, encoder: Encoder, x: torch.Tensor, way: str, generator: torch.Generator
) -> tuple[torch.Tensor, float]:
    """Draw two views of every sample; return the contrastive loss and the share of pairs that are matched rightly."""
    count = len(x)
    first, second = (x + config.view_noise * torch.randn(x.shape, generator=generator) for _ in range(2))
    group = count if way == "one batch" else config.group
    order = torch.randperm(count, generator=generator) if way == "shuffled groups" else torch.arange(count)
    keys = torch.empty(count, config.features).index_copy(0, order, encoder(second[order], group))
    logits = encoder(first, group) @ keys.T / config.temperature
    target = torch.arange(count)
    return cross_entropy(logits, target), float((logits.argmax(1) == target).double().mean())


def contrastive(config: CompanyConfig, way: str, part: str, rate: float, seed: int) -> dict[str, Any]:
    """Train an encoder, and match held-out or test digits with the company of its training and without it."""
    data = pictures(config, part)
    flat = Tensors(data.x_train.flatten(1), data.y_train, data.x_test.flatten(1), data.y_test)
    encoder = Encoder(flat.x_train.shape[1], config.hidden, config.features)
    optimizer = torch.optim.SGD(encoder.parameters(), lr=rate, momentum=0.9)
    generator = torch.Generator().manual_seed(seed)
    size = config.group * config.groups
    order = batches(len(flat.x_train), size, seed)
    for _ in range(config.steps):
        loss, _ = match(config, encoder, flat.x_train[torch.from_numpy(next(order))], way, generator)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    def matched(as_if: str) -> float:
        parts = [part for part in torch.split(flat.x_test, size) if len(part) == size]
        with torch.no_grad():
            return float(np.mean([match(config, encoder, p, as_if, generator)[1] for p in parts]))

    without = matched("one batch" if way == "one batch" else "shuffled groups")
    if part == "tuning":
        return {"held_out": matched(way)}
    return {"accuracy": matched(way), "without_company": without, "read_off": matched(way) - without}


def samples(difference: str, count: int, *, real: bool, generator: torch.Generator) -> torch.Tensor:
    """Draw (count, 2): normal real ones, and generated ones that differ in mean, in scale, or in shape only."""
    z = torch.randn(count, 2, generator=generator)
    if real:
        return z
    if difference == "mean":
        return z + 1.0
    if difference == "scale":
        return 2.0 * z
    return torch.sign(z) * (1.0 + 0.1 * torch.randn(count, 2, generator=generator))


def discriminator(config: CompanyConfig, difference: str, feed: str, seed: int) -> dict[str, Any]:
    """Train a discriminator on one feed, and test it on the same feed and on single samples."""
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.BatchNorm1d(2), linear(2, 32), nn.ReLU(), linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    size = config.discriminator_batch
    labels = torch.cat([torch.ones(size), torch.zeros(size)])

    def answers() -> torch.Tensor:
        real, made = (samples(difference, size, real=kind, generator=generator) for kind in (True, False))
        parts = (real, made) if feed == "two batches" else (torch.cat([real, made]),)
        return torch.cat([model(part)[:, 0] for part in parts])

    for _ in range(config.discriminator_steps):
        loss = binary_cross_entropy_with_logits(answers(), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        in_training = np.mean([float(((answers() > 0) == (labels > 0)).double().mean()) for _ in range(20)])
        model.eval()
        single = np.mean([float(((answers() > 0) == (labels > 0)).double().mean()) for _ in range(20)])
    return {"batch_accuracy": float(in_training), "single_accuracy": float(single)}
