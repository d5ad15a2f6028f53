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
from bncourse.diagnosis.experiment import ALL, IMAGES, NO_ERROR, Experiment
from bncourse.diagnosis.experiments import EXPERIMENTS, STEPS, experiments_for
from bncourse.diagnosis.experiments_of_calls import CALLS
from bncourse.diagnosis.fingerprints import Arrays
from bncourse.diagnosis.layouts import Layout
from bncourse.diagnosis.probes import make_probe
from bncourse.diagnosis.report import finding
from bncourse.diagnosis.rules import Rules
from bncourse.diagnosis.running_stats import right_update
from bncourse.diagnosis.transform_search import programs as programs_of
from bncourse.diagnosis.transforms import transform
from bncourse.numpy_bn import functional as reference
from bncourse.numpy_bn.functional import Stages

EXACT = [one for one in RIGHT if "float32" not in one.name]


def part_of(specimen: Specimen) -> str:
    """Where a specimen's mistake shows."""
    entry = beliefs()[specimen.belief]
    if specimen.belief == "cache-missing":
        return "forward"
    if specimen.belief == "stage-wrong":
        return "dmean"
    if specimen.role == "conv_backward":
        return "dx"
    return entry.part if entry.part != "any" else ROLES.get(specimen.role, specimen.role)


def shown(belief: str, kind: str, part: str, *, maps: bool = False) -> Experiment | None:
    """What a message about this normalization tells to try."""
    names = experiments_of(belief, part, kind)
    return EXPERIMENTS[names[0]].made_for(kind, maps=maps) if names else None


SHOWN = [one for one in SPECIMENS if one.belief != "cache-order" or one.diagnose().findings[0].cause is None]
ROLES = {"staged": "stages", "conv": "conv", "pair": "dx", "backward": "dx", "conv_backward": "dx"}


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


def stays(mean: Any, var: Any, x: Any) -> Any:
    return mean, var


def named(backward: Any) -> Any:
    """The backward pass, its gradients by name."""
    return lambda dy, cache: dict(zip(("dx", "dgamma", "dbeta"), backward(dy, cache), strict=True))


INFERENCE = {"inference": reference.batch_norm_inference, "inference_backward": reference.batch_norm_inference_backward}


def prints(experiment: Experiment, seed: int, **functions: Any) -> float:
    """Largest number that the two lines print."""
    np.random.seed(seed)  # noqa: NPY002 the lines that a student pastes draw from it
    names = {"np": np, **functions}
    with np.errstate(all="ignore"):
        try:
            exec(experiment.setup, names)
            shown = np.asarray(eval(experiment.show, names), dtype=float)
        except ValueError:
            if experiment.comment != NO_ERROR:
                raise
            return np.inf
    return float(np.abs(shown).max()) if np.isfinite(shown).all() else np.inf


def as_a_tuple(backward: Any) -> Any:
    """The backward pass, its gradients in a tuple."""

    def run(dy: Any, cache: Any) -> Any:
        found = backward(dy, cache)
        return tuple(found.values()) if isinstance(found, dict) else found

    return run


def right_programs(kind: str, *, maps: bool) -> list[dict[str, Any]]:
    """Right functions of a normalization."""
    if kind != "batch":
        rules = Rules(kind, (2, 5), 2) if kind in IMAGES else Rules(kind)
        return [{"forward": right_forward(rules), "backward": right_backward(rules)}]
    both = [(plain_forward, plain_backward)] if maps else [(one.forward, as_a_tuple(one.backward)) for one in EXACT]
    return [{"forward": forward, "backward": backward, **INFERENCE} for forward, backward in both]


NEEDS_MAPS = ("bright corner", "bright image", "channels apart", "places", "pixels twice")
MADE = [
    (name, kind, maps)
    for name, one in EXPERIMENTS.items()
    for kind, maps in (*((kind, False) for kind in one.kinds), ("batch", True))
    if kind in one.kinds and one.made_for(kind, maps=maps) and (name not in NEEDS_MAPS or maps)
    if not (maps and any(word in one.text for word in ("update(", "after_inference(", "staged(")))
]
"""Every experiment on the inputs of every normalization that it is meant for."""


