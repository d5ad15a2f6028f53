import pytest

from bncourse.experiments import recorded
from bncourse.plots.experiments import explosion


@pytest.mark.parametrize(("activation", "limit"), [("relu", True), ("tanh", False)])
def test_growth_is_shown_with_the_limit_where_theory_gives_one(sound, activation, limit):
    result = recorded("explosion")
    found = result.interval("growth", norm="batch", activation=activation, depth=50).mean
    shown = sound(explosion.draw(result, activation), f"with batch norm: growth {found:.2f} at depth 50")
    assert ("π/(π − 1)" in shown) is limit
    assert "layer norm" in shown
