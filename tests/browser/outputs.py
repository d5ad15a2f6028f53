"""What the build printed under a cell, and whether a browser's output says the same."""

import math
import re
from typing import Any

NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")
ANSI = re.compile(r"\x1b\[[0-9;]*m")

ROUNDING = 1e-7
"""Numbers below this are taken as rounding noise, which differs from processor to processor."""

RELATIVE = 2e-3
"""How far two other numbers may be apart, relative to the larger: a last printed digit that falls the other way."""


def told(cell: dict[str, Any]) -> str:
    """The text that a notebook's cell printed or showed; of figures and tables nothing."""
    pieces = []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            pieces.append("".join(output["text"]))
        elif output["output_type"] in ("execute_result", "display_data"):
            data = output["data"]
            if not {"text/html", "image/svg+xml", "image/png", "text/markdown"} & set(data):
                pieces.append("".join(data.get("text/plain", "")))
    return ANSI.sub("", "\n".join(piece.rstrip("\n") for piece in pieces))


def pictures(cell: dict[str, Any]) -> list[str]:
    """The words that stand in for each figure that a notebook's cell showed."""
    found = []
    for output in cell["outputs"]:
        html = "".join(output.get("data", {}).get("text/html", ""))
        found += re.findall(r'<svg[^>]*aria-label="([^"]*)"', html)
    return found


def difference(built: str, ran: str) -> str:
    """Where two outputs differ, apart from spaces and numbers that are the same within the tolerance; or nothing."""
    if words(built) != words(ran):
        return f"built:\n{built}\nran:\n{ran}"
    for expected, got in zip(NUMBER.findall(built), NUMBER.findall(ran), strict=True):
        if not same(expected, got):
            return f"{expected} was built, {got} was run, in\n{built}\nran:\n{ran}"
    return ""


def words(text: str) -> str:
    """The text without its numbers and spaces."""
    return re.sub(r"\s+", "", NUMBER.sub("#", text))


def same(expected: str, got: str) -> bool:
    """Whether two printed numbers say the same."""
    one, other = float(expected), float(got)
    if abs(one) < ROUNDING and abs(other) < ROUNDING:
        return True
    return math.isclose(one, other, rel_tol=RELATIVE)
