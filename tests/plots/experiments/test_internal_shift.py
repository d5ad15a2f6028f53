from bncourse.experiments import recorded
from bncourse.plots.experiments import internal_shift


def test_the_three_networks_stand_at_their_shift_and_loss(sound):
    result = recorded("internal_shift")
    found = result.interval("shift", norm="noisy batch", rate=1.0).mean
    shown = sound(internal_shift.draw(result), f"noisy batch norm at rate 1: shift {found:.2f}")
    for word in ("without", "noisy batch norm", "rate 0.1", "rate 1", "mean training loss"):
        assert word in shown


def test_the_shift_is_followed_over_the_steps(sound):
    shown = sound(internal_shift.over_steps(recorded("internal_shift"), 0.1), "at rate 0.1", "batch norm from")
    assert "relative shift" in shown
