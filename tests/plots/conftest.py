"""What holds for every figure of the book."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from bncourse.plots.style import VARIABLES, Drawing

WIDEST = 5.3 * 72
"""Points; a wider figure would be shrunk below legibility on a phone."""


def _sound(drawing: Drawing, *words: str) -> str:
    root = ElementTree.fromstring(drawing.svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == drawing.alt
    assert len(drawing.alt) > 60
    for word in words:
        assert word in drawing.alt
    assert float(root.get("viewBox", "").split()[2]) <= WIDEST
    named = drawing.svg
    for color, variable in VARIABLES.items():
        named = named.replace(f"var({variable}, {color})", "")
    colors = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", named))
    assert not colors, f"colors outside the palette do not follow the theme: {colors}"
    return " ".join(text for element in root.iter() if (text := (element.text or "").strip()))


@pytest.fixture
def sound() -> Callable[..., str]:
    """Check a drawing's role, alternative text, width and colors; return the words that it shows."""
    return _sound
