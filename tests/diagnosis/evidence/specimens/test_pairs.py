import numpy as np
import pytest

from bncourse.diagnosis.evidence.specimens.pairs import Pair, random_pairs
from bncourse.diagnosis.paths import moves
from bncourse.diagnosis.probes import make_probe

pytestmark = pytest.mark.xdist_group("pairs")

COUNTS = [100, pytest.param(400, marks=pytest.mark.long)]


@pytest.fixture(scope="module", params=COUNTS)
def outcomes(request: pytest.FixtureRequest) -> list[tuple[Pair, tuple[str, ...]]]:
    probe = make_probe(0)
    ones = np.ones_like(probe.gamma)
    span = set(moves(probe, ones, ones).beliefs)
    pairs = random_pairs(request.param, seed=1, in_span=span.__contains__)
    return [(pair, pair.diagnose(seed).beliefs) for seed, pair in enumerate(pairs)]


def test_at_least_nine_of_ten_pairs_are_named_in_both_beliefs_or_the_dominating_one_first(
    outcomes: list[tuple[Pair, tuple[str, ...]]],
) -> None:
    named = [
        set(pair.beliefs) <= set(found) or found[:1] in [(one,) for one in pair.beliefs] for pair, found in outcomes
    ]
    assert sum(named) >= 0.9 * len(named)


def test_most_pairs_are_named_in_both_beliefs(outcomes: list[tuple[Pair, tuple[str, ...]]]) -> None:
    both = [set(pair.beliefs) <= set(found) for pair, found in outcomes]
    assert sum(both) >= 0.85 * len(both)


def test_pairs_are_drawn_from_all_tasks(outcomes: list[tuple[Pair, tuple[str, ...]]]) -> None:
    drawn = {belief for pair, _ in outcomes for belief in pair.beliefs}
    assert len(drawn) > 70
