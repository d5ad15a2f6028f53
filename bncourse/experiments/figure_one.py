"""Figure 1 of the paper, with real digits: a sigmoid network with and without batch normalization.

Section 4.1: binary pictures, three hidden layers of 100 sigmoid units, 50,000 steps of 60 examples. The paper states no
learning rate and no scale of the start; here the rate is tuned for each side on held-out training pictures, and
every weight starts as a small Gaussian. It is done twice, by hand in NumPy and in PyTorch, from the same start and
with the same batches.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bncourse.experiments import data as data_sets
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.sigmoid_network import ByHand, InTorch, start
from bncourse.experiments.training import batches

QUESTION = "What does Figure 1 of the paper show, with real digits, tuned learning rates and several seeds?"

Array = np.ndarray[Any, Any]
WRITTEN: dict[str, type[ByHand] | type[InTorch]] = {"numpy": ByHand, "torch": InTorch}


@dataclass(frozen=True, kw_only=True)
class FigureOneConfig(Config):
    """The paper's network and steps; what it leaves open is stated here."""

    hidden: tuple[int, ...] = (100, 100, 100)
    steps: int = 50_000
    batch_size: int = 60
    weight_std: float = 0.1
    rates: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
    tuning_steps: int = 15_000
    tuning_seeds: tuple[int, ...] = (1000, 1001)
    """Other seeds than the reported ones."""
    torch_seeds: tuple[int, ...] = (0,)
    """Seeds that are trained a second time in PyTorch, to see that both give the same curves."""
    held_out: int = 10_000
    """Training pictures that tuning is judged by; the reported runs train on them too."""
    points: int = 50
    """Evaluations, evenly spaced; further ones lie close together at the beginning."""
    probe: int = 2000
    """Test pictures whose sigmoid inputs are recorded."""


FULL = FigureOneConfig(data="mnist", seeds=(0, 1, 2, 3, 4))
QUICK = FigureOneConfig(
    seeds=(0, 1, 2),
    hidden=(30, 30, 30),
    steps=800,
    weight_std=0.2,
    rates=(0.3, 1.0, 3.0, 10.0),
    tuning_steps=400,
    tuning_seeds=(1000,),
    torch_seeds=(0, 1, 2),
    held_out=200,
    points=10,
    probe=200,
)


def units(config: FigureOneConfig, finished: Finished) -> list[Unit]:
    """Plan the tuning, and once it is finished the reported runs at the rates it chose."""
    norms = ["none", "batch"]
    tuning = grid(config.tuning_seeds, part=["tuning"], norm=norms, rate=config.rates)
    if not all(unit in finished for unit in tuning):
        return tuning
    reported = []
    for norm in norms:
        rate = tuned_rate(finished, norm)
        reported += grid(config.seeds, part=["reported"], norm=[norm], written=["numpy"], rate=[rate])
        reported += grid(config.torch_seeds, part=["reported"], norm=[norm], written=["torch"], rate=[rate])
    return tuning + reported


def tuned_rate(finished: Mapping[Unit, Mapping[str, Any]], norm: str) -> float:
    """Return the rate with the best mean accuracy on the held-out pictures at the end of tuning."""
    scores: dict[float, list[float]] = {}
    for unit, values in finished.items():
        condition = dict(unit.condition)
        if condition["part"] == "tuning" and condition["norm"] == norm:
            scores.setdefault(unit["rate"], []).append(values["held_out"])
    return max(scores, key=lambda rate: float(np.mean(scores[rate])))


def measure(config: FigureOneConfig, unit: Unit) -> dict[str, Any]:
    """Train one network, looking at it now and then."""
    data = data_sets.load(config.data)
    x_train, x_test = binary(data.x_train), binary(data.x_test)
    y_train, y_test = data.y_train, data.y_test
    tuning = unit["part"] == "tuning"
    if tuning:
        cut = data_sets.training_count(config.data, len(x_train), config.held_out)
        x_train, x_test, y_train, y_test = x_train[:cut], x_train[cut:], y_train[:cut], y_train[cut:]
    widths = [x_train.shape[1], *config.hidden, 10]
    weights = start(widths, config.weight_std, unit.seed)
    written = "torch" if tuning else unit["written"]
    network = WRITTEN[written](weights, normalized=unit["norm"] == "batch", rate=unit["rate"])
    steps = config.tuning_steps if tuning else config.steps
    looks = [steps] if tuning else look_at(steps, config.points)

    order = batches(len(x_train), config.batch_size, unit.seed)
    accuracies, percentiles, losses = [], [], []
    recent: list[float] = []
    for step in range(steps + 1):
        if step in looks:
            accuracies.append(float((network.predict(x_test).argmax(axis=1) == y_test).mean()))
            inputs = network.last_sigmoid_inputs(x_test[: config.probe])
            percentiles.append(np.percentile(inputs, [15, 50, 85], axis=0))
            losses.append(float(np.mean(recent)) if recent else np.nan)
            recent = []
        if step < steps:
            index = next(order)
            recent.append(network.step(x_train[index], y_train[index]))
    if tuning:
        return {"held_out": accuracies[-1], "loss": losses[-1]}
    low, median, high = np.moveaxis(np.array(percentiles), 1, 0)  # each (looks, units)
    moves = np.abs(np.diff(median, axis=0))
    return {
        "steps": looks,
        "accuracy": np.array(accuracies),
        "loss": np.array(losses),
        "percentiles": np.stack([low[:, 0], median[:, 0], high[:, 0]], axis=1),  # of the layer's first unit
        "travel": float(moves.sum(axis=0).mean()),
        "travel_in_widths": float((moves / (high - low)[1:]).sum(axis=0).mean()),
        "mean_accuracy": float(np.diff(looks) @ (np.array(accuracies)[1:] + accuracies[:-1]) / (2 * steps)),
        "final_accuracy": accuracies[-1],
        "best_accuracy": max(accuracies),
    }


def binary(pictures: Array) -> Array:
    """Black or white, as float64 vectors."""
    return (pictures > 0.5).astype(np.float64).reshape(len(pictures), -1)


def look_at(steps: int, points: int) -> list[int]:
    """Evenly spaced steps, with some more at the beginning, where most happens."""
    even = np.linspace(0, steps, points + 1)
    early = np.geomspace(max(1, steps // 5000), steps // points, 10)
    return sorted({int(step) for step in np.concatenate([even, early])})
