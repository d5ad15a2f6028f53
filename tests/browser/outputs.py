"""Whether what a browser printed says the same as what the build printed."""

import math
import re

NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")

ROUNDING = 1e-7
"""Numbers below this are taken as rounding noise, which differs from processor to processor."""

RELATIVE = 2e-3
"""How far two other numbers may be apart, relative to the larger: a last printed digit that falls the other way."""


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
