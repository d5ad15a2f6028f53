r"""A student's Markdown, made harmless for the pages of graders and students: nothing in it runs, loads or follows.

Nothing is ever deleted: what would be live is taken apart by a space, so no cleaning can put together what it should
have taken apart. Each rule looks at neighboring characters alone, never at where a Markdown reader believes a
formula, a link or a piece of code to begin; so no disagreement between two readers opens a hole. What comes out
comes out unchanged if it goes in again.

Of a formula the commands of `tex_commands` stay; all others lose their backslash to a space.
"""

import itertools
import re
from collections.abc import Callable

from bncourse.grading.core.plain_text import inert
from bncourse.grading.reports.tex_commands import COMMANDS, ENVIRONMENTS

LIMIT = 50_000
"""Characters of one text that are shown."""
MOST = 300
"""Openings of one kind in one text: readers of Markdown look for the end of each through all the rest."""
END = "\n\n[... the rest is not shown]"


def _command(found: re.Match[str]) -> str:
    """Leave a command that draws; take any other apart."""
    name, environment = found["name"], found["environment"]
    draws = environment in ENVIRONMENTS if name in ("begin", "end") else name in COMMANDS or len(name) == 1
    return found[0] if draws else f"\\ {name}"


_BEFORE = r"^[ \t>*+\-\d.):]*"
"""What may stand before a heading or a fence on its line: marks of quotes, lists and definitions."""
_PLAIN_LINK = r"\((?:https?://[\w.~/?=&#%+:,;-]{1,1000})\)"
_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"<(?![\s\d=<-]|\Z)"), "< "),  # tags, comments, declarations, addresses in angle brackets
    (re.compile(r"&(?=#|[^\s<&;]{1,40};)"), "& "),  # characters by their names and numbers
    (re.compile(r"!(?=\[)"), "! "),  # pictures
    (re.compile(rf"\](?=\()(?!{_PLAIN_LINK})", re.ASCII), "] "),  # links, but plain ones
    (re.compile(r"\](?=:)"), "] "),  # links whose address stands elsewhere
    (re.compile(r"mer(?=maid)"), "mer "),  # a drawing language, whose text gets into pages as it is
    (re.compile(r"\\(?P<name>[A-Za-z]+)(?=(?:\{(?P<environment>[A-Za-z]{1,12}\*?)\})?)"), _command),
    (re.compile(rf"({_BEFORE}(?:`{{3,}}|~{{3,}}))(?=[ \t]*[^ \t\n`~])(?![ \t]*(?:python|text)\s)", re.M), r"\1 text "),
    (re.compile(rf"({_BEFORE})\[([xX ])\](?=\s|\Z)", re.M), r"\1[ \2 ]"),  # boxes to tick
    (re.compile(rf"({_BEFORE}#{{1,6}})(?!#)(?=[ \t]*[^ \t\n])(?![ \t]*·)", re.M), r"\1 ·"),  # headings become ids
)
_OPENINGS = (
    (re.compile(r"\\\\(?=[(\[])"), r"\\ "),
    (re.compile(r"\\(?=begin\b)"), r"\ "),
    (re.compile(r"\[(?!\n)"), "[\n"),
)
_UNDERLINE = re.compile(r"([ \t>]*)([=-]+[ \t]*)")
"""A reader of Markdown takes both signs, also one after the other."""


def safe_markdown(text: str) -> str:
    r"""Return the text with a space in all that a page would run, follow or fetch.

    Examples
    --------
    >>> safe_markdown("**so** $a<b$ <img src=x onerror=alert(1)> [x](javascript:alert(1))")
    '**so** $a< b$ < img src=x onerror=alert(1)> [x] (javascript:alert(1))'
    >>> safe_markdown(r"$\href{javascript:alert(1)}{\frac{x}{y}}$ ![](https://example.org/seen.png)")
    '$\\ href{javascript:alert(1)}{\\frac{x}{y}}$ ! [](https://example.org/seen.png)'
    """
    apart = _apart(inert(text[:LIMIT], LIMIT))
    if len(text) <= LIMIT and len(apart) <= LIMIT:
        return apart
    kept, shown = LIMIT - len(END), apart
    while len(shown) > LIMIT or shown is apart:
        shown = _apart(apart[:kept] + END)
        kept -= max(100, len(shown) - LIMIT)
    return shown


def _apart(text: str) -> str:
    for opening, replacement in _OPENINGS:
        text = opening.sub(_after_the_first(MOST, replacement), text)
    for pattern, put in _RULES:
        text = pattern.sub(put, text)
    return _without_underlines(text)


def _after_the_first(most: int, replacement: str) -> Callable[[re.Match[str]], str]:
    number = itertools.count()
    return lambda found: found[0] if next(number) < most else replacement


def _without_underlines(text: str) -> str:
    """A line of dashes below a text would make it a heading."""
    lines = text.split("\n")
    for number in range(1, len(lines)):
        found = _UNDERLINE.fullmatch(lines[number])
        if found and lines[number - 1].strip(" \t>"):
            lines[number] = f"{found[1]}\\{found[2]}"
    return "\n".join(lines)
