import numpy as np
import pytest

from bncourse.diagnosis.checks import Misconception, check_laws
from bncourse.diagnosis.evidence.specimens import SPECIMENS, Specimen
from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward
from bncourse.diagnosis.numerical_gradient import own_gradient
from bncourse.diagnosis.probes import make_probe
from bncourse.numpy_bn import batch_norm_forward

LAWS = [one for one in SPECIMENS if one.belief.startswith("law-")]
TRAINING = [one for one in SPECIMENS if one.role in ("forward", "backward", "pair")]


@pytest.mark.parametrize("specimen", LAWS, ids=lambda one: one.belief)
def test_a_program_that_breaks_one_law_is_told_so(specimen: Specimen) -> None:
    for seed in range(8):
        with pytest.raises(Misconception) as caught:
            check_laws(specimen.forward, specimen.gradient, seed=seed)
        assert caught.value.belief == specimen.belief


def test_every_wrong_gradient_breaks_a_law_so_that_students_need_no_reference() -> None:
    for specimen in TRAINING:
        if specimen.role == "backward" and specimen.belief != "imprecise":
            with pytest.raises(Misconception):
                check_laws(specimen.forward, specimen.gradient)


def test_the_own_gradient_of_the_right_forward_pass_is_the_right_gradient() -> None:
    for seed in range(10):
        probe = make_probe(seed)
        own = own_gradient(batch_norm_forward, probe, np.float64)
        assert own is not None
        dx, dgamma, dbeta = plain_backward(probe.dy, plain_forward(probe.x, probe.gamma, probe.beta, probe.eps)[1])
        assert own.agrees(dx, probe)
        assert not own.agrees(dx * 1.001, probe)
        np.testing.assert_allclose(own.dgamma, dgamma, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(own.dbeta, dbeta, rtol=1e-9, atol=1e-9)
