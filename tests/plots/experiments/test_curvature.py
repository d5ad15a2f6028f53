from collections.abc import Callable

from bncourse.experiments import recorded
from bncourse.plots.experiments import draw


def test_every_rate_has_a_panel_with_its_limit(sound: Callable[..., str]) -> None:
    result = recorded("curvature")
    last = result.values("eigenvalues", norm="batch", rate=0.3)[:, -1].mean()
    shown = sound(draw(result), "6.67 at rate 0.3", f"to {last:.2g}")
    for word in ("learning rate 0.03", "learning rate 0.3", "2 / rate", "with batch norm"):
        assert word in shown
