from collections.abc import Callable

from bncourse.experiments import recorded
from bncourse.plots.experiments import draw


def test_the_term_and_what_leaving_it_out_costs_are_drawn(sound: Callable[..., str]) -> None:
    result = recorded("l1_norm")
    share = result.values("share", norm="l1", shape="normal", size=4).mean()
    shown = sound(draw(result), f"L1, normal data: {share:.2f} at m = 4", "variance, exponential data: 0.00 at m = 4")
    assert "batch size m" in shown
