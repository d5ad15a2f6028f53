import numpy as np
import pytest
import scipy.special

from bncourse.experiments.statistics import band, interval, t_quantile


def test_the_interval_covers_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(2000):
        found = interval(rng.standard_normal(5) + 3.0)
        covered += found.low <= 3.0 <= found.high
    assert 0.935 <= covered / 2000 <= 0.965


def test_one_seed_says_nothing_about_the_spread():
    assert interval([0.5]) == (0.5, -np.inf, np.inf, 1)


def test_a_diverged_run_shows_in_the_mean():
    assert np.isnan(interval([1.0, np.nan, 2.0]).mean)


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], 3.0])
def test_anything_but_one_number_a_seed_is_refused(values):
    with pytest.raises(ValueError, match="one number per seed"):
        interval(values)


def test_a_band_is_the_interval_point_by_point():
    curves = np.array([[1.0, 5.0], [3.0, 5.0], [5.0, 5.0]])
    mean, low, high = band(curves)
    np.testing.assert_allclose(mean, [3.0, 5.0], rtol=1e-15, atol=0)
    np.testing.assert_allclose([low[0], high[0]], interval(curves[:, 0])[1:3], rtol=1e-15, atol=0)
    np.testing.assert_allclose(low[1], 5.0, rtol=1e-15, atol=0)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 9, 24, 99])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_students_quantile_is_that_of_scipy(degrees: int, confidence: float) -> None:
    expected = scipy.special.stdtrit(degrees, 0.5 + confidence / 2)
    np.testing.assert_allclose(t_quantile(confidence, degrees), expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("value", [0.0, 0.098, -3.0, 1e7])
def test_seeds_that_agree_get_no_interval_of_width_zero(value: float) -> None:
    alike, apart = interval([value] * 5), interval([value, value, value, value, value + 1.0])
    assert alike.empty and not apart.empty
    assert "±" not in f"{alike}" + alike.said(1) and "in all seeds" in f"{alike}"
    assert "±" in f"{apart}" and "±" in apart.said(1)


@pytest.mark.parametrize(
    ("values", "digits", "said"),
    [
        ([0.03, 0.0304], 2, "0.030 ± 0.003"),
        ([-0.03, -0.0304], 0, "−0.030 ± 0.003"),
        ([27.0, 27.0, 27.01], 0, "27.00 ± 0.01"),
        ([0.8, 1.0], 1, "0.9 ± 1.3"),
        ([0.5, float("nan")], 1, "nan ± nan"),
        ([-0.5, 0.42], 1, "0.0 ± 5.8"),
    ],
)
def test_an_interval_is_said_with_as_many_digits_as_its_width_needs(
    values: list[float], digits: int, said: str
) -> None:
    assert interval(values).said(digits) == said
