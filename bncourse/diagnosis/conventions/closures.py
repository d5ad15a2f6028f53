"""Functions that make functions, as in stax: `init_fun, apply_fun = BatchNorm(axis, epsilon)`."""

import ast
import contextlib
from typing import Any

from bncourse.diagnosis.conventions.errors import CannotCallError, quiet
from bncourse.diagnosis.conventions.names import kind_of
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.source import Program

MADE_WITH = ("features", "eps", "momentum")
USUAL: dict[str, Any] = {"features": 3}


def open_closures(program: Program) -> None:
    """Put the functions that a function of a normalization's name makes beside it, as functions of the file."""
    for name, tree in list(program.trees.items()):
        if not isinstance(tree, ast.FunctionDef) or kind_of(name) is None:
            continue
        inner = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
        names = _returned(tree)
        if not names or not set(names) <= inner.keys():
            continue
        with contextlib.suppress(Exception):
            made = _made(program.namespace[name])
            for one, function in zip(names, made if isinstance(made, tuple) else (made,), strict=True):
                if callable(function) and one not in program.trees:
                    program.namespace[one], program.trees[one] = function, inner[one]
            del program.trees[name]


def _made(function: Any) -> Any:
    """Call the maker with what it needs: its other settings stay what they are."""
    signature = Signature(function, MADE_WITH)
    needed = [one for one in signature.parameters if one.default is one.empty]
    unknown = [one.name for one in needed if one.name not in signature.roles]
    if len(unknown) == 1 and not signature.has("features"):
        signature.roles[unknown[0]] = "features"
    if any(signature.roles.get(one.name) not in USUAL for one in needed):
        raise CannotCallError("it asks for more than the number of features")
    with quiet():
        return function(**{one.name: USUAL[signature.roles[one.name]] for one in needed})


def _returned(tree: ast.FunctionDef) -> list[str]:
    """Names in the last statement, if that returns functions."""
    last = tree.body[-1]
    value = last.value if isinstance(last, ast.Return) else None
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return [one.id for one in parts if isinstance(one, ast.Name)] if all(isinstance(p, ast.Name) for p in parts) else []
