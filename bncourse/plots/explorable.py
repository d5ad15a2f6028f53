"""A figure that comes alive where JavaScript runs, and stands as it is where it does not."""

import json
from html import escape
from typing import Any, NamedTuple

from bncourse.plots.style import Drawing

NAMES = ("transform", "paths", "drift", "center")
"""The explorables of the book: one script each in book/_static/explorables."""


class Explorable(NamedTuple):
    """The static figure, the name of the explorable that takes its place, and where that starts."""

    drawing: Drawing
    name: str
    start: dict[str, Any]

    def _repr_html_(self) -> str:
        start = escape(json.dumps(self.start), quote=True)
        return (
            f'<div class="bn-explorable" data-explorable="{self.name}" data-start="{start}">'
            f"{self.drawing._repr_html_()}</div>"
        )

    def _repr_svg_(self) -> str:
        return self.drawing.svg


def explorable(name: str, drawing: Drawing, **start: Any) -> Explorable:
    """Let a figure come alive.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    drawing : Drawing
        What is shown without JavaScript, and in print.
    **start
        Where the explorable starts: numbers and lists of numbers, under the names that its script knows.

    Returns
    -------
    Explorable

    Raises
    ------
    ValueError
        If there is no explorable of that name.
    """
    if name not in NAMES:
        raise ValueError(f"name is {name!r}. Expected one of {', '.join(NAMES)}.")
    return Explorable(drawing, name, start)
