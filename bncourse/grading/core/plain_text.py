"""Text from a student in; harmless text out: no control characters, no hidden directions."""

import re

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
MAX_SIDE, MAX_PIXELS = 4_000, 2_500_000
"""Of a picture that a cell shows: a browser needs four bytes for each pixel, however few bytes the file has."""
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")


def inert(text: str, limit: int = 2_000) -> str:
    r"""Return the text with unseen characters written out, and cut to a length.

    >>> inert("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    cut = text[:limit]
    shown = _UNSEEN.sub(lambda found: ascii(found.group())[1:-1], cut.replace("\r\n", "\n"))
    return shown + ("" if len(text) <= limit else f" [... {len(text) - limit} more characters]")


def one_line(text: str, limit: int = 100) -> str:
    r"""Return a name or a reason as it may stand in a line of a list, of a log or of a terminal.

    >>> one_line("a\nb\x1b[2J")
    'a\\nb\\x1b[2J'
    """
    return inert(text, limit).replace("\n", "\\n").replace("\t", "\\t")


def picture(data: bytes, limit: int = 400_000) -> bool:
    """Whether these bytes begin as a PNG of a reasonable size does."""
    return len(data) <= limit and 0 < pixels(data) <= MAX_PIXELS


def pixels(data: bytes) -> int:
    """How many a PNG has; 0 where these bytes begin as none does, or where a side is too long."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        return 0
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    return width * height if max(width, height) <= MAX_SIDE else 0
