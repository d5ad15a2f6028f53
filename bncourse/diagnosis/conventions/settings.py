"""The dict of settings of a function: which keys it has, and whether it has a momentum of its own."""

import ast

from bncourse.diagnosis.conventions.names import role_of
from bncourse.diagnosis.conventions.reach import reached
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.syntax import constants_of


def keys_of(tree: ast.AST, program: Program) -> dict[str, str]:
    """Keys of a dict of settings that a function, or one that it calls, reads or writes."""
    found: dict[str, str] = {}
    for one in reached(tree, program):
        for value in constants_of(one):
            if isinstance(value, str) and value.isidentifier():
                role = role_of(value, ("running_mean", "running_var", "eps", "momentum", "mode"))
                if role and value not in ("m", "e", "stage"):
                    found[value] = role
    return found


def has_own_momentum(tree: ast.AST, program: Program, keys: dict[str, str]) -> bool:
    """Whether a function, or one that it calls, has a momentum for settings that hold none."""
    nodes = (node for one in reached(tree, program) for node in ast.walk(one))
    return any(
        isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") in ("get", "setdefault")
        and len(node.args) == 2
        and isinstance(node.args[0], ast.Constant)
        and keys.get(str(node.args[0].value)) == "momentum"
        for node in nodes
    )
