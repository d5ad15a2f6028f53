"""Text from a student in; harmless text out: no control characters, no hidden directions."""

import re

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
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
    if len(data) > limit or data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        return False
    return all(0 < int.from_bytes(data[at : at + 4], "big") <= 4_000 for at in (16, 20))
