import json
from importlib import resources

from bncourse.diagnosis.bounds import FLOOR
from bncourse.diagnosis.probes import RECIPE, make_probe
from bncourse.diagnosis.search import NEAR_BY_NATURE, separation

RECORD = json.loads(resources.files("bncourse.diagnosis").joinpath("probes.json").read_text(encoding="utf-8"))


def test_every_two_beliefs_differ_by_a_thousand_tolerances_on_other_seeds_than_the_search_used() -> None:
    found = separation(range(5000, 5016))
    assert found.tolerances > 1e3, found


def test_the_record_says_what_the_search_found() -> None:
    assert RECORD["search"]["and on 60 other seeds"] > 1e3
    assert (
        RECORD["search"]["closest beliefs of the best recipe, in tolerances"] >= RECORD["search"]["the median recipe"]
    )


def test_only_imprecision_is_allowed_to_lie_near_the_truth() -> None:
    assert {"imprecise"} == NEAR_BY_NATURE
    assert FLOOR == 1e-9


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
    shapes = {make_probe(seed).x.shape for seed in range(40)}
    assert len(shapes) >= 4
