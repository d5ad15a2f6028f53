from bncourse.experiments import recorded
from bncourse.plots.experiments import covariate_shift


def test_every_treatment_is_shown_with_its_accuracy(sound):
    result = recorded("covariate_shift")
    weighted = 100 * result.interval("accuracy", treatment="weighted").mean
    shown = sound(covariate_shift.draw(result), f"importance weights {weighted:.1f}")
    for word in ("nothing", "weights", "and variance", "test accuracy (%)"):
        assert word in shown
