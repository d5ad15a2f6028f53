from collections.abc import Callable

from bncourse.experiments import recorded
from bncourse.plots.experiments import draw


def test_both_miniatures_are_drawn_with_and_without_their_company(sound: Callable[..., str]) -> None:
    result = recorded("company")
    matched = (100 * result.values("without_company", part="reported", way="same groups")).mean()
    shown = sound(draw(result), f"same groups, in other batches, or alone: {matched:.0f}", "mean, two batches")
    for word in ("shuffled groups", "scale, one batch", "shape, two batches", "in other batches, or alone"):
        assert word in shown
