"""What batch normalization costs: its share of a step, the bytes it moves, and what folding it away gains.

Times are medians over repetitions, on this machine, with one thread (or on the accelerator), and they are the one
kind of number here that another run does not repeat. Batch norm does little arithmetic per value, so its lower bound
is the memory: forward reads x twice and writes y, backward reads dy and x twice and writes dx. `roofline` is the time
that these bytes need at the speed measured for copying an array of the same size, divided by the measured time: 1
would be perfect. The bare layer is computed in four ways: by NumPy as the equations stand, by the same equations as
compiled loops (`bncourse.fast`), by PyTorch's compiler from the same equations, and by PyTorch's own kernel.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from bncourse import numpy_bn
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.torch_bn.fold_models import fold_model
from bncourse.torch_bn.functional import batch_norm_backward, batch_norm_forward

QUESTION = "What does batch normalization cost in training, and what does folding gain at inference?"

PASSES = 8
"""Arrays of the input's size read or written in a training step: 3 forward, 5 backward."""

WARM_UP = 3
"""Calls before the clock starts."""

SHAPES = {"mlp": (256, 784), "convolution": (32, 1, 14, 14)}


@dataclass(frozen=True, kw_only=True)
class CostConfig(Config):
    """Two networks, and the bare layer in several shapes."""

    data: str = "none"
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Repetitions; nothing else differs."""
    networks: tuple[str, ...] = ("mlp", "convolution")
    layers: tuple[str, ...] = ("256x4096", "64x1024", "4096x256", "32x64x28x28", "8x256x14x14")
    ways: tuple[str, ...] = ("library", "equations", "loops", "compiler")
    """How the bare layer is computed; on an accelerator by the library alone."""
    runs: int = 20


FULL = CostConfig()
QUICK = CostConfig(seeds=(0, 1, 2), layers=("256x1024",), ways=("library", "equations", "loops"), runs=10)


def units(config: CostConfig, finished: Finished) -> list[Unit]:
    """Plan both parts."""
    ways = config.ways if config.device == "cpu" else ("library",)
    return grid(config.seeds, part=["network"], network=config.networks) + grid(
        config.seeds, part=["layer"], way=ways, shape=config.layers
    )


def measure(config: CostConfig, unit: Unit) -> dict[str, Any]:
    """Time a network's step and inference, or a bare layer."""
    torch.manual_seed(unit.seed)
    if unit["part"] == "layer":
        return _layer(config, unit["way"], tuple(int(size) for size in unit["shape"].split("x")))
    x = torch.randn(SHAPES[unit["network"]], device=config.device)
    labels = torch.randint(0, 10, (len(x),), device=config.device)
    without, model = (network(unit["network"], norm).to(config.device) for norm in (False, True))
    values = seconds(
        {"step_without": training_step(without, x, labels), "step_with": training_step(model, x, labels)}, config
    )
    model.eval()
    folded = fold_model(model).eval()
    with torch.no_grad():
        values |= seconds({"inference": lambda: model(x), "inference_folded": lambda: folded(x)}, config)
        values["folding_error"] = float((model(x) - folded(x)).abs().max())
    values["share"] = 1.0 - values["step_without"] / values["step_with"]
    values["folding_gain"] = values["inference"] / values["inference_folded"]
    extra = sum(
        p.numel() for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) for p in m.parameters()
    )
    values["parameter_share"] = extra / sum(p.numel() for p in model.parameters())
    return values


