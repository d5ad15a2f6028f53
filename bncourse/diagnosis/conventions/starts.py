"""What a parameter of a functional style begins with, where the file's own functions or classes make it."""

import ast

from bncourse.diagnosis.conventions.bundles import Path, follow, is_field, places_of
from bncourse.diagnosis.conventions.names import ROLES, role_of
from bncourse.diagnosis.conventions.reach import reached
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.syntax import parameters_of


def own_starts(tree: ast.FunctionDef, held: dict[str, dict[Path, str]], program: Program) -> dict[str, str]:
    """Calls of the file's functions and classes that make what parameters hold, where arrays alone do not.

    Parameters
    ----------
    tree : FunctionDef
        A function.
    held : dict
        What its parameters hold, as `bundles` tells.
    program : Program
        The file.
    """
    found = {name: _made_by_a_function(tree, name, ways, program) for name, ways in held.items()}
    for name in parameters_of(tree):
        if name not in held and role_of(name, tuple(ROLES)) is None:
            found[name] = _made_by_a_class(tree, name, program)
    return {name: start for name, start in found.items() if start}


def _made_by_a_class(tree: ast.FunctionDef, parameter: str, program: Program) -> str:
    """Write a call of the file's class whose objects a parameter takes, by the methods that are called on it; or ""."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    used = {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == parameter}
    for name, other in program.trees.items():
        made = program.namespace.get(name)
        if not (used and isinstance(other, ast.ClassDef) and isinstance(made, type)):
            continue
        methods = {one.name for one in other.body if isinstance(one, ast.FunctionDef)}
        try:
            if used & methods and all(hasattr(made(3), word) for word in used):
                return f"{name}(gamma.size)"
        except Exception:  # noqa: S112  (it is made of something else)
            continue
    return ""


def _made_by_a_function(tree: ast.AST, parameter: str, held: dict[Path, str], program: Program) -> str:
    """Write a call of the file's function that makes such a parameter, where arrays alone do not make one; or ""."""
    ways = {place[1] for one in reached(tree, program) for place, _ in places_of(one, [parameter])}
    ways = {way for way in ways if not any(is_field(step) for step in way)}
    inside = any(one != way and way[: len(one)] == one for one in held for way in held)
    unknown = [way for way in ways - held.keys() if not any(one[: len(way)] == way for one in held)]
    if not (inside or unknown) or not set(held.values()) & {"running_mean", "running_var", "count"}:
        return ""
    ways = {place[1] for place, _ in places_of(tree, [parameter])} or ways
    for name, other in program.trees.items():
        if not isinstance(other, ast.FunctionDef) or len(other.args.args) != 1:
            continue
        try:
            found = program.namespace[name](3)
        except Exception:  # noqa: S112  (it makes something else)
            continue
        for at, one in enumerate(found if isinstance(found, tuple) else (found,)):
            if isinstance(one, dict) and all(follow(one, way) is not None for way in ways):
                return f"{name}(gamma.size)" + (f"[{at}]" if isinstance(found, tuple) else "")
    return ""
