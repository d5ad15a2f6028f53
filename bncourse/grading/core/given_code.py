"""A given cell in; the same as it runs beside the answers, where bncourse is not installed, out."""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from bncourse.grading.core.names import loaded_names, parse

GIVEN = "bncourse.diagnosis.given"
"""The module whose functions a notebook may be given without their code."""


def as_run(source: str) -> str:
    r"""The cell, in which the text of each function stands in the place of its import.

    Parameters
    ----------
    source : str
        A given cell's code.

    Raises
    ------
    ValueError
        If the cell imports a function under another name, or one that the module does not have.

    Examples
    --------
    >>> print(as_run("from bncourse.diagnosis.given import batch_norm_dx\na = 1").split("(")[0])
    def batch_norm_dx
    """
    if GIVEN not in source:
        return source
    lines = source.split("\n")
    imports = [node for node in parse(source).body if isinstance(node, ast.ImportFrom) and node.module == GIVEN]
    for node in reversed(imports):
        if any(alias.asname for alias in node.names):
            raise ValueError(f"line {node.lineno}: import from {GIVEN} without `as`.")
        names = [alias.name for alias in node.names]
        lines[node.lineno - 1 : node.end_lineno] = [_text_of(names)]
    return "\n".join(lines)


def _text_of(names: list[str]) -> str:
    """The text of functions, and of those that they call."""
    functions, wanted = _functions(), list[str]()
    todo = list(names)
    while todo:
        name = todo.pop(0)
        if name not in functions:
            raise ValueError(f"{GIVEN} has no {name}. Expected one of {', '.join(functions)}.")
        if name not in wanted:
            wanted.append(name)
            todo += sorted(loaded_names(functions[name]) & functions.keys())
    return "\n\n".join(ast.unparse(functions[name]) for name in wanted)


@cache
def _functions() -> dict[str, ast.FunctionDef]:
    """The functions of the module, without annotations and docstrings."""
    package, *inside = GIVEN.split(".")
    spec = find_spec(package)  # of the module itself it would load the diagnosis, and NumPy
    if spec is None or spec.origin is None:
        raise ValueError(f"{GIVEN} is not installed as a file.")
    tree = parse(Path(spec.origin).parent.joinpath(*inside).with_suffix(".py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in (*node.args.args, *node.args.kwonlyargs):
                argument.annotation = None
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:]
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