@pytest.mark.parametrize(("name", "kind", "maps"), MADE)
def test_right_programs_print_what_they_must(name: str, kind: str, maps: bool) -> None:
    experiment = EXPERIMENTS[name].made_for(kind, maps=maps)
    assert experiment is not None
    others = {"update": biased_update if name.endswith("biased") else right_update, "after_inference": stays}
    programs = right_programs(kind, maps=maps) if "forward(" in experiment.text else [INFERENCE]
    if "staged(" in experiment.text:
        programs = [{"forward": reference.batch_norm_forward, "staged": reference.batch_norm_backward_staged}]
    if name.startswith("names in"):
        programs = [one | {name: named(one[name]) for name in one if "backward" in name} for one in programs[:1]]
    for functions in programs:
        for seed in range(3):
            found = prints(experiment, seed, **functions, **others)
            assert (found < 1e-4) == experiment.zeros


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
    experiment = shown(specimen.belief, "batch", part_of(specimen), maps=specimen.on_feature_maps)
    assert experiment is not None
    functions: dict[str, Any] = {"update": right_update, **INFERENCE}
    functions |= {"forward": specimen.forward, "backward": as_a_tuple(specimen.gradient)}
    alone = {"running": "update", "inference": "inference", "inference_backward": "inference_backward"}
    if specimen.role in alone:
        functions[alone[specimen.role]] = specimen.function
    if specimen.role == "staged":
        functions |= {"forward": reference.batch_norm_forward, "staged": specimen.function}
    for seed in range(3):
        found = prints(experiment, seed, **functions)
        assert (found > 1e-2) if experiment.zeros else (found < 1e-4)


@pytest.mark.parametrize("specimen", OTHERS, ids=lambda one: f"{one.belief}:{one.name}")
def test_other_normalizations_that_hold_the_belief_print_the_opposite(specimen: OtherSpecimen) -> None:
    experiment = shown(specimen.belief, specimen.rules.kind, beliefs()[specimen.belief].part)
    assert experiment is not None
    functions = {"forward": specimen.forward, "backward": specimen.backward, "update": specimen.running}
    for seed in range(3):
        found = prints(experiment, seed, **functions)
        assert (found > 1e-3) if experiment.zeros else (found < 1e-4)


NOT_BY_CALLS = {
    *("tensors-not-parameters", "momentum-of-another-formula", "running-graph-kept", "conv-gamma-on-columns"),
    *("running-correction-stored", "running-start-corrected-once", "running-count-ahead"),
}
"""Of a module, a state or a default of a whole file: lines that call forward, backward and update do not reach them."""


def test_every_belief_has_an_experiment_where_it_shows() -> None:
    places = {"any": ("forward", "dx", "dgamma", "dbeta", "conv"), "stages": ("stages",)}
    for belief, entry in beliefs().items():
        assert bool(entry.see) == (belief not in NOT_BY_CALLS), belief
        if belief in NOT_BY_CALLS:
            continue
        for part in {"stage-wrong": Stages._fields, "cache-missing": ("forward",)}.get(
            belief, places.get(entry.part, (entry.part,))
        ):
            kinds = [kind for kind in ALL if experiments_of(belief, part, kind)]
            told = finding(belief, part, kind=kinds[0] if kinds else "batch", maps=part == "conv").experiment
            assert told.startswith("Try it: "), (belief, part)


def test_every_experiment_is_used() -> None:
    see = {entry.see for entry in beliefs().values()} | {
        "type",
        "error",
        "names",
        "step with unequal gamma",
        *STEPS.values(),
    }
    used = {
        name
        for one in see
        for part in (*CALLS, *Stages._fields, "conv")
        for kind in ALL
        for own_part in (True, False)
        for name in experiments_for(one, part, kind, own_part=own_part)
    }
    assert set(EXPERIMENTS) - used == set()


FAMILY = {"layer": (), "rms": (), "group": (2, 5), "instance": (2, 5)}


@pytest.mark.parametrize("kind", FAMILY)
def test_every_wrong_way_of_another_normalization_prints_what_its_message_says(kind: str) -> None:
    layout = Layout(kind, 2 if kind == "group" else 1)
    for program in [one for one in programs_of(kind) if len(one.beliefs) == 1]:
        (belief,) = program.beliefs
        experiment = shown(belief, kind, beliefs()[belief].part)
        assert experiment is not None, belief

        def forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5, switches: Any = program.switches) -> Any:
            probe = replace(make_probe(0, layout=layout), x=x, gamma=gamma, beta=beta, eps=eps)
            return transform(probe, switches).y, None

        found = prints(experiment, 0, forward=forward)
        assert (found > 1e-3) if experiment.zeros else (found < 1e-4), (belief, program.switches)
