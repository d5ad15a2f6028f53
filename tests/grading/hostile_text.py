"""Texts that try to be live on a page: random mixtures of what Markdown, HTML and TeX are made of, and a reader."""

import random
import re
from collections import Counter
from html.parser import HTMLParser

from bncourse.grading.reports import markdown_page
from bncourse.grading.reports.tex_commands import COMMANDS

ATOMS = (
    "<", "\\", "!", "[", "]", "(", ")", "/", ">", "&", "?", ":", "{", "}", "%", "^", "|", "'", '"', "*", "_", "~~",
    "`", "\n", "\n\n", " ", "    ", "\t", "\\\n", "\r\n", "\x00", "\x1b[2J", "\u200b", "\u202e", "\u2028", "\ud800",
    "é", "script", "script>alert(1)</script>", "img src=x onerror=alert(1)", "svg/onload=alert(1)", "math", "style",
    "data ", "!--", "-->", "![CDATA[", "]]>", "<br>", "<a href=", "autofocus tabindex=1 onfocus=", "onerror=",
    "iframe ", "lt;", "#60;", "#x3c;", "&lt", "&amp;", "&#92;href{x}", "javascript:", "data:text/html,",
    "attachment:x", "mailto:", "](http://e.org/x.png)", "](https://e.org)", "](javascript:alert(1))", "](<", "[y]: ",
    "][y]", "http://e.org", "<http://e.org>", "<a@b.c>", "files/", "src=files/", "href='files/", "[x]", "[ ]",
    "- [x] ", "$", "$$", "\\(", "\\[", "\\\\(", "\\\\[", "\\)", "\\]", "begin{", "end{", "align}", "foo}", "text{",
    "frac{1}{2}", "href{javascript:alert(1)}{x}", "href", "style{x}", "class", "cssId", "require{html}", "unicode",
    "def\\x{y}", "rule{1em}", "bbox[border:1px url(x)]{y}", "label{x}", "ref{x}", "mmlToken{mi}[href=x]{y}",
    "let\\x\\href", "```", "~~~", "mermaid", "html", "python", "# ", "#", "test-scale", "===", "---", "- ", "* ",
    "1. ", "> ", "|---|", "\n|a|b|\n|---|---|\n", "\n: ",
    "\u3000", "\u00a0", "=-", "-=",
)  # fmt: skip

_ELEMENTS = """a blockquote br code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr li ol p pre span strong table tbody td th
thead tr ul"""
ELEMENTS = frozenset(_ELEMENTS.split())
ATTRIBUTES = frozenset({"class", "href", "id", "start", "style"})
"""What Markdown itself makes of a text."""
FORMULA = frozenset(markdown_page.TAGS)
"""What feedback makes of a formula."""
_STYLE = re.compile(r"text-align:(left|right|center)")
_COMMAND = re.compile(r"\\([A-Za-z]{2,})")


def mixture(number: int) -> str:
    """The text of one case."""
    dice = random.Random(number)
    return "".join(dice.choice(ATOMS) for _ in range(dice.randrange(1, 30)))


class Page(HTMLParser):
    """Reads a page as a browser does, and collects what is not of Markdown's own making."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.foreign: list[str] = []
        self.unclosed = Counter[str]()
        self._typed, self._words = 0, ""
        self.feed(page)
        self.close()
        self.foreign += [f"\\{name}" for name in _COMMAND.findall(self._words) if name not in COMMANDS]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.unclosed[tag] += 1
        self._typed += tag in ("pre", "code", "textarea", "script", "style")  # which MathJax does not read
        self._words += "\0"
        if tag not in ELEMENTS | FORMULA:
            self.foreign.append(f"<{tag}>")
        self.foreign += [f"{tag} {name}={value}" for name, value in attrs if not self._own(tag, name, value or "")]

    def handle_endtag(self, tag: str) -> None:
        self.unclosed[tag] -= 1
        self._typed -= tag in ("pre", "code", "textarea", "script", "style")
        self._words += "\0"

    def handle_data(self, data: str) -> None:
        self._words += "\0" if self._typed else data

    def handle_comment(self, data: str) -> None:
        self.foreign.append(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.foreign.append(f"<!{decl}")

    unknown_decl = handle_pi = handle_decl

    @staticmethod
    def _own(tag: str, name: str, value: str) -> bool:
        """Whether Markdown makes such an attribute: addresses in links alone, no id that a page could have."""
        if tag in FORMULA:
            return name in markdown_page.ATTRIBUTES
        if name == "href":
            return tag == "a" and re.match(r"https?://|#(%C2%B7|\Z)", value) is not None
        if name == "id":
            return value == "" or value.startswith("%C2%B7")
        return _STYLE.fullmatch(value) is not None if name == "style" else name in ATTRIBUTES
