"""The look of every figure: three colours for the three paths, and SVG that follows the page's theme.

A figure is drawn with matplotlib in the colours below, and leaves as SVG text in which each of them has become a
CSS variable: so one figure serves the light and the dark page, its words can be found and read aloud, and
nothing is fetched. Outside the book (`Drawing.svg` in a file) the variables fall back to the colours below,
which stand out from white and from black alike.
"""

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, NamedTuple

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure

DIRECT, MEAN, VARIANCE, TOTAL = "#2f7fc1", "#d06a1f", "#149a80", "#a45bb8"
"""The direct path, the path through the mean, the path through the variance, and their sum."""

INK, MUTED, GRID, PANEL = "#6b7480", "#7d8590", "#9aa3ae", "#808890"
"""Words and axes, second words, grid lines, faint areas."""

VARIABLES = {
    DIRECT: "--bn-direct",
    MEAN: "--bn-mean",
    VARIANCE: "--bn-variance",
    TOTAL: "--bn-total",
    INK: "--bn-ink",
    MUTED: "--bn-muted",
    GRID: "--bn-grid",
    PANEL: "--bn-panel",
}

LINES = {DIRECT: "-", MEAN: (0, (5, 2)), VARIANCE: (0, (1, 1.4)), TOTAL: (0, (6, 2, 1, 2))}
"""A pattern for each colour, for print in grey and for eyes that see the colours alike."""

WIDTH = 5.6
"""Width of a figure in inches: stack panels, so that a phone can show them."""

SETTINGS: Any = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "figure.figsize": (WIDTH, 3.0),
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "bncourse",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.9,
    "axes.edgecolor": MUTED,
    "grid.color": GRID,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.prop_cycle": cycler(color=[DIRECT, MEAN, VARIANCE, TOTAL], linestyle=list(LINES.values())),
}


class Drawing(NamedTuple):
    """A finished figure: its SVG, and the words that stand in for it where it cannot be seen."""

    svg: str
    alt: str

    def _repr_html_(self) -> str:
        return f'<div class="bn-figure">{self.svg}</div>'

    def _repr_svg_(self) -> str:
        return self.svg


@contextmanager
def style() -> Iterator[None]:
    """Draw in the course's style within this block."""
    with mpl.rc_context(SETTINGS):
        yield


def finish(figure: Figure, alt: str) -> Drawing:
    """Turn a matplotlib figure into SVG that follows the theme.

    Parameters
    ----------
    figure : matplotlib figure
        Drawn within `style()`, in the colours of this file.
    alt : str
        What a reader who does not see the figure needs to know from it.

    Returns
    -------
    Drawing
    """
    buffer = io.StringIO()
    with mpl.rc_context(SETTINGS):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = rounded(svg)
    return Drawing(with_theme(label(svg, alt)), alt)


def rounded(svg: str) -> str:
    """Cut coordinates to hundredths of a point, which no eye sees; a fifth of a page's weight are digits beyond.

    >>> rounded('<path d="M 1.23456 7.5"/><text x="3.14159">0.12345</text>')
    '<path d="M 1.23 7.5"/><text x="3.14">0.12345</text>'
    """

    def cut(found: re.Match[str]) -> str:
        digits = re.sub(r"(\.\d\d)\d+", r"\1", found[2])
        return f'{found[1]}="{digits}"'

    return re.sub(r'\b(d|x|y)="([^"]*)"', cut, svg)


def label(svg: str, alt: str) -> str:
    """Give the SVG a role, its alternative text, a flexible size, and ids that no other figure has."""
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0]
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-label="{escape(alt, quote=True)}" viewBox="0 0 {width} {height}" '
        f'style="width: {float(width) * 4 / 3:.0f}px" font-size="10">'
    )
    svg = re.sub(r"<svg[^>]*>", lambda _: opening, svg, count=1)
    prefix = f"f{short_hash(alt + svg)}-"
    svg = re.sub(r'\bid="([^"]+)"', lambda found: f'id="{prefix}{found[1]}"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{prefix}{found[1]})", svg)
    return re.sub(r'href="#([^"]+)"', lambda found: f'href="#{prefix}{found[1]}"', svg)


def short_hash(text: str) -> str:
    """Return six hexadecimal digits that stay the same from run to run, unlike Python's own hash.

    >>> short_hash("batch") == short_hash("batch") != short_hash("Batch")
    True
    """
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def with_theme(svg: str) -> str:
    """Replace each colour of this file by its CSS variable, with the colour itself to fall back to.

    >>> with_theme('<path style="stroke: #2f7fc1"/>')
    '<path style="stroke: var(--bn-direct, #2f7fc1)"/>'
    """
    for color, variable in VARIABLES.items():
        svg = svg.replace(color, f"var({variable}, {color})")
    return svg
