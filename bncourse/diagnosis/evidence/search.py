"""The search for probes on which all beliefs differ; `python -m` this module writes `probes.json`.

Every specimen is run on the probes of many seeds. Two beliefs are as far apart as the quantity in which they differ
most, relative to the size of its terms; a recipe is as good as its closest two beliefs, at its worst seed. The unit is
the tolerance.
"""

import json
import math
import sys
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis import call, paths, probes
from bncourse.diagnosis.bounds import FLOOR
from bncourse.diagnosis.evidence.specimens import SPECIMENS, Specimen
from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward
from bncourse.diagnosis.forward_programs import flat
from bncourse.diagnosis.probes import RECIPE, Probe, Recipe, make_probe
from bncourse.diagnosis.rules import PLACES
from bncourse.diagnosis.running_stats import right_update, update_sizes
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]
Signature = dict[str, Array]

NEAR_BY_NATURE = {"imprecise"}
"""Right up to single precision is what this belief says; it lies some tens of tolerances from the truth."""

GRID: dict[str, list[Any]] = {
    "counts": [(5, 6, 7), (6, 7, 9), (7, 8, 9), (9, 11, 13)],
    "channels": [(3, 4), (4, 5)],
    "eps": [(0.05, 0.1), (0.08, 0.2), (0.1, 0.15), (0.2, 0.4)],
    "std": [(0.35, 1.5), (0.5, 2.5), (0.55, 2.5), (0.7, 3.0)],
    "offset": [0.7, 1.5, 3.0],
    "gamma": [(0.6, 2.6), (0.4, 1.8), (1.2, 3.0)],
    "paths": [(0.5, 0.5), (0.8, 0.8), (1.2, 0.9)],
    "momentum": [(0.22, 0.4), (0.6, 0.8)],
    "running_std": [(0.3, 2.0), (0.5, 3.0)],
}


def _outputs(functions: dict[str, Any], probe: Probe, maps: Probe) -> Signature:
    """Everything that a program returns, divided by the size of its terms, and every oddity under its name."""
    found: Signature = {}
    across = (1, -1)
    size = 2 * np.abs(probe.gamma) + np.abs(probe.beta)

    def keep(name: str, value: Any, shape: tuple[int, ...], scale: Array) -> None:
        array = np.asarray(value) if value is not None else None
        fits = array is not None and array.shape == shape and array.dtype == np.float64 and np.isfinite(array).all()
        if fits and array is not None:
            found[name] = array / scale
        else:
            kind = "none" if array is None else f"{array.shape} {array.dtype}"
            found[f"{name} is {kind}"] = np.ones(1)

    def train(inputs: Probe, name: str, across: tuple[int, ...]) -> None:
        x, upstream = inputs.x.copy(), inputs.dy.copy()
        _, right = plain_forward(inputs.x, inputs.gamma, inputs.beta, inputs.eps)
        rows = paths.rows(inputs.dy), paths.rows(right["x_hat"])
        gain, inv_std = right["gamma"].reshape(-1), right["inv_std"].reshape(-1)
        terms = paths.make_basis(gain * rows[0], rows[1], inv_std).size
        y, cache = functions["forward"](x, inputs.gamma.copy(), inputs.beta.copy(), eps=inputs.eps)
        keep(f"{name}y", y, x.shape, (2 * np.abs(inputs.gamma) + np.abs(inputs.beta)).reshape(across))
        result = functions["backward"](upstream, cache)
        found[f"{name}backward returns {type(result).__name__}"] = np.ones(1)
        gradients = call.gradients(result, "dx", [])
        keep(f"{name}dx", gradients["dx"], x.shape, terms.reshape(across))
        for part in ("dgamma", "dbeta"):
            keep(f"{name}{part}", gradients[part], inputs.gamma.shape, np.abs(rows[0]).sum(axis=0))
        for label, before, after in (("x", inputs.x, x), ("dy", inputs.dy, upstream)):
            if not np.array_equal(before, after):
                found[f"{label} changed"] = np.ones(1)

    try:
        with np.errstate(all="ignore"):
            train(probe, "", (1, -1))
            if functions["on_feature_maps"]:
                train(maps, "maps ", (1, -1, 1, 1))
            y, _ = functions["forward"](flat(probe).x, probe.gamma, probe.beta, eps=probe.eps)
            found["flat"] = np.isfinite(y).all().astype(float).reshape(1)
    except Exception as error:  # what a wrong program raises is its signature
        found[f"{type(error).__name__}: {str(error)[:20]}"] = np.ones(1)
    statistics = probe.running_mean, probe.running_var
    with np.errstate(all="ignore"):
        for kind, inputs in (("", probe), ("flat ", flat(probe))):
            arguments = inputs.x, inputs.gamma, inputs.beta, inputs.running_mean, inputs.running_var
            result = functions["inference"](*arguments, eps=inputs.eps)
            y = result[0] if isinstance(result, tuple) else result
            keep(f"{kind}inference", y, probe.x.shape, size.reshape(across))
    _, cache = reference.batch_norm_inference(probe.x, probe.gamma, probe.beta, *statistics, eps=probe.eps)
    slope = np.abs(probe.gamma / np.sqrt(probe.running_var + probe.eps)) * np.abs(probe.dy).max()
    keep("inference dx", functions["inference_backward"](probe.dy, cache)[0], probe.x.shape, slope.reshape(across))
    start = np.zeros_like(probe.running_mean), np.ones_like(probe.running_var)
    for name, (mean, var) in {"": statistics, "first ": start}.items():
        moved = functions["running"](mean, var, probe.x, momentum=probe.momentum)
        sizes = update_sizes(mean, var, probe)
        for part, value, terms in zip(("running_mean", "running_var"), moved, sizes, strict=True):
            keep(f"{name}{part}", value, mean.shape, terms)
    return found


