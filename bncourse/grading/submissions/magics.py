"""A cell with IPython's magics and shell lines in; plain Python out, in which they are calls."""

import contextlib
import re

_MAGIC = re.compile(r"^\s*[%!?]|=\s*[%!]|\?\s*$", re.MULTILINE)


def plain_python(source: str) -> str:
    """Turn IPython's magics and shell escapes into calls, as the notebook does."""
    if not _MAGIC.search(source):
        return source
    from IPython.core.inputtransformer2 import TransformerManager

    with contextlib.suppress(Exception):
        return str(TransformerManager().transform_cell(source))
    return source
