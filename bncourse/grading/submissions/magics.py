"""A cell with IPython's magics and shell lines in; plain Python out, in which they are calls."""

import contextlib
import re
from functools import lru_cache

from bncourse.grading.core.names import parses

_MAGIC = re.compile(r"^[ \t]*[%!?]|=[ \t]*[%!]|\?[ \t]*$", re.MULTILINE)
_ASSIGNED = re.compile(r"([^\n=]*=)[ \t]*[%!]")
_PASTED = re.compile(r"(?:[ \t]*\n)*(?:([ \t]+)\S|(>>>)(?: |\n|$)|(In \[\d+\]:) )")
"""A first line with code as it is pasted from a function, a console or IPython; the notebook takes these as well."""
_PROMPTS = {">>>": r"^(?:>>>|\.\.\.)(?: |$)", "In": r"^(?:In \[\d+\]: |[ \t]*\.{3,}: ?)"}
MOST_WORK = 200_000
"""Magics times characters: IPython reads the whole cell again for each of them."""


@lru_cache(maxsize=256)
def plain_python(source: str) -> str:
    r"""Turn IPython's magics and shell escapes into calls, as the notebook does; very many of them are left out.

    >>> plain_python("!ls\nx = 1")
    "get_ipython().system('ls')\nx = 1\n"
    >>> plain_python("!ls\nfiles = !ls\n" * 10_000)[:18]
    'pass\nfiles = None\n'
    >>> plain_python("  x = 1\n  if x:\n    y = 2"), plain_python(">>> if x:\n...     y = 2\n>>> z = 3")
    ('x = 1\nif x:\n  y = 2', 'if x:\n    y = 2\nz = 3')
    >>> plain_python("    # why\ndef f(x):\n    return x")
    '    # why\ndef f(x):\n    return x'
    """
    source = _as_typed(source)
    count = len(_MAGIC.findall(source))
    if not count:
        return source
    if count * len(source) > MOST_WORK and not source.lstrip().startswith("%%"):
        return "\n".join(map(_without_magic, source.split("\n")))
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:  # a student's machine may have no notebook
        return _without_ipython(source)
    with contextlib.suppress(Exception):
        return str(TransformerManager().transform_cell(source))
    return source


def _as_typed(source: str) -> str:
    """The cell without the indentation of its first line, and without the prompts of a console, unless it is Python."""
    found = _PASTED.match(source)
    if found is None or parses(source):
        return source
    if found[1]:
        return re.sub(rf"^{found[1]}", "", source, flags=re.MULTILINE)
    return re.sub(_PROMPTS[">>>" if found[2] else "In"], "", source, flags=re.MULTILINE)


def _without_magic(line: str) -> str:
    if not _MAGIC.search(line):
        return line
    assigned = _ASSIGNED.match(line)
    return f"{assigned[1]} None" if assigned else f"{line[: len(line) - len(line.lstrip())]}pass"


_CELL_MAGIC = re.compile(r"\s*%%(\w+)([^\n]*)\n?(.*)", re.DOTALL)
_LINE = re.compile(r"^(\s*)(\w+\s*=\s*)?(%|!!?)(\w*)(.*)$")


def _without_ipython(source: str) -> str:
    r"""The same for what students use most.

    >>> _without_ipython("%matplotlib inline\n!ls -l\nx = 1")
    "get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('ls -l')\nx = 1"
    """
    whole = _CELL_MAGIC.fullmatch(source)
    if whole:
        return f"get_ipython().run_cell_magic({whole[1]!r}, {whole[2].strip()!r}, {whole[3]!r})\n"
    lines = []
    for line in source.split("\n"):
        found = _LINE.match(line)
        if found is None:
            lines.append("" if line.rstrip().endswith("?") else line)
        elif found[3] == "%":
            lines.append(f"{found[1]}{found[2] or ''}get_ipython().run_line_magic({found[4]!r}, {found[5].strip()!r})")
        else:
            call = "getoutput" if found[2] else "system"
            lines.append(f"{found[1]}{found[2] or ''}get_ipython().{call}({(found[4] + found[5]).strip()!r})")
    return "\n".join(lines)
