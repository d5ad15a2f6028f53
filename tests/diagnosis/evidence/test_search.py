import json
from importlib import resources

import pytest

from bncourse.diagnosis.bounds import FLOOR
from bncourse.diagnosis.evidence.search import NEAR_BY_NATURE, separation

RECORD = json.loads(resources.files("bncourse.diagnosis").joinpath("probes.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("seeds", [2, pytest.param(16, marks=pytest.mark.long)])
def test_every_two_beliefs_differ_by_a_thousand_tolerances_on_other_seeds_than_the_search_used(seeds: int) -> None:
    found = separation(range(5000, 5000 + seeds))
    assert found.tolerances > 1e3, found


def test_the_record_says_what_the_search_found() -> None:
    assert RECORD["search"]["and on 60 other seeds"] > 1e3
    assert (
        RECORD["search"]["closest beliefs of the best recipe, in tolerances"] >= RECORD["search"]["the median recipe"]
    )


def test_only_imprecision_is_allowed_to_lie_near_the_truth() -> None:
    assert {"imprecise"} == NEAR_BY_NATURE
    assert FLOOR == 1e-9
