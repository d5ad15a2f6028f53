"""What several pictures of questions are made of: a question mark, a box with words, an arrow, an empty panel."""

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from bncourse.plots.style import INK, MUTED

LARGE = 26
"""Points of a question mark."""


def ask(axis: Axes, x: float, y: float, *, size: float = LARGE, color: str = INK) -> None:
    """Put a question mark at a place."""
    axis.text(x, y, "?", ha="center", va="center", fontsize=size, color=color)


def box(axis: Axes, x: float, y: float, width: float, height: float, words: str, color: str = INK) -> None:
    """Draw a box around a center, with words in it."""
    corner = (x - width / 2, y - height / 2)
    shape = FancyBboxPatch(
        corner, width, height, boxstyle="round,pad=0,rounding_size=0.08", fc="none", ec=color, lw=1.8
    )
    axis.add_patch(shape)
    axis.text(x, y, words, ha="center", va="center", color=color)


def arrow(
    axis: Axes, start: tuple[float, float], end: tuple[float, float], color: str = MUTED, line: str = "-"
) -> None:
    """Draw an arrow from one place to another."""
    axis.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.8, "ls": line})


def bare(axis: Axes, width: float, height: float) -> None:
    """Make a panel a sheet of paper of that size, without axes."""
    axis.set(xlim=(0, width), ylim=(0, height))
    axis.set_axis_off()


def empty(axis: Axes, title: str) -> None:
    """Leave a panel open: its frame, its title and a question mark."""
    axis.set(xticks=[], yticks=[], title=title, xlim=(0, 1), ylim=(0, 1))
    axis.grid(visible=False)
    ask(axis, 0.5, 0.5, size=40)
