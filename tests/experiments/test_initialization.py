def test_a_start_a_hundred_times_too_small_hurts_only_without_normalization(quick):
    result = quick("initialization")
    assert result.values("failed", norm="none", scale=0.01, rate=0.1).min() == 1.0
    assert result.interval("accuracy", norm="batch", scale=0.01, rate=0.1).low > 0.9


def test_a_start_ten_times_too_large_diverges_without_normalization_and_slows_with_it(quick):
    result = quick("initialization")
    assert result.values("diverged", norm="none", scale=10.0, rate=0.1).min() == 1.0
    assert result.interval("accuracy", norm="batch", scale=10.0, rate=0.1).low > 0.7
    slower = result.difference(
        "loss", {"norm": "batch", "scale": 10.0, "rate": 0.1}, {"norm": "batch", "scale": 1.0, "rate": 0.1}
    )
    assert slower.low > 0.0
