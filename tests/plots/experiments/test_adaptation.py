from collections.abc import Callable

from bncourse.experiments import recorded
from bncourse.experiments.adaptation import SHIFTS
from bncourse.plots.experiments import draw
from bncourse.plots.experiments.adaptation import LOOKS, gained, table


def test_every_kind_of_shift_is_drawn_in_four_ways(sound: Callable[..., str]) -> None:
    result = recorded("adaptation")
    before = (100 * result.values("uneven_before", part="reported")).mean()
    shown = sound(draw(result), f"uneven: statistics of the training {before:.1f}")
    for word in (*SHIFTS, *(look.name for look in LOOKS.values())):
        assert word in shown


def test_what_lower_entropy_adds_is_a_difference_seed_by_seed() -> None:
    result = recorded("adaptation")
    rows = {row[0]: row[1:] for row in table(result).body}
    gain = gained(result, "turned")
    assert rows["turned"][-1].startswith(f"{100 * gain.mean:+.2f} ± ")
    means = [100 * result.values(f"turned_{way}", part="reported").mean() for way in ("tent", "batch")]
    assert abs(100 * gain.mean - (means[0] - means[1])) < 1e-9
