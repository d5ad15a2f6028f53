from collections.abc import Callable

import numpy as np

from bncourse.experiments import recorded
from bncourse.plots.experiments import draw
from bncourse.plots.experiments.one_update import higher, kept, output, table


def test_the_chain_and_every_network_are_drawn_and_named(sound: Callable[..., str]) -> None:
    result = recorded("one_update")
    mean = higher(result, "none", 32).mean()
    shown = sound(draw(result), f"{mean:.2g} at 32", "plain, batch norm", "no number at 32")
    for word in ("chain of scalars", "one scalar from 0", "residual", "plain"):
        assert word in shown


def test_a_loss_that_is_no_number_is_said_and_not_averaged() -> None:
    result = recorded("one_update")
    assert not np.isfinite(kept(result, "residual", "none", 32, 0.01)).all()
    rows = {row[:2]: row[2:] for row in table(result).body}
    assert rows["residual", "no normalization"][-1] == "no number"
    median = np.median(kept(result, "residual", "batch", 8, 0.01))
    assert rows["residual", "batch norm"][1].startswith(f"{median:.2g} (")


def test_a_table_of_the_output_has_a_row_for_every_network() -> None:
    result = recorded("one_update")
    median = np.median(output(result, "residual", "batch", 8, 0.01))
    shown = table(result, "output")
    assert {row[:2]: row[2:] for row in shown.body}["residual", "batch norm"][1].startswith(f"{median:.2g} (")
    assert len(shown.body) == len(result.config["arms"]) and "output" in shown.caption
