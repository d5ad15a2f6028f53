"""Every small change of a solution: operators, constants, flags, methods, signs, calls left out."""

import ast
from collections.abc import Iterator

from bncourse.grading.core.regions import SOLUTION


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Every small change of a solution: what was changed, and the changed code."""
    plain = "\n".join(line for line in source.split("\n") if SOLUTION.begin not in line and SOLUTION.end not in line)
    tree = ast.parse(plain)
    nodes = list(ast.walk(tree))
    for number in range(len(nodes)):
        for change in (_operator, _constant, _flag, _method, _sign, _statement):
            node = nodes[number]
            if change(node):
                yield f"line {getattr(node, 'lineno', 0)}: {change.__name__[1:]}", ast.unparse(tree)
                tree = ast.parse(plain)
                nodes = list(ast.walk(tree))


def _operator(node: ast.AST) -> bool:
    swaps = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in swaps:
        node.op = swaps[type(node.op)]()
        return True
    return False


def _constant(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        node.value = 1 - node.value if node.value in (0, 1) else node.value + 1
        return True
    return False


def _flag(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        node.value = not node.value
        return True
    return False


def _method(node: ast.AST) -> bool:
    swaps = {"sum": "mean", "mean": "sum"}
    if isinstance(node, ast.Attribute) and node.attr in swaps:
        node.attr = swaps[node.attr]
        return True
    return False


def _sign(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node.op = ast.UAdd()
        return True
    return False


def _statement(node: ast.AST) -> bool:
    """Leave out a call that stands by itself, such as `losses.append(loss)`."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        node.value = ast.Constant(None)
        return True
    return False
