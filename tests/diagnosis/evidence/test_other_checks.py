from typing import Any

import pytest

from bncourse.diagnosis.evidence.correct_programs import RIGHT
from bncourse.diagnosis.evidence.other_checks import OTHER_CHECKS
from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward

RIGHT_IN_FLOAT64 = [one for one in RIGHT if one.name != "float32 inside"]


@pytest.mark.parametrize("name", OTHER_CHECKS)
def test_right_programs_pass_so_that_each_check_is_fair(name: str) -> None:
    for one in RIGHT_IN_FLOAT64:
        assert OTHER_CHECKS[name](one.forward, one.backward), one.name


@pytest.mark.parametrize("name", ["dy of ones", "sum of squares", "two samples"])
def test_gradient_checks_see_what_their_probe_shows(name: str) -> None:
    def backward(dy: Any, cache: Any) -> Any:
        dx, dgamma, dbeta = plain_backward(dy, cache)
        return dx, dgamma, dbeta + 1

    assert not OTHER_CHECKS[name](plain_forward, backward)


@pytest.mark.parametrize("name", ["dy of ones", "sum of squares", "two samples"])
def test_a_dx_of_zeros_passes_the_probes_on_which_dx_is_zero(name: str) -> None:
    def tiny_eps(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        return plain_forward(x, gamma, beta, 1e-12)

    def zeros(dy: Any, cache: Any) -> Any:
        dx, dgamma, dbeta = plain_backward(dy, cache)
        return 0 * dx, dgamma, dbeta

    assert OTHER_CHECKS[name](tiny_eps, zeros)


def test_an_error_counts_as_caught() -> None:
    for check in OTHER_CHECKS.values():
        assert not check(lambda *arguments: 1 / 0, plain_backward)
