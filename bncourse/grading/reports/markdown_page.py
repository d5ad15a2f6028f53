"""Markdown in; HTML out in which formulas are MathML, which browsers draw themselves and for which nothing is fetched.

A formula that cannot be turned into MathML is shown as it was typed.
"""

import html
import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

LONGEST = 2_000
"""Characters of a formula; what is longer is shown as it was typed."""
MOST = 1_000
"""Formulas on a page, and for each of them on average 50 characters; the others are shown as they were typed."""
TAGS = (
    *("math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup"),
    *("mover", "munder", "munderover", "mtable", "mtr", "mtd", "mpadded", "mphantom", "mstyle"),
)
ATTRIBUTES = (
    *("display", "stretchy", "fence", "form", "accent", "accentunder", "linethickness", "columnalign", "mathvariant"),
    *("width", "lspace", "rspace", "minsize", "maxsize", "displaystyle", "scriptlevel", "movablelimits", "separator"),
)
"""What may stand in a formula. Everything else in it is a student's, and not let through."""
_ALIGNED = re.compile(r"\\(begin|end)\{(?:aligned|align|align\*|split)\}")


class Formulas(Counter[str]):
    """How many formulas, and characters of them, a page may still have."""

    def __init__(self) -> None:
        super().__init__(formulas=MOST, characters=50 * MOST)


def markdown_html(source: str, formulas: Formulas, attachments: Mapping[str, Any] | None = None) -> str:
    """A text cell as HTML."""
    renderer = WithMathML(escape=False, attachments=dict(attachments or {}), exclude_anchor_links=True)
    renderer.left = formulas
    return str(MarkdownWithMath(renderer=renderer).render(source))


@lru_cache(maxsize=1_000)
def own_markdown_html(source: str) -> str:
    """A text of the assignment's own, which is the same on every page."""
    return markdown_html(source, Formulas())


class WithMathML(IPythonRenderer):  # type: ignore[misc]
    """Renders a formula as MathML, as long as there are not too many on the page."""

    left: Formulas

    def block_math(self, body: str) -> str:
        """A formula on a line of its own."""
        return self._drawn(body, block=True)

    def latex_environment(self, name: str, body: str) -> str:
        """A formula that brings its own environment."""
        return self._drawn(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)

    def inline_math(self, body: str) -> str:
        """A formula in a line."""
        return self._drawn(body, block=False)

    def block_code(self, code: str, info: str | None = None) -> str:
        """Code as it was typed, without colors."""
        return f"<pre>{html.escape(code)}</pre>\n"

    def _drawn(self, latex: str, *, block: bool) -> str:
        self.left.subtract({"formulas": 1, "characters": len(latex)})
        return mathml(latex, block=block) if min(self.left.values()) >= 0 else as_typed(latex, block=block)


def as_typed(latex: str, *, block: bool) -> str:
    """A formula's own text."""
    typed = f'<code class="formula">{html.escape(latex.strip())}</code>'
    return f"<p>{typed}</p>" if block else typed


def mathml(latex: str, *, block: bool) -> str:
    r"""A formula as MathML, or as it was typed where it cannot be that.

    Examples
    --------
    >>> mathml("x_i", block=False)
    '<math display="inline"><mrow><msub><mi>x</mi><mi>i</mi></msub></mrow></math>'
    >>> mathml(r"\href{javascript:x}{y}", block=False)
    '<code class="formula">\\href{javascript:x}{y}</code>'
    """
    from latex2mathml.converter import convert

    typed = as_typed(latex, block=block)
    if len(latex) > LONGEST:
        return typed
    plain = html.unescape(latex).replace("<", r"\lt ").replace(">", r"\gt ")
    array = {"begin": r"\\begin{array}{rl}", "end": r"\\end{array}"}
    plain = _ALIGNED.sub(lambda found: array[found[1]][1:], plain)
    try:
        made = ElementTree.fromstring(convert(plain, display="block" if block else "inline"))  # noqa: S314
    except (Exception, RecursionError):
        return typed
    if not all(_harmless(part) for part in made.iter()):
        return typed
    for part in made.iter():
        part.tag = part.tag.rpartition("}")[2]
    return ElementTree.tostring(made, encoding="unicode")


def _harmless(part: ElementTree.Element) -> bool:
    inside = not (part.text or "").startswith("\\")
    return inside and part.tag.rpartition("}")[2] in TAGS and set(part.attrib) <= set(ATTRIBUTES)
