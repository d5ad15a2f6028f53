"""What the oracle has done once itself, before it forks for anybody."""

from pathlib import Path

from bncourse.diagnosis import probes, transforms
from bncourse.grading.authoring.masters import load_master
from bncourse.grading.oracle.compiled_master import Prepared
from bncourse.grading.oracle.rehearsal import rehearse
from bncourse.grading.oracle.session import Session

MASTERS = Path(__file__).parents[3] / "assignments" / "masters"


def test_a_rehearsal_takes_right_and_wrong_answers_through_all_tests() -> None:
    probes.make_probe.cache_clear()
    transforms._outputs.cache_clear()
    rehearse(Prepared(load_master(MASTERS / "backward.md")), Session)
    hidden = {31, 35, 37, 61, 63}  # seeds of hidden tests
    before = probes.make_probe.cache_info().misses
    for seed in hidden:
        probes.make_probe(seed, spatial=(2, 5) if seed > 60 else ())
    assert probes.make_probe.cache_info().misses == before, "hidden tests were not reached"
    assert transforms._outputs.cache_info().currsize > 0, "no wrong answer was explained"
