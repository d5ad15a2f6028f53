"""Internal covariate shift, measured in two ways; and whether it matters.

The paper defines it by distributions (section 2): a layer's inputs change because the layers below are trained.
`distribution` measures that: how far the mean and the deviation of a layer's inputs move in one step. Santurkar et
al. (2018) measure what the layer feels: its gradient before the layers below make their step, and after it, on the
same batch. As a control, noise with a random mean and scale, new at every step and for every feature, is put behind
each normalization: it moves distributions on purpose.

The noise must be held between the two gradients. Where it is drawn again (`shift_redrawn`), a step of length zero
already changes the gradient (`zero_step_redrawn`), and the measure tells of the noise rather than of the step.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cosine_similarity, cross_entropy

from bncourse.experiments.data import training_count
from bncourse.experiments.networks import linear_layers, mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Array, Tensors, accuracy, batches, outcome, tensors, train

QUESTION = "Does batch normalization reduce internal covariate shift, and is that why it helps?"


@dataclass(frozen=True, kw_only=True)
class InternalShiftConfig(Config):
    """The shift is looked at every `every` steps, in the last hidden layer and in all hidden ones on average."""

    norms: tuple[str, ...] = ("none", "batch", "noisy batch")
    activations: tuple[str, ...] = ("sigmoid", "relu")
    widths: tuple[int, ...] = (100, 64)
    """One width an activation."""
    depths: tuple[int, ...] = (3, 5)
    """Hidden layers, one number an activation."""
    rates: tuple[float, ...] = (0.1, 0.3, 1.0)
    steps: int = 1000
    every: int = 50
    batch_size: int = 60
    held_out: int = 10_000
    """Training pictures, the last ones, by which a network's best rate may be chosen."""
    noise: float = 0.5
    """Standard deviation of the random mean and of the logarithm of the random scale."""


FULL = InternalShiftConfig(data="mnist")
QUICK = InternalShiftConfig(seeds=(0, 1, 2), activations=("sigmoid",), rates=(1.0,), steps=300, every=20, held_out=200)


class NoisyBatchNorm(nn.BatchNorm1d):
    """Batch normalization whose result is given another mean and scale at every training step, by chance.

    Each layer has a generator of its own. Its seed follows from PyTorch's generator, which stays as it is, so that the
    network starts with the weights that it has without noise.
    """

    def __init__(self, features: int, noise: float) -> None:
        super().__init__(features)
        self.noise = noise
        with torch.random.fork_rng(devices=[]):
            self.generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalize, then shift and scale at random (the same for the whole batch), in training only."""
        y: torch.Tensor = super().forward(x)
        if not self.training:
            return y
        mean, log_scale = self.noise * torch.randn((2, x.shape[1]), generator=self.generator)
        moved: torch.Tensor = y * torch.exp(log_scale) + mean
        return moved


class Noise:
    """The state of a network's noise, so that the same noise can be drawn once more."""

    def __init__(self, model: nn.Module) -> None:
        layers = [layer for layer in model.modules() if isinstance(layer, NoisyBatchNorm)]
        self.states = [(layer.generator, layer.generator.get_state()) for layer in layers]

    def rewind(self) -> None:
        """Let the next forward pass draw what was drawn after this state was kept."""
        for generator, state in self.states:
            generator.set_state(state)


def units(config: InternalShiftConfig, finished: Finished) -> list[Unit]:
    """Plan every network at every rate."""
    return grid(config.seeds, activation=config.activations, norm=config.norms, rate=config.rates)


def measure(config: InternalShiftConfig, unit: Unit) -> dict[str, Any]:
    """Train, and now and then take one step apart."""
    x, y, x_test, y_test = tensors(config.data, device=config.device)
    cut = training_count(config.data, len(x), config.held_out)
    data = Tensors(x[:cut], y[:cut], x_test, y_test)
    torch.manual_seed(unit.seed)
    norm = (lambda n: NoisyBatchNorm(n, config.noise)) if unit["norm"] == "noisy batch" else unit["norm"]
    place = config.activations.index(unit["activation"])
    hidden = [config.widths[place]] * config.depths[place]
    model = mlp(x[0].numel(), hidden, norm=norm, activation=unit["activation"]).to(config.device)
    probes = batches(cut, config.batch_size, unit.seed + 500)
    looks: list[dict[str, float]] = []

    def look(step: int, loss: float) -> None:
        if step % config.every == 0:
            looks.append(take_apart(model, data, next(probes), unit["rate"]))

    order = batches(cut, config.batch_size, unit.seed)
    losses = train(model, data, order, steps=config.steps, rate=unit["rate"], on_step=look)
    found = {name: np.array([each[name] for each in looks]) for name in (looks[0] if looks else NOTHING)}
    return {
        "accuracy": accuracy(model, x_test, y_test),
        "held_out": accuracy(model, x[cut:], y[cut:]),
        **{name: float(np.mean(values)) if looks else np.nan for name, values in found.items()},
        "shifts": found["shift"],
        "mean_loss": float(np.mean(losses)),
        **outcome(losses),
    }


