"""The look of every figure: three colors for the three paths, and SVG that follows the page's theme.

A figure is drawn with matplotlib in the colors below, and leaves as SVG text in which each of them has become a
CSS variable: so one figure serves the light and the dark page, its words can be found and read aloud, and
nothing is fetched. Outside the book (`Drawing.svg` in a file) the variables fall back to the colors below,
which stand out from white and from black alike.
"""

import hashlib
import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, NamedTuple

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation

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
"""A pattern for each color, for print in gray and for eyes that see the colors alike."""

WIDTH = 5.0
"""Width of a figure in inches: on a phone, 360 pixels wide, 11 points are 11 pixels. So stack panels."""

LEGIBLE = 11
"""Pixels: no letter of a figure is shown smaller. Where it would be, on a narrow page, the figure scrolls instead."""

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
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "legend.columnspacing": 1.2,
    "legend.handlelength": 1.8,
    "legend.handletextpad": 0.5,
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


SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


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
        Drawn within `style()`, in the colors of this file.
    alt : str
        What a reader who does not see the figure needs to know from it.

    Returns
    -------
    Drawing
    """
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), LogFormatterSciNotation):
                axis.set_major_formatter(PlainPowers())
                axis.set_minor_formatter(PlainPowers(minor_thresholds=(1, 0.4)))
    with mpl.rc_context(SETTINGS):
        _fit_legends(figure)
    buffer = io.StringIO()
    with mpl.rc_context(SETTINGS):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = rounded(svg)
    return Drawing(with_theme(label(svg, alt)), alt)


def _fit_legends(figure: Figure) -> None:
    """Give a legend beside the panels that is wider than its figure fewer columns, until it fits."""
    if not figure.legends:
        return
    figure.draw_without_rendering()
    for legend in list(figure.legends):
        side, columns = getattr(legend, "_outside_loc", None), getattr(legend, "_ncols", 1)
        handles = [handle for handle in legend.legend_handles if handle is not None]
        labels = [text.get_text() for text in legend.get_texts()]
        while side and columns > 1 and legend.get_window_extent().width > figure.bbox.width:
            columns -= 1
            legend.remove()
            place: Any = f"outside {side} center"
            legend = figure.legend(handles, labels, loc=place, ncols=columns)
            figure.draw_without_rendering()


class PlainPowers(LogFormatterSciNotation):
    r"""Powers of ten on a logarithmic axis with the digits of Unicode, as high as the rest of the text.

    >>> PlainPowers().plain(r"$\mathdefault{2\times10^{-3}}$")
    '2×10⁻³'
    """

    @staticmethod
    def plain(text: str) -> str:
        """Take the mathematics out of a tick's label."""
        text = re.sub(r"\^\{?([-\d]+)\}?", lambda power: power[1].translate(SUPERSCRIPTS), text)
        return re.sub(r"\$|\\mathdefault|[{}]", "", text.replace(r"\times", "×"))

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Label a tick."""
        return self.plain(super().__call__(x, pos))


def rounded(svg: str) -> str:
    r"""Cut what no eye sees and what is half of a page's weight: digits beyond hundredths, indents, groups' names.

    >>> rounded('<path d="M 1.23456 7.5"/>\n  <g id="line2d_7">\n   <text x="3.14159">0.12345</text>')
    '<path d="M 1.23 7.5"/>\n<g>\n<text x="3.14">0.12345</text>'
    """
    svg = re.sub(r"\n +<", "\n<", svg)
    svg = re.sub(r'<g id="(?:line2d|text|patch|[xy]tick|legend|matplotlib\.axis|[A-Z]\w*Collection)_\d+">', "<g>", svg)

    def cut(found: re.Match[str]) -> str:
        digits = re.sub(r"(\.\d\d)\d+", r"\1", found[2])
        return f'{found[1]}="{digits}"'

    return re.sub(r'\b(d|x|y)="([^"]*)"', cut, svg)


def smallest_text(svg: str) -> float:
    """Return the size of the smallest letters, in units of the drawing; infinite where there are none.

    >>> smallest_text('<text style="font: 11px sans">a</text><text font-size="9.5">b</text>')
    9.5
    """
    sizes = re.findall(r'font(?:-size)?: ?([\d.]+)px|<text[^>]*font-size="([\d.]+)"', svg)
    return min((float(one or other) for one, other in sizes), default=math.inf)


def label(svg: str, alt: str, *, unit: float = 4 / 3) -> str:
    """Give the SVG a role, its alternative text, a flexible size, and ids that no other figure has.

    Parameters
    ----------
    svg : str
    alt : str
    unit : float
        Pixels that a unit of the drawing has where there is room: a point has 4/3.
    """
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0]
    narrowest = math.floor(min(LEGIBLE * float(width) / smallest_text(svg), float(width) * unit) + 0.5)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-label="{escape(alt, quote=True)}" viewBox="0 0 {width} {height}" '
        f'style="width: {float(width) * unit:.0f}px; min-width: {narrowest}px" font-size="11">'
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
    """Replace each color of this file by its CSS variable, with the color itself to fall back to.

    >>> with_theme('<path style="stroke: #2f7fc1"/>')
    '<path style="stroke: var(--bn-direct, #2f7fc1)"/>'
    """
    for color, variable in VARIABLES.items():
        svg = svg.replace(color, f"var({variable}, {color})")
    return svg
