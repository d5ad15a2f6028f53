import numpy as np
import torch

from bncourse.experiments.deep_networks import DeepNetwork
from bncourse.experiments.one_update import chain, network


def test_the_orders_of_a_chain_sum_to_its_change():
    rng = np.random.default_rng(0)
    x, weights, rate = rng.standard_normal(20), 1 + 0.1 * rng.standard_normal(6), 0.1
    slope = (x * (x * weights.prod() - 2 * x)).mean()
    after = np.prod(weights - rate * slope * weights.prod() / weights)
    found = chain(x, weights, rate, normalized=False)
    np.testing.assert_allclose(found["first"] + found["higher"], after / weights.prod() - 1, rtol=1e-10, atol=0)


def test_behind_batch_norm_no_higher_order_is_left(quick):
    result = quick("one_update")
    for depth in (2, 8):
        plain, normalized = ({"part": "chain", "norm": norm, "depth": depth} for norm in ("none", "batch"))
        assert result.values("higher", **normalized).max() < 1e-6
        assert result.values("higher", **plain).min() > 1e-3


def test_higher_orders_grow_with_the_chain(quick):
    result = quick("one_update")
    short, long = ({"part": "chain", "norm": "none", "depth": depth} for depth in (2, 8))
    assert result.difference("higher", long, short).low > 0.0


def test_in_a_deep_plain_network_batch_norm_keeps_less_of_the_first_order(quick):
    result = quick("one_update")
    plain, normalized = ({"part": "network", "shape": "plain", "norm": norm} for norm in ("none", "batch"))
    assert (result.values("higher", **normalized) > result.values("higher", **plain)).all()


def test_what_the_output_does_beyond_the_first_order_vanishes_with_the_rate():
    torch.manual_seed(0)
    x, y = torch.randn(32, 8).double(), torch.randint(0, 10, (32,))
    found = {}
    for rate in (1e-6, 1e-5):
        torch.manual_seed(1)
        found[rate] = network(DeepNetwork(8, 6, 2, residual=True, norm="batch").double(), x, y, rate)
    small, large = found.values()
    np.testing.assert_allclose(large["output_first"], 10 * small["output_first"], rtol=1e-9, atol=0)
    np.testing.assert_allclose(large["output_higher"], 100 * small["output_higher"], rtol=2e-2, atol=0)
