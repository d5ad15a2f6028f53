REPORTED = {"part": "reported"}


def test_every_place_helps_a_sigmoid_network(quick):
    result = quick("placement")
    none = {"place": "nowhere", "activation": "sigmoid", **REPORTED}
    for place in ("before", "after", "both"):
        assert result.difference("accuracy", none | {"place": place}, none).low > 0.2


def test_what_comes_before_a_rectifier_is_more_gaussian_than_what_comes_behind(quick):
    result = quick("placement")
    for place in ("nowhere", "before", "after"):
        where = {"place": place, "activation": "relu", **REPORTED}
        before, behind = (result.values(f"{side}_skewness", **where) for side in ("before", "behind"))
        assert (behind > 1.3 * before).all()
        assert result.interval("behind_zeros", **where).low > 0.2


def test_the_histograms_are_densities(quick):
    result = quick("placement")
    where = {"place": "before", "activation": "relu", **REPORTED}
    edges = result.values("edges", **where)
    mass = (result.values("before_histogram", **where) * (edges[:, 1:] - edges[:, :-1])).sum(axis=1)
    assert mass.min() > 0.98 and mass.max() < 1.001
