import re

import pytest

from bncourse.experiments.result import Measured, Result, Unit
from bncourse.plots.tables import numbers

ROWS = tuple(
    Measured(Unit.of(seed, norm=norm, rate=0.1), {"loss": loss + seed, "curve": [1.0, 2.0]}, 0.0)
    for norm, loss in (("none", 2.0), ("batch <script>", 1.0))
    for seed in (0, 1, 2)
)
RESULT = Result("made_up", "Which?", {}, {}, ROWS)


def test_one_row_a_condition_with_mean_and_half_width():
    shown = numbers(RESULT, {"loss": "final loss"})
    assert shown.header == ("norm", "final loss")
    assert shown.body == (("none", "3 ± 2.5"), ("batch <script>", "2 ± 2.5"))
    assert "over 3 seeds" in str(shown)


def test_only_the_conditions_asked_for():
    assert numbers(RESULT, {"loss": "loss"}, where={"norm": "none"}).body == (("3 ± 2.5",),)


def test_the_page_gets_no_markup_of_a_label():
    html = numbers(RESULT, {"loss": "loss"})._repr_html_()
    assert "<script>" not in html
    assert re.findall("<td>(.*?)</td>", html)[:2] == ["none", "3 ± 2.5"]


def test_seeds_that_diverged_are_counted_and_not_averaged():
    lost = Measured(Unit.of(3, norm="none", rate=0.1), {"loss": None}, 0.0)
    shown = numbers(Result("made_up", "Which?", {}, {}, (*ROWS, lost)), {"loss": "loss"})
    assert shown.body[0] == ("none", "not finite in 1 of 4 seeds")


def test_a_single_seed_has_no_interval():
    shown = numbers(Result("made_up", "Which?", {}, {}, ROWS[:1]), {"loss": "loss"})
    assert shown.body == (("2 (one seed)",),)


@pytest.mark.parametrize(("values", "where"), [({"gain": "gain"}, None), ({"loss": "loss"}, {"norm": "layer"})])
def test_what_was_not_measured_is_refused(values, where):
    with pytest.raises(ValueError, match="made_up has nothing named"):
        numbers(RESULT, values, where=where)
