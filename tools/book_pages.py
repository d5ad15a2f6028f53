"""Reading the book's sources: cells, prose, and what in it is a number."""

import re
from pathlib import Path
from typing import Any

import yaml

BOOK = Path(__file__).parents[1] / "book"
FENCE = re.compile(r"^(`{3,})(.*)$")


def split(text: str) -> tuple[list[tuple[int, str]], list[tuple[int, str, list[str]]]]:
    """Split a page into its prose (numbered lines) and its code cells (line, options, code lines).

    Front matter, displayed maths, fenced code and the options of directives are not prose; what stands in an
    admonition is.
    """
    lines = text.split("\n")
    prose: list[tuple[int, str]] = []
    cells: list[tuple[int, str, list[str]]] = []
    place = 0
    if lines[0] == "---":
        place = lines.index("---", 1) + 1
    while place < len(lines):
        line = lines[place]
        if fence := FENCE.match(line.strip()):
            ticks, info = fence[1], fence[2]
            end = next(n for n in range(place + 1, len(lines)) if lines[n].strip() == ticks)
            body = lines[place + 1 : end]
            if info.startswith("{code-cell}"):
                code = [row for row in body if not row.startswith(":")]
                cells.append((place + 1, "\n".join(row for row in body if row.startswith(":")), code))
            elif info.startswith("{") and not info.startswith(
                ("{literalinclude}", "{code", "{math}", "{bibliography}")
            ):
                prose += [(n + 1, lines[n]) for n in range(place + 1, end) if not lines[n].startswith(":")]
            place = end + 1
        elif line.startswith("$$"):
            while "$$" not in lines[place][2 if lines[place] is line else 0 :]:
                place += 1
            place += 1
        else:
            if not line.startswith(":"):
                prose.append((place + 1, line))
            place += 1
    return prose, cells


def bare(line: str) -> str:
    """Return the line without inline code, maths, roles and the targets of links."""
    line = re.sub(r"\{[\w:-]+\}`[^`]*`", "", line)
    line = re.sub(r"`[^`]*`", "", line)
    line = re.sub(r"\$[^$]*\$", "", line)
    return re.sub(r"\]\([^)]*\)", "]", line)


def pages(*folders: str) -> list[Path]:
    """Return the pages of these folders, or of the whole book."""
    if folders:
        return sorted(page for folder in folders for page in (BOOK / folder).glob("*.md"))
    return sorted(page for page in BOOK.rglob("*.md") if not page.relative_to(BOOK).parts[0].startswith("_"))


def toc_pages() -> list[str]:
    """Every page of the table of contents, as a path without its suffix."""
    toc = yaml.safe_load((BOOK.parent / "_toc.yml").read_text("utf-8"))
    pages = [toc["root"]]

    def walk(entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if "file" in entry:
                pages.append(entry["file"])
            for inner in ("chapters", "sections"):
                walk(entry.get(inner, []))

    for part in toc["parts"]:
        walk(part["chapters"])
    return pages