def training_step(model: nn.Module, x: torch.Tensor, labels: torch.Tensor) -> Callable[[], None]:
    """Return a function that takes one step of gradient descent."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def network(kind: str, norm: bool) -> nn.Sequential:
    """Three hidden layers of each kind."""
    layers: list[nn.Module] = []
    if kind == "mlp":
        inputs = SHAPES["mlp"][1]
        for _ in range(3):
            layers += [nn.Linear(inputs, 256, bias=not norm), nn.BatchNorm1d(256) if norm else nn.Identity(), nn.ReLU()]
            inputs = 256
        return nn.Sequential(*layers, nn.Linear(256, 10))
    inputs = 1
    for _ in range(3):
        convolution = nn.Conv2d(inputs, 32, 3, padding=1, bias=not norm)
        layers += [convolution, nn.BatchNorm2d(32) if norm else nn.Identity(), nn.ReLU()]
        inputs = 32
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


def _layer(config: CostConfig, way: str, shape: tuple[int, ...]) -> dict[str, float]:
    """Time one layer forward and backward against the bytes it must move."""
    x, dy = (torch.randn(shape, device=config.device) for _ in range(2))
    target = torch.empty_like(x)
    taken = seconds({"layer": WAYS[way](x, dy), "copy": lambda: target.copy_(x)}, config)
    bandwidth = 2 * x.nbytes / taken["copy"]
    moved = PASSES * x.nbytes
    return {
        "seconds": taken["layer"],
        "bytes": float(moved),
        "bandwidth": bandwidth,
        "roofline": moved / bandwidth / taken["layer"],
    }


def by_library(x: torch.Tensor, dy: torch.Tensor) -> Callable[[], object]:
    """PyTorch's own layer, and its derivative by autograd."""
    layer = (nn.BatchNorm1d if x.ndim == 2 else nn.BatchNorm2d)(x.shape[1]).to(x.device)
    inputs = [x.clone().requires_grad_(), *layer.parameters()]

    def run() -> object:
        y = layer(inputs[0])
        return y, torch.autograd.grad(y, inputs, dy)

    return run


def by_hand(package: Any, x: torch.Tensor, dy: torch.Tensor) -> Callable[[], object]:
    """Forward and backward of `numpy_bn`, or of its compiled loops in `fast`."""
    arrays, gradient = (x.numpy(), np.ones(x.shape[1], np.float32), np.zeros(x.shape[1], np.float32)), dy.numpy()

    def run() -> object:
        y, cache = package.batch_norm_forward(*arrays)
        return y, package.batch_norm_backward(gradient, cache)

    return run


def by_loops(x: torch.Tensor, dy: torch.Tensor) -> Callable[[], object]:
    """Forward and backward of `fast`, which needs numba."""
    from bncourse import fast

    return by_hand(fast, x, dy)


@cache
def compiled() -> tuple[Any, Any]:
    """The plain functions of `torch_bn`, compiled for each shape, once in a process."""
    return torch.compile(batch_norm_forward, dynamic=False), torch.compile(batch_norm_backward, dynamic=False)


def by_compiler(x: torch.Tensor, dy: torch.Tensor) -> Callable[[], object]:
    """Forward and backward of `torch_bn`, each compiled by PyTorch."""
    forward, backward = compiled()
    gamma, beta = x.new_ones(x.shape[1]), x.new_zeros(x.shape[1])

    def run() -> object:
        y, cache = forward(x, gamma, beta)
        return y, backward(dy, cache)

    return run


WAYS: dict[str, Callable[[torch.Tensor, torch.Tensor], Callable[[], object]]] = {
    "library": by_library,
    "equations": lambda x, dy: by_hand(numpy_bn, x, dy),
    "loops": by_loops,
    "compiler": by_compiler,
}


def seconds(calls: Mapping[str, Callable[[], object]], config: CostConfig) -> dict[str, float]:
    """Median time of each call; they take turns, so that a busy machine slows all of them alike.

    On the CPU it is the process's own time, which other processes enter little.
    """
    clock = time.perf_counter if config.device.startswith("cuda") else time.process_time
    wait: Callable[[], None] = torch.cuda.synchronize if config.device.startswith("cuda") else lambda: None
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for run in range(WARM_UP + config.runs):
        for name, call in calls.items():
            wait()
            started = clock()
            call()
            wait()
            if run >= WARM_UP:
                taken[name].append(clock() - started)
    return {name: float(np.median(times)) for name, times in taken.items()}
