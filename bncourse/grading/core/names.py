"""Code in; the names that it binds, reads and imports at its top level out."""

import ast
import os
import re
import threading

_ONE_AT_A_TIME = threading.Lock()
if hasattr(os, "register_at_fork"):  # a process that is forked while another thread parses must not find it taken
    os.register_at_fork(
        before=_ONE_AT_A_TIME.acquire,
        after_in_parent=_ONE_AT_A_TIME.release,
        after_in_child=_ONE_AT_A_TIME.release,
    )
_LETTERS = re.compile(r"[^\W_]+")
SHORTEST = 3
"""Letters of a line; a shorter one is known by its signs as well."""


def parse(source: str) -> ast.Module:
    """Parse as `ast.parse` does, but for one thread at a time.

    CPython 3.11 counts the depth of the tree it builds in one place for all threads, and fails with
    "AST constructor recursion depth mismatch" where two of them build at once.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(source)


def parses(source: str) -> bool:
    """Whether a text is Python as it stands.

    >>> parses("x = 1"), parses("x = ")
    (True, False)
    """
    try:
        parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def bound_names(tree: ast.Module) -> set[str]:
    r"""Names that running the module binds, imports left out.

    >>> sorted(bound_names(ast.parse("import numpy as np\na, b = 1, 2\ndef f(x):\n    y = x")))
    ['a', 'b', 'f']
    """
    names: set[str] = set()
    for node in tree.body:
        names |= _bound(node)
    return names


def _bound(node: ast.AST) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return set()
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    return {name for child in ast.iter_child_nodes(node) for name in _bound(child)}


def loaded_names(node: ast.AST) -> set[str]:
    """Names that a piece of code reads."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


def imported_names(node: ast.AST) -> frozenset[str]:
    r"""Names that a piece of code binds by an import.

    >>> sorted(imported_names(ast.parse("import os.path\nfrom math import sqrt as root")))
    ['os', 'root']
    """
    imports = (part for part in ast.walk(node) if isinstance(part, ast.Import | ast.ImportFrom))
    return frozenset(alias.asname or alias.name.split(".")[0] for part in imports for alias in part.names)


def imports_of(tree: ast.Module) -> list[str]:
    """Full names of the modules that a piece of code imports."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return names


def lines_of(text: str) -> frozenset[str]:
    r"""The lines of a text by their letters and digits, whatever bullets, stars and spaces stand around them.

    >>> sorted(lines_of("- **Both** paths\n\n* b\n|---|"))
    ['* b', 'bothpaths']
    """
    lines = (" ".join(line.split()) for line in text.split("\n"))
    found = ((letters_of(line), line) for line in lines)
    return frozenset(letters if len(letters) >= SHORTEST else line for letters, line in found if letters)


def letters_of(text: str) -> str:
    """What is left of a text without its white space, its punctuation and its case."""
    return "".join(_LETTERS.findall(text)).casefold()
