"""The numbers under a figure: one row a condition, each number with its interval over the seeds."""

from collections.abc import Mapping
from html import escape
from typing import NamedTuple

import numpy as np

from bncourse.experiments.result import Label, Result
from bncourse.experiments.statistics import interval


class Numbers(NamedTuple):
    """A table that a page shows as HTML and a terminal as text."""

    header: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]
    caption: str

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in self.header)
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in self.body)
        return (
            f'<div class="bn-numbers" role="region" tabindex="0" aria-label="{escape(self.caption, quote=True)}">'
            f'<table class="table"><caption>{escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        )

    def __str__(self) -> str:
        lines = [self.header, *self.body]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        aligned = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
        return "\n".join([self.caption, *(line.rstrip() for line in aligned)])


def numbers(result: Result, values: Mapping[str, str], *, where: Mapping[str, Label] | None = None) -> Numbers:
    """Tabulate some values of a Result.

    Parameters
    ----------
    result : Result
        A recorded run, or one of your own.
    values : mapping of str to str
        The names of the values, each with its heading. Curves have no place in a table.
    where : mapping of str to label, optional
        Only the conditions with these labels; a label that is the same in all rows gets no column.

    Returns
    -------
    Numbers

    Raises
    ------
    ValueError
        If no condition matches or none of the values was measured there.
    """
    wanted = set((where or {}).items())
    rows = [
        (condition, cells)
        for condition in result.conditions()
        if wanted <= set(condition.items()) and any(cells := [_cell(result, name, condition) for name in values])
    ]
    if not rows:
        raise ValueError(
            f"{result.experiment} has nothing named {', '.join(values)} where {where}. Its conditions begin with "
            f"{result.conditions()[:4]}."
        )
    labels = list(dict.fromkeys(label for condition, _ in rows for label in condition))
    labels = [label for label in labels if len({condition.get(label) for condition, _ in rows}) > 1]
    shown = [tuple(sorted(condition.items())) for condition, _ in rows]
    seeds = len({measured.unit.seed for measured in result.units if measured.unit.condition in shown})
    header = (*(label.replace("_", " ") for label in labels), *values.values())
    body = tuple((*(str(condition.get(label, "")) for label in labels), *cells) for condition, cells in rows)
    return Numbers(header, body, f"Mean and 95 % interval over {seeds} seeds.")


def _cell(result: Result, name: str, condition: Mapping[str, Label]) -> str:
    """Say one number: its interval, how many seeds diverged, or nothing where it was not measured."""
    key = tuple(sorted(condition.items()))
    found = [m.values[name] for m in result.units if m.unit.condition == key and name in m.values]
    if not found:
        return ""
    seeds = np.array(found, dtype=float)
    lost = int(np.count_nonzero(~np.isfinite(seeds)))
    if lost:
        return f"not finite in {lost} of {seeds.size} seeds"
    shown = interval(seeds)
    return str(shown) if seeds.size > 1 else f"{shown.mean:.4g} (one seed)"
