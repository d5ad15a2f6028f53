"""A student's Markdown, made harmless for the pages of graders and students: no live HTML, scripts, links or loads.

What is shown stays readable and formulas stay formulas. Nothing here depends on where a piece of text stands
(in a formula, in code, in a link), so that no disagreement between two Markdown readers can open a hole.
"""

import re

from bncourse.grading.core.plain_text import inert

_TAG = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)
_ENTITY = re.compile(r"&(?=[a-z#])", re.IGNORECASE)
_IMAGE = re.compile(r"!\[")
_LINK = re.compile(r"\](?=\((?!https?://))", re.IGNORECASE)
_REFERENCE = re.compile(r"\]:(?!\s*https?://)", re.IGNORECASE)
_LIVE_TEX = re.compile(r"\\(?=(?:href|url|style|class|cssId|require|data|mmlToken|unicode|csname|includegraphics)\b)")

LIMIT = 50_000


def safe_markdown(text: str) -> str:
    r"""The text without anything that a page would run, follow or fetch.

    Examples
    --------
    >>> safe_markdown("**so** $a<b$ <img src=x onerror=alert(1)> [x](javascript:alert(1))")
    '**so** $a< b$ < img src=x onerror=alert(1)> [x] (javascript:alert(1))'
    >>> safe_markdown(r"$\href{javascript:alert(1)}{x}$ ![](https://example.org/seen.png)")
    '$href{javascript:alert(1)}{x}$ [](https://example.org/seen.png)'
    """
    text = inert(text, LIMIT)
    text = _TAG.sub("< ", text)
    text = _ENTITY.sub("&amp;", text)
    text = _LIVE_TEX.sub("", text)
    text = _IMAGE.sub("[", text)
    text = _LINK.sub("] ", text)
    return _REFERENCE.sub("] :", text)
