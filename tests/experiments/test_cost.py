from dataclasses import replace

from bncourse.experiments import cost


def test_folding_changes_nothing_but_rounding(quick):
    result = quick("cost")
    for network in ("mlp", "convolution"):
        assert result.values("folding_error", part="network", network=network).max() < 1e-5


def test_gamma_and_beta_are_a_small_share_of_the_parameters(quick):
    result = quick("cost")
    for network in ("mlp", "convolution"):
        assert 0.0 < result.values("parameter_share", part="network", network=network).max() < 0.02


def test_times_and_bytes_are_positive_numbers(quick):
    result = quick("cost")
    for name in ("seconds", "bytes", "bandwidth", "roofline"):
        assert result.values(name, part="layer", shape="256x1024").min() > 0.0


def test_what_is_compared_takes_turns():
    called = []
    calls = {name: (lambda name=name: called.append(name)) for name in ("one", "other")}
    found = cost.seconds(calls, replace(cost.QUICK, runs=2))
    assert called == ["one", "other"] * (cost.WARM_UP + 2)
    assert set(found) == {"one", "other"}
