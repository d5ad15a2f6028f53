from dataclasses import replace

import numpy as np
import torch

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
        for way in cost.QUICK.ways:
            assert result.values(name, part="layer", way=way, shape="256x1024").min() > 0.0


def test_what_is_compared_takes_turns():
    called = []
    calls = {name: (lambda name=name: called.append(name)) for name in ("one", "other")}
    found = cost.seconds(calls, replace(cost.QUICK, runs=2))
    assert called == ["one", "other"] * (cost.WARM_UP + 2)
    assert set(found) == {"one", "other"}


def test_every_way_computes_what_the_others_compute():
    x, dy = torch.randn(2, 6, 3, 4, 1, generator=torch.Generator().manual_seed(0))
    y, (dx, *_) = cost.WAYS["library"](x, dy)()
    for way in set(cost.QUICK.ways) - {"library"}:
        other, (its, *_) = cost.WAYS[way](x, dy)()
        np.testing.assert_allclose(other, y.detach(), rtol=0, atol=1e-5)
        np.testing.assert_allclose(its, dx, rtol=0, atol=1e-5)
    assert set(cost.WAYS) == set(cost.FULL.ways)


def test_an_accelerator_runs_the_library_alone():
    planned = cost.units(replace(cost.FULL, device="cuda"), {})
    assert {unit["way"] for unit in planned if unit["part"] == "layer"} == {"library"}
