"""A cell with IPython's magics and shell lines in; plain Python out, in which they are calls."""

import contextlib
import re
from functools import lru_cache

_MAGIC = re.compile(r"^[ \t]*[%!?]|=[ \t]*[%!]|\?[ \t]*$", re.MULTILINE)
_ASSIGNED = re.compile(r"([^\n=]*=)[ \t]*[%!]")
MOST_WORK = 200_000
"""Magics times characters: IPython reads the whole cell again for each of them."""


@lru_cache(maxsize=256)
def plain_python(source: str) -> str:
    r"""Turn IPython's magics and shell escapes into calls, as the notebook does; very many of them are left out.

    >>> plain_python("!ls\nx = 1")
    "get_ipython().system('ls')\nx = 1\n"
    >>> plain_python("!ls\nfiles = !ls\n" * 10_000)[:18]
    'pass\nfiles = None\n'
    """
    count = len(_MAGIC.findall(source))
    if not count:
        return source
    if count * len(source) > MOST_WORK and not source.lstrip().startswith("%%"):
        return "\n".join(map(_without_magic, source.split("\n")))
    from IPython.core.inputtransformer2 import TransformerManager

    with contextlib.suppress(Exception):
        return str(TransformerManager().transform_cell(source))
    return source


def _without_magic(line: str) -> str:
    if not _MAGIC.search(line):
        return line
    assigned = _ASSIGNED.match(line)
    return f"{assigned[1]} None" if assigned else f"{line[: len(line) - len(line.lstrip())]}pass"
