"""A graded notebook in; one page for the student out, which fetches nothing and runs nothing.

nbgrader's own page loads a program from elsewhere that draws formulas. Here they become MathML, which browsers draw
themselves; a formula that cannot be turned into it is shown as it was typed.
"""

import html
import re
from collections import Counter
from typing import Any
from xml.etree import ElementTree

from nbconvert.exporters import HTMLExporter
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

POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
)
STYLE = """<style>
math[display=block] { margin: .6em 0 }
pre, code.formula { white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere }
code { background: none; color: #8a1c3b }
img { max-width: 100% }
a, div.nbgrader_cell .panel-heading a { color: #1f4f8a; text-decoration: underline }
.panel > .panel-heading { background: #e8eef5; color: #222 }
.panel-heading code { color: inherit }
div.input_area, .highlight, .highlight pre { background: #fff }
.text_cell_render, .input_area, .output_area, .panel-body { overflow-x: auto }
@media (max-width: 700px) {
  div.prompt { min-width: 0; display: none }
  .container, div#notebook-container { padding: 4px }
  div.nbgrader_cell .panel-heading { height: auto; display: flow-root }
}
</style>"""
_MATHJAX = re.compile(r"<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->", re.DOTALL)
_FONTS = re.compile(r"@font-face\s*\{[^}]*\}")
_ALIGNED = re.compile(r"\\(begin|end)\{(?:aligned|align|align\*|split)\}")


class FeedbackExporter(HTMLExporter):  # type: ignore[misc]
    """Nbgrader's feedback page, made to stand alone."""

    def markdown2html(self, context: Any, source: str) -> str:
        """Turn a text cell into HTML, its formulas into MathML."""
        cell = context.get("cell", {})
        renderer = WithMathML(escape=False, attachments=cell.get("attachments", {}), exclude_anchor_links=True)
        renderer.left = self._left
        return str(MarkdownWithMath(renderer=renderer).render(source))

    markdown2html.jinja_pass_arg = HTMLExporter.markdown2html.jinja_pass_arg  # type: ignore[attr-defined]

    def from_notebook_node(self, nb: Any, resources: Any = None, **options: Any) -> tuple[str, Any]:
        """Make the page, and take out of its head what would fetch or run something."""
        self._left = Counter(formulas=MOST, characters=50 * MOST)
        page, resources = super().from_notebook_node(nb, resources, **options)
        head, body, rest = page.partition("<body")
        head = _FONTS.sub("", _MATHJAX.sub("", head, count=1))
        head = head.replace("<html>", '<html lang="en">', 1).replace("<head>", f"<head>\n{POLICY}", 1)
        body += rest.replace(
            '<div class="container">', '<div class="container" role="region" aria-label="Feedback">', 1
        )
        return head.replace("</head>", f"{STYLE}\n</head>", 1) + body, resources


class WithMathML(IPythonRenderer):  # type: ignore[misc]
    """Renders a formula as MathML, as long as there are not too many on the page."""

    left: Counter[str]
    """How many formulas, and characters of them, the page may still have."""

    def block_math(self, body: str) -> str:
        """A formula on a line of its own."""
        return self._drawn(body, block=True)

    def latex_environment(self, name: str, body: str) -> str:
        """A formula that brings its own environment."""
        return self._drawn(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)

    def inline_math(self, body: str) -> str:
        """A formula in a line."""
        return self._drawn(body, block=False)

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
