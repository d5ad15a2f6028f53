import numpy as np
import pytest

from bncourse.diagnosis.catalogue import beliefs
from bncourse.diagnosis.probes import make_probe
from bncourse.diagnosis.rules import PLACES
from bncourse.diagnosis.transform_search import explain, programs
from bncourse.diagnosis.transforms import transform


@pytest.mark.parametrize("kind", ["forward", "conv", "inference"])
def test_every_program_is_found_again_with_its_number_of_beliefs(kind: str) -> None:
    probe = make_probe(5, spatial=PLACES if kind == "conv" else ())
    for program in programs(kind):
        assert set(program.beliefs) <= set(beliefs())
        y = transform(probe, program.switches, inference=kind == "inference").y
        if program.beliefs and np.isfinite(y).all():
            found = explain(y, probe, kind, 1e-9)
            assert found is not None
            assert len(found.beliefs) <= len(program.beliefs)
            if len(program.beliefs) == 1:
                near_zero = {"eps-ignored", "eps-hard-coded", "inference-eps-ignored", "inference-eps-hard-coded"}
                assert found.beliefs == program.beliefs or {*found.beliefs, *program.beliefs} <= near_zero


def test_what_is_no_program_of_the_family_is_not_explained() -> None:
    probe = make_probe(2)
    assert explain(np.tanh(probe.x), probe, "forward", 1e-9) is None
