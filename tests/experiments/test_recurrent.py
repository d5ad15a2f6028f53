import numpy as np


def test_normalized_recurrent_networks_learn_faster(quick):
    result = quick("recurrent")
    for norm in ("per step", "layer"):
        assert result.difference("loss", {"norm": "none"}, {"norm": norm, "gamma": 0.1}).low > 0.0


def test_per_step_and_pooled_statistics_differ_at_inference_only(quick):
    result = quick("recurrent")
    per_step, pooled = ({"norm": norm, "gamma": 0.1} for norm in ("per step", "one for all"))
    np.testing.assert_allclose(result.values("loss", **per_step), result.values("loss", **pooled), rtol=1e-5, atol=0)
    assert (result.values("accuracy", **per_step) != result.values("accuracy", **pooled)).any()


def test_the_statistics_change_with_the_time_step(quick):
    std = quick("recurrent").values("std_by_step", norm="per step", gamma=0.1)
    assert (std[:, -1] > 1.5 * std[:, 0]).all()
