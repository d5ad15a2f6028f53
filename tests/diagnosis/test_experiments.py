"""What a message says of the student's own code is run on the specimens, and the opposite on right programs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis import beliefs, fingerprints, paths
from bncourse.diagnosis.catalogue import experiments_of
from bncourse.diagnosis.evidence.correct_programs import RIGHT
from bncourse.diagnosis.evidence.specimens import OTHERS, SPECIMENS, OtherSpecimen, Specimen
from bncourse.diagnosis.evidence.specimens.other_norms import right_forward
from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward
from bncourse.diagnosis.experiments import EXPERIMENTS, Experiment
from bncourse.diagnosis.fingerprints import Arrays
from bncourse.diagnosis.layouts import Layout
from bncourse.diagnosis.probes import make_probe
from bncourse.diagnosis.rules import Rules
from bncourse.diagnosis.running_stats import right_update
from bncourse.numpy_bn import functional as reference

EXACT = [one for one in RIGHT if "float32" not in one.name]


def part_of(specimen: Specimen) -> str:
    """Where a specimen's mistake shows."""
    entry = beliefs()[specimen.belief]
    if specimen.role == "conv_backward":
        return "dx"
    if entry.part != "any":
        return entry.part
    return "forward" if specimen.role == "forward" else "dx"


def shown(belief: str, kind: str, part: str) -> Experiment | None:
    """What a message about this normalization tells to try."""
    return next((EXPERIMENTS[name] for name in experiments_of(belief, part, kind)), None)


SHOWN = [one for one in SPECIMENS if shown(one.belief, "batch", part_of(one)) and one.role != "staged"]
SHOWN = [one for one in SHOWN if one.belief != "cache-order" or one.diagnose().findings[0].cause is None]
SHOWN_ELSEWHERE = [one for one in OTHERS if shown(one.belief, one.rules.kind, beliefs()[one.belief].part)]
OF_MAPS = ("bright corner", "bright image", "channels apart", "places", "pixels twice")
OF_OTHERS = {
    "samples apart": Rules("layer"),
    "mean kept": Rules("rms"),
    "samples apart of maps": Rules("group", (2, 5), 2),
    "groups apart": Rules("group", (2, 5), 2),
    "groups together": Rules("group", (2, 5), 2),
    "step with unequal gamma": Rules("layer"),
    "step with unequal gamma of maps": Rules("group", (2, 5), 2),
    **{name: Rules("layer") for name in EXPERIMENTS if name.endswith(" of rows")},
}
"""Experiments for other normalizations than batch norm, and one of those."""


def biased_update(mean: Any, var: Any, x: Any, *, momentum: float) -> Any:
    return (1 - momentum) * mean + momentum * x.mean(axis=0), (1 - momentum) * var + momentum * x.var(axis=0)


def right_backward(rules: Rules) -> Any:
    """The gradient of `right_forward`."""

    def backward(dy: Any, cache: Any) -> Any:
        layout: Layout = cache["layout"]
        x_hat, s, inside = (
            layout.rows(np.broadcast_to(one, dy.shape)) for one in (cache["x_hat"], cache["s"], dy * cache["gamma"])
        )
        dx = s * (inside - inside.mean(axis=0) * layout.centered - x_hat * (inside * x_hat).mean(axis=0))
        axes = (0, *range(2, dy.ndim))
        return layout.back(dx, dy.shape), (dy * cache["x_hat"]).sum(axis=axes), dy.sum(axis=axes)

    return backward


INFERENCE = {"inference": reference.batch_norm_inference, "inference_backward": reference.batch_norm_inference_backward}


def prints(experiment: Experiment, seed: int, **functions: Any) -> float:
    """Largest number that the two lines print."""
    np.random.seed(seed)  # noqa: NPY002 the lines that a student pastes draw from it
    names = {"np": np, **functions}
    with np.errstate(all="ignore"):
        exec(experiment.setup, names)
        shown = np.asarray(eval(experiment.show, names), dtype=float)
    return float(np.abs(shown).max()) if np.isfinite(shown).all() else np.inf


def as_a_tuple(backward: Any) -> Any:
    """The backward pass, its gradients in a tuple."""

    def run(dy: Any, cache: Any) -> Any:
        found = backward(dy, cache)
        return tuple(found.values()) if isinstance(found, dict) else found

    return run


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name not in (*OF_MAPS, *OF_OTHERS)])
def test_right_programs_print_what_they_must(name: str) -> None:
    experiment = EXPERIMENTS[name]
    update = biased_update if name.endswith("biased") else right_update
    used = EXACT if "forward(" in experiment.text else EXACT[:1]
    for right in used:
        functions = {"forward": right.forward, "backward": as_a_tuple(right.backward), "update": update, **INFERENCE}
        for seed in range(3):
            assert (prints(experiment, seed, **functions) < 1e-4) == experiment.zeros, right.name


@pytest.mark.parametrize("name", OF_MAPS)
def test_right_programs_for_maps_print_what_they_must(name: str) -> None:
    for seed in range(3):
        found = prints(EXPERIMENTS[name], seed, forward=plain_forward, backward=plain_backward)
        assert (found < 1e-4) == EXPERIMENTS[name].zeros


ON_MAPS = [name for name, one in EXPERIMENTS.items() if "batch" in one.kinds and one.on_maps() is not None]


@pytest.mark.parametrize("name", [name for name in ON_MAPS if "update(" not in EXPERIMENTS[name].text])
def test_right_programs_print_the_same_on_feature_maps(name: str) -> None:
    experiment = EXPERIMENTS[name].on_maps()
    assert experiment is not None
    names = ("batch_norm_inference", "batch_norm_inference_backward")
    inference = dict(zip(("inference", "inference_backward"), (getattr(reference, one) for one in names), strict=True))
    for seed in range(3):
        found = prints(experiment, seed, forward=plain_forward, backward=plain_backward, **inference)
        assert (found < 1e-4) == experiment.zeros


