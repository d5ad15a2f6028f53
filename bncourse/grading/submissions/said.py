"""A cell in; the text that it says out, and whether that is the assignment's own or a tool's.

Tools write texts as code: `%md` on Databricks, `mo.md("...")` in marimo, strings and comments in scripts with cells.
And they add cells of their own: badges, signatures.
"""

import ast
import contextlib
import re
import textwrap

from bncourse.grading.core.names import letters_of, lines_of, parse
from bncourse.grading.core.records import Master

MAX_SAID = 60_000
"""Characters of a cell of code; a longer one is code."""
PART = 25
"""Letters that make a part of a sentence known; less of it could be anyone's."""
_MAGIC = re.compile(r"\s*%%?(?:md|md-sandbox|markdown|latex)\b[ \t]*\n?(.*)", re.DOTALL)
_LINKED = r"\[!\[[^\[\]]*\]\([^()\s]*\)\]\([^()\s]*\)"
_BADGE = re.compile(rf"<a\b[^<>]*>\s*<img\b[^<>]*>|{_LINKED}", re.IGNORECASE)
_MARKUP = re.compile(rf"<[^<>]*>|{_LINKED}")
_SIGNATURE = re.compile(r"(?:created|open|opened|made|run|view|edit|launch) (?:in|on|with) [\w. ]{2,30}", re.IGNORECASE)
_CALLS = ("md", "Markdown", "display", "Latex")


def text_in_code(source: str) -> str | None:
    r"""The text of a cell of code that does nothing but say it; None of any other.

    >>> text_in_code("%md\n# Title")
    '# Title'
    >>> text_in_code("mo.md(r'# Title')")
    '# Title'
    >>> text_in_code("print('# Title')") is None
    True
    """
    if len(source) > MAX_SAID:
        return None
    magic = _MAGIC.fullmatch(source)
    if magic:
        return magic[1]
    if source.rstrip(" \t\n);")[-1:] not in ("'", '"'):
        return None
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        said = [_said(node) for node in parse(source).body]
        if said and None not in said:
            return "\n\n".join(textwrap.dedent(each or "").strip("\n") for each in said)
    return None


def _said(node: ast.AST) -> str | None:
    """The constant text that a statement or an expression shows."""
    if isinstance(node, ast.Expr):
        return _said(node.value)
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr) and all(isinstance(part, ast.Constant) for part in node.values):
        return "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return _said(node.args[0]) if name in _CALLS else None
    return None


def text_in_comments(source: str) -> str | None:
    r"""The text of a cell that holds nothing but comments; None of any other.

    >>> text_in_comments("# # Title\n#\n# A text.")
    '# Title\n\nA text.'
    """
    lines = [line.strip() for line in source.strip().split("\n")] if len(source) <= MAX_SAID else [""]
    if not lines[0] or any(line and not line.startswith("#") for line in lines):
        return None
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)


def is_assignments(master: Master, source: str) -> bool:
    """Whether a text is the assignment's own: whole or in parts, its lines wrapped otherwise, its bullets others."""
    lines = lines_of(source)
    if not lines:
        return False
    if lines <= master.all_lines:
        return True
    letters = letters_of(source)
    return len(letters) >= PART and letters in master.letters


def is_tools(source: str) -> bool:
    """Whether a text is a tool's own: a badge that links to it, or a signature, and nothing else.

    >>> is_tools('<a href="https://x"><img src="https://x/badge.svg" alt="Open In X"/></a>')
    True
    >>> is_tools("![my proof](attachment:proof.png)")
    False
    """
    if len(source) > MAX_SAID or not _BADGE.search(source):
        return False
    rest = " ".join(_MARKUP.sub(" ", source).split())
    return not rest or _SIGNATURE.fullmatch(rest) is not None
