from bncourse.experiments import recorded
from bncourse.plots.experiments import internal_shift


def test_the_three_networks_stand_at_both_shifts_and_their_loss(sound):
    result = recorded("internal_shift")
    chosen = {"activation": "sigmoid", "norm": "noisy batch", "rate": 1.0}
    found = result.interval("shift", **chosen).mean
    shown = sound(internal_shift.draw(result), f"noisy batch norm at rate 1: shift of the gradient {found:.2f}")
    for word in ("without", "noisy batch norm", "gradient", "distribution", "mean training loss"):
        assert word in shown


def test_a_network_that_came_to_nothing_is_said_and_not_drawn(sound):
    sound(internal_shift.draw(recorded("internal_shift"), "relu"), "without at rate 1 diverged in")
    rows = [
        row for row in internal_shift.controls(recorded("internal_shift"), "relu").body if row[:2] == ("without", "1")
    ]
    assert "came to nothing in" in rows[0][2]


def test_the_table_has_the_control_beside_the_result():
    table = internal_shift.controls(recorded("internal_shift"))
    place = table.header.index("step of zero")
    assert {row[place] for row in table.body} == {"0 in all seeds"}
    redrawn = table.header.index("step of zero, redrawn")
    noisy = [row for row in table.body if row[0] == "noisy batch norm"]
    assert all(float(row[redrawn].split()[0]) > 0.8 for row in noisy)
    moved, still = (table.header.index(name) for name in ("shift of the distribution", "distribution, step of zero"))
    assert all(abs(float(row[still].split()[0]) / float(row[moved].split()[0]) - 1) < 0.15 for row in noisy)


def test_the_shift_is_followed_over_the_steps(sound):
    shown = sound(internal_shift.over_steps(recorded("internal_shift"), 0.1), "at rate 0.1", "batch norm from")
    assert "relative shift" in shown
