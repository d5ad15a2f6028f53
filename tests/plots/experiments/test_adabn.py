import pytest

from bncourse.experiments import recorded
from bncourse.plots.experiments import adabn


@pytest.mark.parametrize("training", ["clean", "distorted"])
def test_every_shift_and_both_networks_are_shown(sound, training):
    shown = sound(adabn.draw(recorded("adabn"), training), f"trained on {training}".replace("trained", "training"))
    for kind in ("clean", "faint", "bright", "blurred", "noisy", "inverted", "batch norm, recomputed", "guessing"):
        assert kind in shown


def test_the_description_gives_the_accuracies():
    result = recorded("adabn")
    after = 100 * result.interval("faint_after", norm="batch", training="clean").mean
    assert f"faint {after:.0f}" in adabn.draw(result).alt.split("recomputed: ")[1]
