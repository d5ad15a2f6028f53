"""Pictures in a student's text: a photo of a proof, kept as bytes that a page shows and nothing else.

Only PNG and JPEG stay, checked by their own first bytes, up to a size each and in all. What else a text holds or refers
to is named, so that a person opens the student's own file.
"""

import base64
import binascii
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from bncourse.grading.core.plain_text import inert

MAX_BYTES = 6 * 2**20
"""Of one picture; a photo has three to five million."""
MAX_BYTES_IN_ALL = 12 * 2**20
MAX_PICTURES = 12
MAX_SIDE, MAX_PIXELS, MAX_PIXELS_IN_ALL = 12_000, 60_000_000, 200_000_000
"""A side, and what a browser needs four bytes for, however few bytes the file has; a large photo has 50 million."""
MAX_LOOKS = 10

_REFERENCE = re.compile(
    r"!\[(?P<alt>[^\[\]\n]{0,300}+)\]\(\s*+<?(?P<target>[^)>\s\[]++)>?[^)\n\[]{0,300}+\)|<img\b(?P<tag>[^<>]*+)>",
    re.IGNORECASE,
)
"""A picture in Markdown or in HTML. No part of it goes on beyond where the next one may begin, or is given back, so
that a text full of beginnings takes no longer than any other."""
_SOURCE = re.compile(r"\bsrc\s*+=\s*+[\"']?(?P<source>[^\"'\s]++)", re.IGNORECASE)
_DATA = re.compile(r"data:image/[a-z.+-]{1,20};base64,", re.IGNORECASE)


class Picture(NamedTuple):
    """A picture that may be shown."""

    kind: str
    """`image/png` or `image/jpeg`."""
    data: bytes


class Pictures:
    """Takes the pictures out of one submission's texts, up to its limits."""

    def __init__(self) -> None:
        self.looks: list[str] = []
        """What could not be kept, in words."""
        self._count = self._bytes = self._pixels = 0

    def take(self, source: str, attachments: Mapping[str, Any], where: str) -> tuple[str, tuple[Picture, ...]]:
        """Take the pictures out of a text.

        Parameters
        ----------
        source : str
            The text, in Markdown.
        attachments : mapping
            What is attached to its cell, as a notebook holds it.
        where : str
            Which cell that is, for the notes.

        Returns
        -------
        str
            The text with `[picture 1]` where the first picture stood.
        tuple of Picture
        """
        if not attachments and "![" not in source and "<img" not in source.lower():
            return source, ()
        kept: list[Picture] = []
        numbers: dict[str, int] = {}

        def replaced(found: re.Match[str]) -> str:
            in_tag = _SOURCE.search(found["tag"] or "")
            target = found["target"] or (in_tag["source"] if in_tag else "")
            if not target:
                return found[0]
            alt = f"{found['alt']} " if found["alt"] else ""
            name = unquote(target.partition(":")[2])
            if target.lower().startswith("attachment:") and name in attachments:
                if name not in numbers:
                    numbers[name] = self._keep(_attached(attachments[name]), inert(name, 80), where, kept)
            elif _DATA.match(target):
                name = target
                numbers[name] = numbers.get(name) or self._keep(
                    _decoded(target.partition(",")[2]), "in the text", where, kept
                )
            else:
                self._look(where, inert(target, 80), "is not in the notebook")
                return found[0]
            return f"{alt}[picture {numbers[name]}]" if numbers[name] else f"{alt}[a picture that is not shown]"

        text = _REFERENCE.sub(replaced, source)
        for name in list(attachments)[: MAX_PICTURES + 1]:
            if name not in numbers:
                number = self._keep(_attached(attachments[name]), inert(name, 80), where, kept)
                text += f"\n\n[picture {number}]" if number else ""
        return text, tuple(kept)

    def _keep(self, data: bytes | None, name: str, where: str, kept: list[Picture]) -> int:
        """Keep a picture; returns its number in the cell, or 0."""
        kind, pixels = kind_and_pixels(data or b"")
        if not data or not kind:
            self._look(where, name, "is neither PNG nor JPEG")
        elif len(data) > MAX_BYTES or pixels > MAX_PIXELS or self._full(len(data), pixels):
            self._look(where, name, "is too large, or one too many")
        else:
            self._count += 1
            self._bytes += len(data)
            self._pixels += pixels
            kept.append(Picture(kind, data))
            return len(kept)
        return 0

    def _full(self, more_bytes: int, more_pixels: int) -> bool:
        """Whether another picture would be one too many."""
        too_many = self._bytes + more_bytes > MAX_BYTES_IN_ALL or self._pixels + more_pixels > MAX_PIXELS_IN_ALL
        return too_many or self._count >= MAX_PICTURES

    def _look(self, where: str, name: str, why: str) -> None:
        if len(self.looks) < MAX_LOOKS:
            self.looks.append(
                f"{where} has a picture that is not shown here ({name} {why}): see the student's own file"
            )


def kind_and_pixels(data: bytes) -> tuple[str, int]:
    r"""The kind of a picture by its bytes, and its size; of what is no PNG or JPEG of a side up to MAX_SIDE, nothing.

    >>> kind_and_pixels(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03")
    ('image/png', 6)
    >>> kind_and_pixels(b"GIF89a")
    ('', 0)
    """
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR":
        sides, kind = [int.from_bytes(data[at : at + 4], "big") for at in (16, 20)], "image/png"
    elif data[:3] == b"\xff\xd8\xff":
        sides, kind = list(_sides_of_jpeg(data)), "image/jpeg"
    else:
        return "", 0
    fine = len(sides) == 2 and all(0 < side <= MAX_SIDE for side in sides)
    return (kind, math.prod(sides)) if fine else ("", 0)


def _sides_of_jpeg(data: bytes) -> Iterator[int]:
    """Height and width, which stand in the first frame's header; nothing where there is none."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            yield int.from_bytes(data[at + 5 : at + 7], "big")
            yield int.from_bytes(data[at + 7 : at + 9], "big")
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD9:  # these have no length, so that readers differ in what comes next
            return
        at += 2 + max(length, 2) if marker != 0xFF else 1


def attached(pictures: tuple[Picture, ...]) -> tuple[str, dict[str, dict[str, str]]]:
    """How a text cell holds pictures: the lines that show them, and what is attached to the cell."""
    names = [f"picture-{n}.{'png' if each.kind == 'image/png' else 'jpg'}" for n, each in enumerate(pictures, start=1)]
    lines = "".join(f"\n\n![picture {n}](attachment:{name})" for n, name in enumerate(names, start=1))
    return lines, {
        name: {each.kind: base64.b64encode(each.data).decode()} for name, each in zip(names, pictures, strict=True)
    }


def _attached(bundle: Any) -> bytes | None:
    """The bytes of what is attached under one name; of several kinds, the first."""
    values = list(bundle.values()) if isinstance(bundle, dict) else []
    text = values[0] if values else ""
    text = "".join(part for part in text if isinstance(part, str)) if isinstance(text, list) else text
    return _decoded(text) if isinstance(text, str) else None


def _decoded(text: str) -> bytes | None:
    if len(text) > 2 * MAX_BYTES:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
