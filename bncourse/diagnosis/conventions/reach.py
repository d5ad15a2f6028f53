"""From a definition to those of its file that it uses, and what they say of packages, tensors and axes."""

import ast
import inspect
import re
from collections.abc import Callable

from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.syntax import names_in

Tree = ast.FunctionDef | ast.ClassDef


def reached(tree: ast.AST, program: Program, through: Callable[[ast.AST], bool] = lambda one: True) -> list[ast.AST]:
    """A definition, and those of the file that it uses, one by one; what some of them use may be left out."""
    found: list[ast.AST] = [tree]
    for one in found:
        for node in ast.walk(one) if through(one) else ():
            known = program.trees.get(node.id) if isinstance(node, ast.Name) else None
            if known is not None and not any(known is other for other in found):
                found.append(known)
    return found


def _modules_of(tree: Tree, program: Program) -> set[str]:
    """Names of the packages whose modules stand in a definition, and in those of the file that it uses."""
    found: set[str] = set()
    for name in names_in(*reached(tree, program)):
        value = program.namespace.get(name)
        package = getattr(value, "__name__", "") if inspect.ismodule(value) else getattr(value, "__module__", "")
        if isinstance(package, str):
            found.add(package.split(".")[0])
    return found


TENSOR_WORDS = frozenset(("keepdim", "dim=", "unbiased", "unsqueeze", "permute", "detach", "clone", "rsqrt", "no_grad"))
"""Words that only code for tensors uses."""


def uses_torch(tree: Tree, program: Program) -> bool:
    """Whether a definition takes tensors of PyTorch, also where it uses nothing but their methods."""
    if "torch" in _modules_of(tree, program):
        return True
    if "torch" not in program.imports:
        return False
    nodes = [node for one in reached(tree, program) for node in ast.walk(one)]
    words = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        words |= {str(node.arg), f"{node.arg}="} if isinstance(node, ast.keyword) else set()
    return "numpy" not in program.imports or bool(words & TENSOR_WORDS)


def _is_array_type(tree: ast.AST) -> bool:
    """Whether it is an array type of the file's own."""
    return isinstance(tree, ast.ClassDef) and any(getattr(part, "name", "") == "__mul__" for part in tree.body)


def tells_shapes_apart(tree: ast.AST, program: Program) -> bool:
    """Whether a definition asks how many axes an array has, and so may be meant for tables and for maps."""
    if re.search(r"1d$", getattr(tree, "name", ""), re.I):
        return False
    for one in reached(tree, program, through=lambda one: not _is_array_type(one)):
        if _is_array_type(one):
            continue
        for node in ast.walk(one):
            if isinstance(node, ast.Attribute) and node.attr == "ndim":
                return True
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("dim", "ndimension"):
                return True
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "len"
                and any("shape" in ast.dump(argument) for argument in node.args)
            ):
                return True
    return False
