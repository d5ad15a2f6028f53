from typing import Any

import pytest

from bncourse.diagnosis.checks import check_forward
from bncourse.diagnosis.evidence.specimens.registry import plain_forward
from bncourse.diagnosis.probes import RECIPE, make_probe


def test_probes_are_exaggerated_and_uneven() -> None:
    for seed in range(50):
        probe = make_probe(seed)
        samples, channels = probe.x.shape
        assert samples not in RECIPE.channels
        assert channels not in RECIPE.counts
        assert probe.eps > 0.01
        assert probe.x.var(axis=0).min() > probe.eps
        assert probe.kappa < 8


def test_probes_differ_from_seed_to_seed_and_not_from_call_to_call() -> None:
    one, again, other = make_probe(3), make_probe(3), make_probe(4)
    assert one is again
    assert one.x.shape != other.x.shape or (one.x != other.x).all()


@pytest.mark.parametrize("spatial", [(), (2, 5)])
def test_a_shape_learned_by_heart_from_the_visible_check_is_worth_nothing(spatial: tuple[int, ...]) -> None:
    seen = make_probe(0, spatial=spatial).x.shape
    others = {make_probe(seed, spatial=spatial).x.shape for seed in range(1, 40)}
    assert len(others) >= 2
    assert all(other[0] != seen[0] and other[1] != seen[1] for other in others)


@pytest.mark.parametrize("seed", [-1, 1.5, "0"])
def test_a_seed_that_is_no_whole_number_is_refused(seed: Any) -> None:
    with pytest.raises(ValueError, match="Expected a whole number"):
        check_forward(plain_forward, seed=seed)
