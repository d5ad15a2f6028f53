"""The reference as the source has it: signatures with the shapes, and no words that Python alone wrote."""

import ast
import inspect
import textwrap
from typing import Any

from sphinx.application import Sphinx


def from_source(thing: Any) -> tuple[str, str] | None:
    """Return parameters and result of a function as its source writes them; None where there is no source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(thing))))
    except (OSError, TypeError, SyntaxError):
        return None
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef):
        return None
    return f"({ast.unparse(function.args)})", ast.unparse(function.returns) if function.returns else ""


def take_signature(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, signature: str | None, result: str | None
) -> tuple[str, str] | None:
    """Give autodoc the signature of a function from its source; leave the others to it."""
    return from_source(thing) if what == "function" else None


def skip_bare_fields(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Leave out a named tuple's fields that have no words of their own: the class's signature names them."""
    return True if str(getattr(thing, "__doc__", "")).startswith("Alias for field number") else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect this to autodoc."""
    app.connect("autodoc-process-signature", take_signature)
    app.connect("autodoc-skip-member", skip_bare_fields)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