NOTHING = (
    "shift",
    "shift_all_layers",
    "cosine",
    "zero_step",
    "shift_redrawn",
    "zero_step_redrawn",
    "distribution",
    "zero_step_distribution",
    "distribution_held",
)
"""What one look measures."""


def take_apart(model: nn.Module, data: Tensors, index: Array, rate: float) -> dict[str, float]:
    """Measure one step in every way, and leave the model and its noise as they were."""
    noise = Noise(model)
    changes, cosines = gradient_shift(model, data, index, rate)
    zero, _ = gradient_shift(model, data, index, 0.0)
    redrawn, _ = gradient_shift(model, data, index, rate, hold=False)
    zero_redrawn, _ = gradient_shift(model, data, index, 0.0, hold=False)
    moved = [distribution_shift(model, data, index, length) for length in (rate, 0.0)]
    held = distribution_shift(model, data, index, rate, hold=True)
    noise.rewind()
    found = (changes[-1], changes.mean(), cosines[-1], zero[-1], redrawn[-1], zero_redrawn[-1], *moved, held)
    return {name: float(value) for name, value in zip(NOTHING, found, strict=True)}


def gradient_shift(
    model: nn.Module, data: Tensors, index: Array, rate: float, *, hold: bool = True
) -> tuple[Array, Array]:
    """Compare each hidden layer's gradient before and after the layers below it have made their step.

    Parameters
    ----------
    model : nn.Module
        Its linear layers are looked at; it is left as it was, its noise included where that is held.
    data : Tensors
    index : array of int
        The batch, the same for both gradients.
    rate : float
        Length of the step; 0 is the control: nothing has moved, so nothing may be found.
    hold : bool
        Whether a noisy network draws the same noise for both gradients.

    Returns
    -------
    change : array of shape (layers,)
        Norm of the difference, relative to the gradient before; from the second hidden layer on.
    cosine : array of shape (layers,)
        Of the angle between the two.
    """
    x, y = data.x_train[torch.from_numpy(index)], data.y_train[torch.from_numpy(index)]
    weights = [layer.weight for layer in linear_layers(model)]
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    noise = Noise(model)
    before = torch.autograd.grad(cross_entropy(model(x), y), weights)
    changes, cosines = [], []
    for position in range(1, len(weights) - 1):
        with torch.no_grad():  # the layers below make their step, this one and those above wait
            weights[position - 1] -= rate * before[position - 1]
        if hold:
            noise.rewind()
        (after,) = torch.autograd.grad(cross_entropy(model(x), y), [weights[position]])
        changes.append(float((after - before[position]).norm() / before[position].norm()))
        cosines.append(float(cosine_similarity(after.flatten(), before[position].flatten(), dim=0)))
    model.load_state_dict(kept)
    if hold:
        noise.rewind()
    return np.array(changes), np.array(cosines)


def distribution_shift(model: nn.Module, data: Tensors, index: Array, rate: float, *, hold: bool = False) -> float:
    """Measure how far one step of all layers moves the distribution of the last hidden layer's inputs.

    Each unit's distribution is taken for normal; the distance between two of them is then
    sqrt((difference of means)^2 + (difference of deviations)^2). Noise is drawn for each step, as in training, or held:
    then only the step itself is left.

    Returns
    -------
    float
        Root mean square of the distances over units, relative to that of the deviations before.
    """
    x, y = data.x_train[torch.from_numpy(index)], data.y_train[torch.from_numpy(index)]
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    seen: list[torch.Tensor] = []
    noise = Noise(model)
    hook = linear_layers(model)[-2].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    gradients = torch.autograd.grad(cross_entropy(model(x), y), list(model.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter.sub_(gradient, alpha=rate)
        if hold:
            noise.rewind()
        model(x)
    hook.remove()
    model.load_state_dict(kept)
    (mean, std), (mean_after, std_after) = ((h.mean(0), h.std(0, correction=0)) for h in seen)
    distance = (mean_after - mean).square() + (std_after - std).square()
    return float((distance.mean() / std.square().mean()).sqrt())
