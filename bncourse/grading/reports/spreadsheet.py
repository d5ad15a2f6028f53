"""Rows in; CSV out in which no cell is a formula: what a spreadsheet would take for one begins with an apostrophe."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@]")
"""How a formula begins, once its letters are written as plain ones: spreadsheets read full-width signs as well."""


def safe(value: Any) -> Any:
    """A value for a spreadsheet's cell: text that would be read as a formula begins with an apostrophe.

    >>> safe("=1+1"), safe("\uff1d1+1"), safe("ada"), safe(-2.5)
    ("'=1+1", "'\uff1d1+1", 'ada', -2.5)
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _FORMULA.match(unicodedata.normalize("NFKC", value[:20])):
        return f"'{value}"
    return value


def as_meant(text: str) -> str:
    """A cell's text without the apostrophe that `safe` puts before what a spreadsheet would take for a formula.

    >>> as_meant("'=Bo"), as_meant("'Aisha"), as_meant("O'Neil")
    ('=Bo', "'Aisha", "O'Neil")
    """
    return text[1:] if text[:1] == "'" and safe(text[1:]) == text else text


def csv_bytes(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A table as CSV; no cell of it is a formula."""
    return (",".join(heading) + "\n").encode() + csv_rows(rows)


def csv_rows(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows of a table without its heading."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([safe(value) for value in row] for row in rows)
    return file.getvalue().encode()
