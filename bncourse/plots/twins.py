"""The difference between the NumPy file and the PyTorch file of one name, as a table of code lines."""

import ast
import difflib
import io
import tokenize
from html import escape
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import bncourse


class Difference(NamedTuple):
    """The lines that differ, NumPy's beside PyTorch's; a page shows them as HTML and a terminal as text."""

    pairs: tuple[tuple[str, str], ...]
    caption: str

    @property
    def lines(self) -> int:
        """How many lines differ, those of both sides counted."""
        return sum(bool(one) + bool(other) for one, other in self.pairs)

    def _repr_html_(self) -> str:
        cells = ("".join(f"<td><code>{escape(line.strip())}</code></td>" for line in pair) for pair in self.pairs)
        rows = "".join(f"<tr>{cell}</tr>" for cell in cells)
        return (
            f'<div class="bn-numbers" role="region" tabindex="0" aria-label="{escape(self.caption, quote=True)}">'
            f'<table class="table"><caption>{escape(self.caption)}</caption>'
            '<thead><tr><th scope="col">NumPy</th><th scope="col">PyTorch</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></div>"
        )

    def __str__(self) -> str:
        sides = ((sign, line) for pair in self.pairs for sign, line in zip("-+", pair, strict=True))
        return "\n".join([self.caption, *(f"{sign}{line}" for sign, line in sides if line)])


def code_lines(source: str) -> list[str]:
    """Lines of Python code without docstrings, comments and blank lines.

    >>> code_lines('''def double(x):
    ...     "Two of it."
    ...
    ...     return 2 * x  # doubled
    ... ''')
    ['def double(x):', '    return 2 * x']
    """
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str()), lineno=first, end_lineno=int() as last):
                lines[first - 1 : last] = [""] * (last - first + 1)
    return [line.rstrip() for line in lines if line.strip()]


def difference(file: str) -> Difference:
    """Compare `numpy_bn/FILE.py` with `torch_bn/FILE.py`, as code.

    Parameters
    ----------
    file : str
        A name that both packages have, such as "functional".

    Returns
    -------
    Difference

    Raises
    ------
    FileNotFoundError
        If one of the two has no such file.
    """
    folder = Path(bncourse.__file__).parent  # read, not imported: PyTorch need not be there
    sources = [(folder / package / f"{file}.py").read_text("utf-8") for package in ("numpy_bn", "torch_bn")]
    one, other = (code_lines(source) for source in sources)
    pairs = [
        pair
        for tag, first, last, start, end in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
        if tag != "equal"
        for pair in zip_longest(one[first:last], other[start:end], fillvalue="")
    ]
    found = Difference(tuple(pairs), "")
    return found._replace(
        caption=f"All that differs between the two {file}.py, as code: {found.lines} lines of {len(one) + len(other)}."
    )
