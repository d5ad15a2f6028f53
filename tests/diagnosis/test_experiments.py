"""What a message says of the student's own code is run on the specimens, and the opposite on right programs."""

from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis import beliefs
from bncourse.diagnosis.evidence.correct_programs import RIGHT
from bncourse.diagnosis.evidence.specimens import SPECIMENS, Specimen
from bncourse.diagnosis.experiments import EXPERIMENTS, Experiment
from bncourse.diagnosis.running_stats import right_update

EXACT = [one for one in RIGHT if "float32" not in one.name]
SHOWN = [
    one for one in SPECIMENS if beliefs()[one.belief].see and one.role in ("forward", "backward", "pair", "running")
]


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


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_right_programs_print_what_they_must(name: str) -> None:
    for right in EXACT:
        for seed in range(3):
            found = prints(
                EXPERIMENTS[name], seed, forward=right.forward, backward=as_a_tuple(right.backward), update=right_update
            )
            assert (found < 1e-4) == EXPERIMENTS[name].zeros, right.name


@pytest.mark.parametrize("specimen", SHOWN, ids=lambda one: f"{one.belief}:{one.name}")
def test_a_program_that_holds_the_belief_prints_the_opposite(specimen: Specimen) -> None:
    experiment = EXPERIMENTS[beliefs()[specimen.belief].see]
    update = specimen.function if specimen.role == "running" else right_update
    for seed in range(3):
        found = prints(experiment, seed, forward=specimen.forward, backward=specimen.gradient, update=update)
        assert (found > 1e-2) if experiment.zeros else (found < 1e-4)


def test_every_experiment_is_used_and_holds_no_expected_value() -> None:
    used = {entry.see for entry in beliefs().values()} - {""}
    assert used <= set(EXPERIMENTS)
    assert len([entry for entry in beliefs().values() if entry.see]) > 85
