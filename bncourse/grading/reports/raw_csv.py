"""A CSV file in; its cells out, and the same file with some of them changed and every other byte as it was.

A platform's gradebook goes back to where it came from: its quotes, line ends, separators and byte-order mark stay.
"""

import codecs
import re
from collections.abc import Mapping
from typing import NamedTuple

from bncourse.grading.authoring.course import CourseError

SEPARATORS = (",", ";", "\t")


class Cell(NamedTuple):
    """One cell, and where it stands in the text, quotes included."""

    start: int
    end: int
    value: str


class RawCsv:
    r"""The cells of a CSV file as it was written.

    Parameters
    ----------
    content : bytes
        UTF-8, with or without a byte-order mark, or UTF-16 with one, as spreadsheets save it.
    name : str
        The file's name, for messages.

    Raises
    ------
    CourseError
        If it is written in another encoding.

    Examples
    --------
    >>> table = RawCsv(b'a;"b;c"\r\n1;"2"\r\n', "x.csv")
    >>> [cell.value for cell in table.rows[0]], table.changed({(1, 1): "3,5"})
    (['a', 'b;c'], b'a;"b;c"\r\n1;"3,5"\r\n')
    """

    def __init__(self, content: bytes, name: str) -> None:
        self._mark, self._encoding = b"", "utf-8"
        for mark, encoding in (
            (codecs.BOM_UTF8, "utf-8"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
        ):
            if content.startswith(mark):
                self._mark, self._encoding = mark, encoding
        try:
            self.text = content[len(self._mark) :].decode(self._encoding)
        except UnicodeDecodeError as error:
            raise CourseError(f"{name} is not UTF-8. Download it again, or save it as CSV UTF-8.") from error
        first = re.sub(r'"[^"]*"', "", self.text[:20_000]).lstrip("\r\n").partition("\n")[0]
        self.separator = max(SEPARATORS, key=first.count)
        self.rows = self._read()

    def _read(self) -> list[list[Cell]]:
        separator = re.escape(self.separator)
        quoted = re.compile(r'"((?:[^"]|"")*)"(?=' + separator + r"|[\r\n]|\Z)")
        plain = re.compile(rf"[^{separator}\r\n]*")
        rows, row, at = list[list[Cell]](), list[Cell](), 0
        while at < len(self.text):
            found = quoted.match(self.text, at)
            value = found[1].replace('""', '"') if found else ""
            if found is None:
                found = plain.match(self.text, at)
                value = found[0] if found else ""
            end = found.end() if found else at
            row.append(Cell(at, end, value))
            if self.text.startswith(self.separator, end):
                at = end + 1
                if at < len(self.text):
                    continue
                row.append(Cell(at, at, ""))
            else:
                at = end + (2 if self.text.startswith("\r\n", end) else 1)
            rows.append(row)
            row = []
        return rows

    def changed(self, values: Mapping[tuple[int, int], str]) -> bytes:
        """Return the file with other values in some cells, by row and column; a cell keeps its quotes."""
        parts, at = [], 0
        for row, column in sorted(values):
            cell, value = self.rows[row][column], values[row, column]
            was_quoted = self.text[cell.start : cell.start + 1] == '"'
            if was_quoted or self.separator in value:
                value = '"' + value.replace('"', '""') + '"'
            parts += [self.text[at : cell.start], value]
            at = cell.end
        return self._mark + "".join([*parts, self.text[at:]]).encode(self._encoding)
