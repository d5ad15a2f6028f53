import numpy as np


def test_the_plain_network_fails_at_a_rate_that_suits_the_normalized_one(quick):
    result = quick("learning_rates")
    assert result.values("failed", part="grid", norm="batch", rate=1.0).max() == 0.0
    gain = result.difference(
        "accuracy", {"part": "grid", "norm": "batch", "rate": 1.0}, {"part": "grid", "norm": "none", "rate": 1.0}
    )
    assert gain.low > 0.3


def test_a_rate_that_is_far_too_large_shows_as_diverged(quick):
    result = quick("learning_rates")
    assert result.values("diverged", part="grid", norm="none", rate=10.0).min() == 1.0


def test_the_range_test_sees_the_plain_loss_turn_up_earlier(quick):
    result = quick("learning_rates")

    def turning(norm):
        rates = result.values("rates", part="range", norm=norm)
        losses = result.values("range_losses", part="range", norm=norm)
        return [rate[np.nanargmin(loss)] for rate, loss in zip(rates, losses, strict=True)]

    assert (np.log(turning("none")) < np.log(turning("batch"))).all()
