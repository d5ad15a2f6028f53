"""Bytes that claim to be a notebook in; its cells as text out, and what had to be repaired. Never raises."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from bncourse.grading.core.plain_text import BIDI

MAX_BYTES = 25 * 2**20
MAX_SOURCE = 500_000
MAX_IN_ALL = 1_000_000
"""Characters of all cells: some fifty times as many as a notebook of the course has."""


class RawCell(NamedTuple):
    """One cell as it was handed in."""

    cell_type: str
    source: str
    facts: Mapping[str, Any]
    """nbgrader's metadata, or an empty mapping."""
    name: str
    """The cell's id in the file."""
    tags: tuple[str, ...]
    attachments: Mapping[str, Any] = MappingProxyType({})
    """By name, what the text refers to: for each a mapping from a kind to text that stands for bytes."""


class RawNotebook(NamedTuple):
    """A notebook as it was handed in, or the reason why it is none."""

    cells: tuple[RawCell, ...]
    metadata: Mapping[str, Any]
    repairs: tuple[str, ...]
    reason: str


def read_notebook(raw: bytes) -> RawNotebook:
    """Read a notebook from bytes; a file that is none gives a reason instead of cells."""
    repairs: list[str] = []
    try:
        data = _parse(raw, repairs)
        cells = _cells(data, repairs)
    except (ValueError, RecursionError, MemoryError) as error:
        reason = str(error) if isinstance(error, _UnreadableError) else f"the file is not JSON ({type(error).__name__})"
        return RawNotebook((), {}, tuple(repairs), reason)
    metadata = data.get("metadata")
    return RawNotebook(tuple(cells), metadata if isinstance(metadata, dict) else {}, tuple(repairs), "")


class _UnreadableError(ValueError):
    pass


def _parse(raw: bytes, repairs: list[str]) -> dict[str, Any]:
    if len(raw) > MAX_BYTES:
        raise _UnreadableError(f"the file has {len(raw) >> 20} MB, and more than {MAX_BYTES >> 20} MB are not read")
    if not raw.strip(b" \t\r\n\0"):
        raise _UnreadableError("the file is empty")
    encoding = json.detect_encoding(raw)
    if raw[:3] == b"\xef\xbb\xbf" or encoding not in ("utf-8", "utf-8-sig"):
        repairs.append("the file began with a byte-order mark, or was not UTF-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        repairs.append("the file was not UTF-8; it was read as Latin-1")
        text = raw.decode("latin-1")
    try:
        data = json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        said = error.msg.removesuffix(" starting at")
        raise _UnreadableError(f"the file is not JSON: {said} in line {error.lineno}") from None
    if not isinstance(data, dict):
        raise _UnreadableError("the file is JSON, but not a notebook")
    return data


def _cells(data: dict[str, Any], repairs: list[str]) -> list[RawCell]:
    cells = data.get("cells")
    if not isinstance(cells, list) and isinstance(data.get("worksheets"), list):
        sheets = [sheet for sheet in data["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets for cell in _listed(sheet.get("cells"))]
        repairs.append("the notebook was of an older format")
    if not isinstance(cells, list):
        raise _UnreadableError("the file is JSON, but not a notebook: it has no list of cells")
    read, left = list[RawCell](), MAX_IN_ALL
    for cell in cells[:5_000]:
        if isinstance(cell, dict):
            read.append(_cell(cell, repairs))
            left -= len(read[-1].source)
            if left < 0:
                repairs.append(f"cells after the first {MAX_IN_ALL} characters of the notebook were left out")
                return read[:-1]
    return read


def _cell(cell: dict[str, Any], repairs: list[str]) -> RawCell:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    source = source if isinstance(source, str) else ""
    kind, level = str(cell.get("cell_type", "code")), cell.get("level")
    if kind == "heading":  # format 3
        kind, source = "markdown", f"{'#' * (level if isinstance(level, int) and 0 < level < 7 else 1)} {source}"
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    facts = metadata.get("nbgrader")
    tags = tuple(tag for tag in _listed(metadata.get("tags")) if isinstance(tag, str))
    name, attached = cell.get("id"), cell.get("attachments")
    return RawCell(
        kind,
        _clean(source, repairs),
        facts if isinstance(facts, dict) else {},
        name if isinstance(name, str) else "",
        tags,
        attached if isinstance(attached, dict) else {},
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _clean(source: str, repairs: list[str]) -> str:
    if len(source) > MAX_SOURCE:
        repairs.append(f"a cell of {len(source)} characters was left out; {MAX_SOURCE} are the most")
        return ""
    if "\0" in source:
        repairs.append("null characters were taken out")
        source = source.replace("\0", "")
    if source.isascii():
        return source.replace("\r\n", "\n").replace("\r", "\n") if "\r" in source else source
    plain = source.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if plain != source:
        repairs.append("half characters (lone surrogates) were replaced")
    if BIDI.search(plain):
        repairs.append("the text holds controls of its direction, so that it may read otherwise than it runs")
    return plain.replace("\r\n", "\n").replace("\r", "\n")
