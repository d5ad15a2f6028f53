"""Make the recorded full runs: all experiments, on many processes, within a stated time.

    python -m bncourse.experiments.record --plan
    python -m bncourse.experiments.record --jobs 16 --minutes 9 --work WORK --out OUT
    python -m bncourse.experiments.record --jobs 1 --only cost --work WORK --out OUT
    python -m bncourse.experiments.record --jobs 4 --only sync --work WORK --out OUT

The second and third are not done beside others: one measures time, the other has four processes of its own.

Every finished unit is kept in WORK at once; a second call goes on from there. OUT receives one JSON file for each
experiment that is complete, packed as `results.zip`, and all units so far as `units.zip`, which `--resume` unpacks on
another machine. NumPy, SciPy, PyTorch and a data set are all it needs.
"""

import argparse
import logging
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

from bncourse.experiments import NAMES, data, experiment
from bncourse.experiments.result import Config, Measured, Unit
from bncourse.experiments.runner import Store, do_unit, pool

log = logging.getLogger("record")

ALONE = ("cost", "sync")
"""Timed, or of several processes itself: not beside the others."""

TOGETHER = [name for name in NAMES if name not in ALONE]


def steps(name: str = "steps") -> Callable[[Any, Unit], float]:
    """Estimate a unit's seconds from the number of training steps in its config."""
    return lambda config, unit: 1.0 + float(getattr(config, name)) * 1e-3


def _figure_one(config: Any, unit: Unit) -> float:
    return float(3 + config.tuning_steps * 1.2e-3 if unit["part"] == "tuning" else 10 + config.steps * 1.2e-3)


def _batch_size(config: Any, unit: Unit) -> float:
    if unit["norm"] == "ghost":
        return float(3 + config.examples / unit["batch_size"] * 6e-4)
    slow = {"none": 0.6e-3, "batch": 1.0e-3, "renorm": 2.0e-3, "layer": 0.9e-3, "group": 0.9e-3}
    return float(3 + config.examples / unit["batch_size"] * slow[unit["norm"]])


def _regularization(config: Any, unit: Unit) -> float:
    if unit["part"] == "noise":
        return float(1 + 0.02 * unit["batch_size"])
    return float(1 + config.steps * 1e-3)


def _in_proportion(config: Any, unit: Unit) -> float:
    """Take the units of an experiment to last in proportion to its steps."""
    return float(1 + getattr(config, "steps", 100) * 1e-3)


SECONDS: dict[str, Callable[[Any, Unit], float]] = {
    "figure_one": _figure_one,
    "outside_gradient": lambda config, unit: 0.3,
    "batch_size": _batch_size,
    "learning_rates": steps(),
    "initialization": steps(),
    "not_iid": steps(),
    "shuffling": lambda config, unit: 1 + config.epochs * config.train / unit["batch_size"] * 1e-3,
    "inference_statistics": lambda config, unit: 4 + config.steps * 1e-3,
    "regularization": _regularization,
    "covariate_shift": lambda config, unit: 0.1,
    "adabn": lambda config, unit: 3 + config.steps * 1e-3,
    "explosion": lambda config, unit: 0.5 + 0.03 * unit["depth"],
    "internal_shift": lambda config, unit: 1 + config.steps * 2.2e-3,
    "landscape": lambda config, unit: 1 + config.steps * 1.3e-3,
    "placement": steps(),
    "affine_parameters": steps(),
    "targets": steps(),
    "inception": lambda config, unit: config.steps * 0.018,
    "sync": lambda config, unit: 20 + config.steps * 0.01,
    "cost": lambda config, unit: 2 + config.runs * 0.1,
    "recurrent": lambda config, unit: 3 + config.steps * (0.02 if unit["norm"] == "none" else 0.1),
    "adaptation": _in_proportion,
    "affine_only": _in_proportion,
    "company": _in_proportion,
    "curvature": _in_proportion,
    "depth": _in_proportion,
    "residual_convnet": _in_proportion,
    "inception_changes": _in_proportion,
    "l1_norm": _in_proportion,
    "one_update": _in_proportion,
    "rotation": _in_proportion,
}
"""Estimates, which order the work: within an experiment the longest units begin first.
"""


def seconds(name: str, config: Config, unit: Unit) -> float:
    """Estimate how long one unit takes on one core."""
    return SECONDS[name](config, unit)


def longest_first(store: Store, units: Sequence[Unit]) -> list[Unit]:
    """Order units so that no long one is left for the end."""
    return sorted(units, key=lambda unit: -seconds(store.name, store.config, unit))


