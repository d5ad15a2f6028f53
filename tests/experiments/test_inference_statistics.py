def test_the_biased_variance_falls_short_by_one_over_m_and_the_factor_mends_it(quick):
    result = quick("inference_statistics")
    for size in (2, 8, 32):
        biased = result.interval("biased", part="bias", batch_size=size)
        assert abs(biased.mean - (size - 1) / size) < 0.02
        corrected = result.interval("corrected", part="bias", batch_size=size)
        assert abs(corrected.mean - 1.0) < 0.02


def test_population_statistics_are_no_worse_than_the_moving_averages_of_small_batches(quick):
    result = quick("inference_statistics")
    small = {"part": "trained", "batch_size": 4, "momentum": 0.1}
    moving, exact = result.values("moving_loss", **small), result.values("exact_loss", **small)
    assert (exact < moving).all()
