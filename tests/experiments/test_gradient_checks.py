import numpy as np
import pytest

from bncourse.experiments.gradient_checks import CHECKS, WRONG, disagreement, errors_by_step, right


@pytest.mark.parametrize("name", CHECKS)
def test_the_right_program_passes_every_check(name: str) -> None:
    assert disagreement(right, CHECKS[name]) < 1e-9


SLIPS_THROUGH = {
    "ones": {"dx = 0", "no path through the variance", "eps outside the root"},
    "2 x̂": {"dx = 0", "no path through the mean", "eps outside the root"},
    "N = 2": {"dx = 0", "eps outside the root"},
    "random": {"eps outside the root"},
    "random,\neps 0.1": set(),
}


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_is_blind_to_what_the_chapter_says(name: str) -> None:
    missed = {wrong for wrong, backward in WRONG.items() if disagreement(backward, CHECKS[name]) <= 1e-3}
    assert missed == SLIPS_THROUGH[name]


def test_only_the_complex_step_reaches_rounding() -> None:
    errors = errors_by_step(10.0 ** np.arange(0, -15.0, -1.0))
    assert errors["complex step"].min() < 1e-15
    assert errors["complex step"][-1] < 1e-14
    assert 1e-14 < errors["central"].min() < 1e-9
    assert errors["central"][-1] > 1e-5
    assert errors["central, float32"].min() > 1e-8