def _functions(specimen: Specimen | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "forward": plain_forward,
        "backward": plain_backward,
        "inference": reference.batch_norm_inference,
        "inference_backward": reference.batch_norm_inference_backward,
        "running": right_update,
        "on_feature_maps": True,
    }
    if specimen is not None:
        found |= {"forward": specimen.forward, "backward": specimen.gradient}
        found["on_feature_maps"] = specimen.on_feature_maps
        if specimen.role in ("inference", "inference_backward", "running"):
            found[specimen.role] = specimen.function
    return found


def apart(one: Signature, other: Signature) -> float:
    """How far two programs are apart, in the quantity in which they differ most."""
    worst = 0.0
    on_maps = [any(name.startswith("maps ") for name in signature) for signature in (one, other)]
    for name in one.keys() | other.keys():
        if name.startswith("maps ") and not all(on_maps):
            continue
        if name not in one or name not in other:
            return math.inf
        worst = max(worst, float(np.abs(one[name] - other[name]).max()))
    return worst


class Separation(NamedTuple):
    """The closest two beliefs over some seeds."""

    tolerances: float
    """Their distance in units of the tolerance."""
    beliefs: tuple[str, str]
    seed: int


def separation(seeds: range, recipe: Recipe | None = None) -> Separation:
    """Find the closest two beliefs (or a belief and the truth, "") on the probes of some seeds.

    Parameters
    ----------
    seeds : range
        Which probes.
    recipe : Recipe, optional
        By default the recorded one.
    """
    closest = Separation(math.inf, ("", ""), -1)
    specimens = [specimen for specimen in SPECIMENS if specimen.role != "staged"]
    for seed in seeds:
        used = RECIPE if recipe is None else recipe
        probe, maps = make_probe(seed, recipe=used), make_probe(seed, spatial=PLACES, recipe=used)
        found: list[tuple[str, tuple[str, ...], Signature]]
        found = [("", (), _outputs(_functions(None), probe, maps))]
        for specimen in specimens:
            if specimen.belief not in NEAR_BY_NATURE:
                found.append((specimen.belief, specimen.beside, _outputs(_functions(specimen), probe, maps)))
        for (one, beside, first), (other, also, second) in combinations(found, 2):
            if one == other or one in also or other in beside:
                continue
            distance = apart(first, second) / FLOOR
            if distance < closest.tolerances:
                closest = Separation(distance, (one, other), seed)
    return closest


def search(trials: int, seeds: range) -> list[tuple[Separation, Recipe]]:
    """Try recipes from the grid at random; the best first.

    The smallest variance must exceed eps, or a program that subtracts eps gives NaN and says no more than that.
    """
    rng = np.random.default_rng(2026)
    results: list[tuple[Separation, Recipe]] = []
    while len(results) < trials:
        recipe = Recipe(**{name: values[int(rng.integers(len(values)))] for name, values in GRID.items()})
        if (0.8 * recipe.std[0]) ** 2 > recipe.eps[1]:
            results.append((separation(seeds, recipe), recipe))
    return sorted(results, key=lambda result: -result[0].tolerances)


def main() -> None:
    """Search, and write the best recipe beside this file with what was found."""
    trials, seeds = 40, range(8)
    results = search(trials, seeds)
    (found, recipe), confirmed = results[0], separation(range(100, 160), results[0][1])
    record = {
        "recipe": recipe._asdict(),
        "search": {
            "trials": trials,
            "seeds of each trial": len(seeds),
            "closest beliefs of the best recipe, in tolerances": found.tolerances,
            "and on 60 other seeds": confirmed.tolerances,
            "which are": confirmed.beliefs,
            "the median recipe": results[trials // 2][0].tolerances,
            "the worst recipe": results[-1][0].tolerances,
        },
    }
    Path(probes.__file__).with_name("probes.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(record["search"], indent=2) + "\n")


if __name__ == "__main__":
    main()