@pytest.mark.parametrize("name", OF_OTHERS)
def test_right_programs_of_other_normalizations_print_what_they_must(name: str) -> None:
    rules = OF_OTHERS[name]
    for seed in range(3):
        found = prints(EXPERIMENTS[name], seed, forward=right_forward(rules), backward=right_backward(rules))
        assert (found < 1e-4) == EXPERIMENTS[name].zeros


@pytest.mark.parametrize("name", [name for name, one in EXPERIMENTS.items() if {"batch", "layer"} <= {*one.kinds}])
def test_right_layer_and_rms_norms_print_the_same(name: str) -> None:
    experiment = EXPERIMENTS[name]
    for kind in {"layer", "rms"} & set(experiment.kinds):
        functions = {"forward": right_forward(Rules(kind)), "backward": right_backward(Rules(kind))}
        for seed in range(3):
            assert (prints(experiment, seed, **functions) < 1e-4) == experiment.zeros, kind


CLAIMED = sorted({name for name, _ in fingerprints.candidates(Arrays(*np.ones((6, 4, 3))))})


@pytest.mark.parametrize("belief", CLAIMED)
def test_every_dx_that_a_belief_explains_prints_what_the_message_says(belief: str) -> None:
    experiment = shown(belief, "batch", "dx")
    if experiment is None:
        return
    for position, (name, _) in enumerate(fingerprints.candidates(Arrays(*np.ones((6, 4, 3))))):
        if name != belief:
            continue

        def backward(dy: Any, cache: Any, position: int = position) -> Any:
            wide = (np.broadcast_to(cache[one], dy.shape) for one in ("x", "y", "x_hat", "inv_std", "gamma"))
            arrays = Arrays(dy, *wide)
            dx = fingerprints.candidates(arrays)[position][1]
            return dx, (dy * cache["x_hat"]).sum(axis=0), dy.sum(axis=0)

        assert all(prints(experiment, seed, forward=plain_forward, backward=backward) > 1e-2 for seed in range(3))


MOVED = sorted({*paths.moves(make_probe(0), np.ones(4), np.ones(4)).beliefs} - {"cache-order"})


@pytest.mark.parametrize("belief", MOVED)
def test_every_weighing_of_the_paths_prints_what_the_message_says(belief: str) -> None:
    experiment = EXPERIMENTS[beliefs()[belief].see]
    names = paths.moves(make_probe(0), np.ones(4), np.ones(4)).beliefs
    for position in [number for number, name in enumerate(names) if name == belief and "eps" not in belief]:

        def backward(dy: Any, cache: Any, position: int = position) -> Any:
            x, gamma, eps = cache["x"], cache["gamma"].reshape(-1), cache["eps"]
            probe = replace(make_probe(0), x=x, gamma=gamma, beta=gamma - 1, eps=eps)
            basis = paths.make_basis(cache["gamma"] * dy, cache["x_hat"], cache["inv_std"])
            factors = paths.moves(probe, cache["inv_std"].reshape(-1), x.var(axis=0)).factors[position]
            dx = basis.combine(np.reshape(paths.RIGHT, (3, 1)) * factors)
            return dx, (dy * cache["x_hat"]).sum(axis=0), dy.sum(axis=0)

        assert all(prints(experiment, seed, forward=plain_forward, backward=backward) > 1e-3 for seed in range(3))


@pytest.mark.parametrize("specimen", SHOWN, ids=lambda one: f"{one.belief}:{one.name}")
def test_a_program_that_holds_the_belief_prints_the_opposite(specimen: Specimen) -> None:
    experiment = shown(specimen.belief, "batch", part_of(specimen))
    assert experiment is not None
    if specimen.on_feature_maps:
        experiment = experiment.on_maps()
    assert experiment is not None
    functions: dict[str, Any] = {"update": right_update, **INFERENCE}
    functions |= {"forward": specimen.forward, "backward": as_a_tuple(specimen.gradient)}
    alone = {"running": "update", "inference": "inference", "inference_backward": "inference_backward"}
    if specimen.role in alone:
        functions[alone[specimen.role]] = specimen.function
    for seed in range(3):
        found = prints(experiment, seed, **functions)
        assert (found > 1e-2) if experiment.zeros else (found < 1e-4)


@pytest.mark.parametrize("specimen", SHOWN_ELSEWHERE, ids=lambda one: f"{one.belief}:{one.name}")
def test_other_normalizations_that_hold_the_belief_print_the_opposite(specimen: OtherSpecimen) -> None:
    experiment = shown(specimen.belief, specimen.rules.kind, beliefs()[specimen.belief].part)
    assert experiment is not None
    functions = {"forward": specimen.forward, "backward": specimen.backward, "update": specimen.running}
    for seed in range(3):
        found = prints(experiment, seed, **functions)
        assert (found > 1e-3) if experiment.zeros else (found < 1e-4)


def test_every_experiment_is_used_and_holds_no_expected_value() -> None:
    used = {entry.see for entry in beliefs().values()} - {""}
    places = (" of maps", " of rows", *(f" in {part}" for part in ("forward", "dx", "dgamma", "dbeta")))
    used |= {f"{name}{where}" for name in used for where in places} & set(EXPERIMENTS)
    assert used & set(EXPERIMENTS) == set(EXPERIMENTS)
    assert len([entry for entry in beliefs().values() if entry.see]) >= 141
