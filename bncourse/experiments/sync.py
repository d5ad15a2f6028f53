"""Four processes with small local batches: local statistics, synchronized ones, or accumulated gradients.

Each process holds a few examples of a common batch, and the gradients are averaged before every step. With local
statistics each process normalizes its own few; synchronized batch norm uses the moments of all; gradient
accumulation, in one process, works through the same small parts one after the other, so its statistics are as small
as the local ones. The yardstick is one process with the joined batch. The processes are real ones, connected through
Gloo.
"""

import os
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.functional import cross_entropy

from bncourse.experiments.networks import mlp
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import accuracy, batches, tensors, use_population_statistics
from bncourse.torch_bn.layer import BatchNorm1d
from bncourse.torch_bn.sync import SyncBatchNorm

QUESTION = "Do several processes with small local batches need synchronized statistics?"


@dataclass(frozen=True, kw_only=True)
class SyncConfig(Config):
    """A step takes `processes * local` examples, for each of the `locals`."""

    processes: int = 4
    locals: tuple[int, ...] = (2, 4)
    hidden: tuple[int, ...] = (100, 100)
    steps: int = 1500
    rate: float = 0.05


FULL = SyncConfig(data="mnist")
QUICK = SyncConfig(seeds=(0, 1, 2), processes=2, locals=(2,), hidden=(32, 32), steps=60, rate=0.2)


def units(config: SyncConfig, finished: Finished) -> list[Unit]:
    """Plan one unit a seed; the processes, once started, do all four ways in turn."""
    return grid(config.seeds, local=config.locals)


def measure(config: SyncConfig, unit: Unit) -> dict[str, Any]:
    """Train in one process, and in several."""
    values: dict[str, Any] = {}
    kept = {}
    for way in ("joined", "accumulated"):
        model = _model(config, unit.seed, BatchNorm1d)
        parts = 1 if way == "joined" else config.processes
        _train(config, unit.seed, unit["local"], model, ranks=range(parts), parts=parts)
        values |= {f"{way}_{name}": value for name, value in _read(config, model).items()}
        kept[way] = _vector(model)
    with tempfile.TemporaryDirectory() as folder:
        context = get_context("spawn")
        workers = [
            context.Process(target=_process, args=(config, unit.seed, unit["local"], rank, folder))
            for rank in range(config.processes)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if any(worker.exitcode for worker in workers):
            raise RuntimeError("a process of the sync experiment ended with an error; see its message above.")
        for way in ("local", "synchronized"):
            kept[way] = np.load(Path(folder) / f"{way}.npy")
            model = _model(config, unit.seed, BatchNorm1d)
            _restore(model, kept[way])
            values |= {f"{way}_{name}": value for name, value in _read(config, model).items()}
    for way in ("synchronized", "accumulated", "local"):
        apart = np.linalg.norm(kept[way] - kept["joined"]) / np.linalg.norm(kept["joined"])
        values[f"{way}_apart"] = float(apart)
    return values


def _model(config: SyncConfig, seed: int, norm: Any) -> nn.Sequential:
    torch.manual_seed(seed)
    inputs = tensors(config.data).x_train[0].numel()
    return mlp(inputs, config.hidden, norm=norm).double()


def _train(config: SyncConfig, seed: int, local: int, model: nn.Module, *, ranks: Any, parts: int) -> None:
    """Descend along the gradient of the common batch, of which this process computes the parts named by `ranks`."""
    data = tensors(config.data)
    order = batches(len(data.x_train), config.processes * local, seed)
    parameters = list(model.parameters())
    for _ in range(config.steps):
        index = torch.from_numpy(next(order)).chunk(parts)
        for rank in ranks:
            loss = cross_entropy(model(data.x_train[index[rank]].double()), data.y_train[index[rank]]) / parts
            loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            gradient = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
            if len(ranks) < parts:
                dist.all_reduce(gradient)
            sizes = [p.numel() for p in parameters]
            for parameter, step in zip(parameters, torch.split(gradient, sizes), strict=True):
                parameter.sub_(step.view_as(parameter), alpha=config.rate)
                parameter.grad = None


def _process(config: SyncConfig, seed: int, local: int, rank: int, folder: str) -> None:
    """Be one of the processes."""
    torch.set_num_threads(1)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    store = f"file://{folder}/meeting"
    dist.init_process_group(
        "gloo", init_method=store, rank=rank, world_size=config.processes, timeout=timedelta(minutes=2)
    )
    try:
        for way, norm in (("local", BatchNorm1d), ("synchronized", SyncBatchNorm)):
            model = _model(config, seed, norm)
            _train(config, seed, local, model, ranks=[rank], parts=config.processes)
            if rank == 0:
                np.save(Path(folder) / f"{way}.npy", _vector(model))
        dist.barrier()
    finally:
        dist.destroy_process_group()


def _vector(model: nn.Module) -> Any:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()]).numpy()


def _restore(model: nn.Module, vector: Any) -> None:
    torch.nn.utils.vector_to_parameters(torch.from_numpy(vector), model.parameters())


def _read(config: SyncConfig, model: nn.Module) -> dict[str, float]:
    """Accuracy with population statistics, so that only the training differs."""
    data = tensors(config.data)
    model.double()
    use_population_statistics(model, data.x_train.double())
    return {"accuracy": accuracy(model, data.x_test.double(), data.y_test)}