def plan(stores: Sequence[Store]) -> None:
    """Say what is missing and how long it will take."""
    total = 0.0
    for store in stores:
        missing = store.missing()
        cost = sum(seconds(store.name, store.config, unit) for unit in missing)
        longest = max((seconds(store.name, store.config, unit) for unit in missing), default=0.0)
        total += cost
        log.info(
            f"{store.name:<22} {len(store.measured):4d} done {len(missing):4d} to do "
            f"{cost / 60:7.1f} core-minutes, the longest unit {longest:5.0f} s"
        )
    log.info(f"{'together':<22} {total / 60:26.1f} core-minutes (later stages not counted)")


def record(stores: Sequence[Store], *, jobs: int, deadline: float, on_finish: Callable[[], None]) -> None:
    """Work the stores off, the first ones first, starting nothing that would not end before the deadline."""
    running: dict[Future[Measured], tuple[Store, Unit]] = {}
    waiting = {store.name: longest_first(store, store.missing()) for store in stores}
    began, done, spoke = time.monotonic(), 0, time.monotonic()
    failed: set[tuple[str, Unit]] = set()
    with pool(jobs) as executor:
        while True:
            for store in stores:
                for unit in list(waiting[store.name]):
                    left = deadline - time.monotonic()
                    if len(running) < jobs and 1.3 * seconds(store.name, store.config, unit) + 5 < left:
                        running[executor.submit(do_unit, store.name, store.config, unit)] = (store, unit)
                        waiting[store.name].remove(unit)
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED, timeout=5).done:
                store, unit = running.pop(future)
                try:
                    store.add(future.result())
                except Exception:
                    log.exception(f"{store.name}: {unit.key} failed")
                    failed.add((store.name, unit))
                    continue
                done += 1
                if not waiting[store.name]:  # perhaps this was the last one that a later stage waited for
                    going = {unit for other, unit in running.values() if other is store}
                    missing = [
                        unit for unit in store.missing() if unit not in going and (store.name, unit) not in failed
                    ]
                    waiting[store.name] = longest_first(store, missing)
            if time.monotonic() - spoke > 20:
                spoke = time.monotonic()
                left_over = sum(len(units) for units in waiting.values())
                log.info(f"{spoke - began:5.0f} s: {done} units done, {len(running)} running, {left_over} waiting")
                on_finish()
    on_finish()


def pack(stores: Sequence[Store], out: Path) -> None:
    """Write what there is into OUT, as two files: of these experiments and of those done by earlier calls."""
    out.mkdir(parents=True, exist_ok=True)
    for archive in ("results", "units"):
        draft = out / f"{archive}.part"
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as packed:
            for store in stores:
                if archive == "units" and store.folder is not None:
                    for path in sorted(store.folder.glob("*.json")):
                        packed.write(path, f"{store.folder.name}/{path.name}")
                elif archive == "results" and store.measured and not store.missing():
                    device = store.config.device
                    path = out / (f"{store.name}.json" if device == "cpu" else f"{store.name}-{device}.json")
                    store.result().save(path)
                    packed.write(path, path.name)
                    path.unlink()
        draft.replace(out / f"{archive}.zip")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and record."""
    parser = argparse.ArgumentParser(description="Make the recorded full runs.")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each")
    parser.add_argument("--minutes", type=float, default=60.0, help="start nothing that would end later")
    parser.add_argument("--work", type=Path, default=Path("experiments/units"), help="where finished units are kept")
    parser.add_argument("--out", type=Path, default=Path("experiments"), help="where the archives go")
    parser.add_argument("--resume", type=Path, help="a units.zip of an earlier call")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=TOGETHER, help="these, in this order")
    parser.add_argument("--device", default="cpu", help="as PyTorch names it")
    parser.add_argument("--quick", action="store_true", help="the small versions, to try the command")
    parser.add_argument("--plan", action="store_true", help="say what would be done, and stop")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    deadline = time.monotonic() + 60 * chosen.minutes
    if chosen.resume is not None:
        with zipfile.ZipFile(chosen.resume) as packed:
            packed.extractall(chosen.work)
    stores = []
    for name in NAMES:
        config = experiment(name).QUICK if chosen.quick else experiment(name).FULL
        if config.data == "digits" and not _has("digits"):
            config = replace(config, data="mnist")
        config = replace(config, device=chosen.device)
        stores.append(Store(name, config, chosen.work))
    asked = sorted((store for store in stores if store.name in chosen.only), key=lambda s: chosen.only.index(s.name))
    plan(asked)
    if chosen.plan:
        return 0
    for needed in {store.config.data for store in asked} - {"none"}:
        data.load(needed)  # missing data should be heard of now, and not from every process
    record(asked, jobs=chosen.jobs, deadline=deadline, on_finish=lambda: pack(stores, chosen.out))
    plan(asked)
    return 0


def _has(name: str) -> bool:
    try:
        data.load(name)
    except data.DataMissing:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
