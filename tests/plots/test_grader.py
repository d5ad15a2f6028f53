"""The figure of the grader says with words and with its picture what crosses the border."""

import re
from xml.etree import ElementTree

from bncourse.plots.grader import TRUSTED, UNTRUSTED, two_compartments


def test_every_word_of_the_compartments_is_drawn() -> None:
    drawn = {element.text for element in ElementTree.fromstring(two_compartments().svg).iter() if element.text}
    assert {*TRUSTED, *UNTRUSTED} <= drawn


def test_the_figure_can_be_read_aloud_and_follows_the_theme() -> None:
    drawing = two_compartments()
    assert "oracle" in drawing.alt
    assert "worker" in drawing.alt
    assert f'aria-label="{drawing.alt[:20]}' in drawing.svg
    assert not re.search(r'(fill|stroke)="#', drawing.svg), "a color that does not follow the theme"


def test_the_figure_does_not_scroll_on_a_phone() -> None:
    assert float(re.findall(r"min-width: (\d+)px", two_compartments().svg)[0]) <= 360
