from collections.abc import Callable

from bncourse.experiments import recorded
from bncourse.plots.experiments import draw


def test_every_way_of_training_is_drawn_for_both_widths(sound: Callable[..., str]) -> None:
    result = recorded("affine_only")
    mean = (100 * result.values("accuracy", part="reported", trained="gamma and beta", width=256)).mean()
    shown = sound(draw(result), f"gamma and beta, width 256: {mean:.1f}")
    for word in (*result.config["trained"], "width 32", "width 256"):
        assert word in shown
