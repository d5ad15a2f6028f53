"""Do an experiment's units, one by one or side by side, and keep each as soon as it is finished.

A run that is killed and started again with the same folder does only what is missing and returns the same
Result: a unit depends on its config, condition and seed alone, and computes in one thread.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from bncourse.experiments.machine import provenance
from bncourse.experiments.result import Config, Measured, Result, Unit, as_dict, from_json, plain, to_json

Finished = Mapping[Unit, Mapping[str, Any]]
"""What the units measured so far: a later stage may be planned from an earlier one (a tuned learning rate)."""


class Experiment(Protocol):
    """What a file of this package offers."""

    QUESTION: str
    FULL: Any
    QUICK: Any

    def units(self, config: Any, finished: Finished) -> Sequence[Unit]:
        """Plan the units known so far; when all are finished and no new one comes, the run is over."""

    def measure(self, config: Any, unit: Unit) -> dict[str, Any]:
        """Do one unit: numbers and arrays by name."""


@dataclass(frozen=True)
class Progress:
    """Given to the callback after each unit."""

    experiment: str
    unit: Unit
    done: int
    planned: int
    seconds_left: float


def experiment(name: str) -> Experiment:
    """Import the experiment of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    from bncourse.experiments import NAMES

    if name not in NAMES:
        raise ValueError(f"there is no experiment {name!r}. Expected one of: {', '.join(NAMES)}.")
    module: Any = import_module(f"bncourse.experiments.{name}")
    return module  # type: ignore[no-any-return]


class Store:
    """The finished units of one experiment under one config, in memory and, if a folder is given, on disk.

    A file of the folder that is no unit (damaged, emptied) counts as not finished.
    """

    def __init__(self, name: str, config: Config, folder: Path | None) -> None:
        self.name, self.config = name, config
        digest = hashlib.sha256(json.dumps([name, as_dict(config)], sort_keys=True).encode()).hexdigest()
        self.folder = folder / f"{name}-{digest[:12]}" if folder is not None else None
        self.measured: dict[Unit, Measured] = {}
        for path in sorted(self.folder.glob("*.json")) if self.folder else []:
            try:
                measured = from_json(json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, KeyError, TypeError):  # damaged since it was written: it is done again
                continue
            self.measured[measured.unit] = measured

    def add(self, measured: Measured) -> None:
        """Keep a finished unit; on disk it appears whole or not at all."""
        self.measured[measured.unit] = measured
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / (hashlib.sha256(measured.unit.key.encode()).hexdigest()[:16] + ".json")
        draft = target.with_suffix(".part")
        draft.write_text(json.dumps(to_json(measured), allow_nan=False), encoding="utf-8")
        draft.replace(target)

    def planned(self) -> list[Unit]:
        """Return every unit that is known by now, finished or not."""
        finished = {unit: measured.values for unit, measured in self.measured.items()}
        return list(experiment(self.name).units(self.config, finished))

    def missing(self) -> list[Unit]:
        """Return the units still to be done, as far as they are known by now."""
        return [unit for unit in self.planned() if unit not in self.measured]

    def result(self) -> Result:
        """Gather what is finished, in the order of the plan."""
        rows = tuple(self.measured[unit] for unit in self.planned() if unit in self.measured)
        question = experiment(self.name).QUESTION
        source = provenance(self.config.data, self.config.device, sum(row.seconds for row in rows))
        return Result(self.name, question, as_dict(self.config), source, rows)


def run(
    name: str,
    config: Config,
    *,
    folder: Path | str | None = None,
    jobs: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Answer an experiment's question.

    Parameters
    ----------
    name : str
        One of `bncourse.experiments.NAMES`.
    config : Config
        The experiment's `QUICK`, `FULL`, or a variation of these.
    folder : path, optional
        Where finished units are kept, so that the run can be resumed.
    jobs : int
        Processes at work; each computes in one thread, so that the numbers do not depend on `jobs`.
    on_progress : callable, optional
        Called after each unit.

    Returns
    -------
    Result
    """
    store = Store(name, config, Path(folder) if folder is not None else None)
    started, done_before = time.monotonic(), len(store.measured)
    for measured in _work_off(store, jobs):
        store.add(measured)
        if on_progress is not None:
            planned, done = len(store.planned()), len(store.measured)
            pace = (time.monotonic() - started) / (done - done_before)
            on_progress(Progress(name, measured.unit, done, planned, pace * (planned - done)))
    return store.result()


def _work_off(store: Store, jobs: int) -> Iterator[Measured]:
    """Finish unit after unit; the caller adds each to the store, which may bring further ones into the plan."""
    if jobs == 1:
        while missing := store.missing():
            for unit in missing:
                yield do_unit(store.name, store.config, unit)
        return
    with pool(jobs) as executor:
        running: dict[Future[Measured], Unit] = {}
        while missing := store.missing():
            for unit in missing:
                if unit not in running.values():
                    running[executor.submit(do_unit, store.name, store.config, unit)] = unit
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield future.result()
                del running[future]


def pool(jobs: int) -> ProcessPoolExecutor:
    """Return fresh processes of one thread each; the libraries read these variables when they are imported."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))


def do_unit(name: str, config: Config, unit: Unit) -> Measured:
    """Measure one unit, apart from the caller's random state and number of threads."""
    started = cpu_seconds()
    with _alone():
        values = experiment(name).measure(config, unit)
    return Measured(unit, {key: plain(value) for key, value in values.items()}, cpu_seconds() - started)


def cpu_seconds() -> float:
    """Return the processor time of this process and of those it waited for; a busy machine adds nothing to it."""
    return sum(os.times()[:4])


@contextmanager
def _alone() -> Iterator[None]:
    """One thread, and PyTorch's global random state given back as it was."""
    try:
        import torch
    except ImportError:  # some experiments need NumPy only
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(threads)
