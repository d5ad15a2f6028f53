"""Functions that a file makes methods, put into the class that they belong to."""

import ast
from typing import Any

Trees = dict[str, ast.FunctionDef | ast.ClassDef]


def attach(statements: list[ast.stmt], trees: Trees, functions: dict[str, ast.FunctionDef]) -> list[ast.stmt]:
    """Put functions that the file makes methods into their class, and return the other statements.

    `Layer.forward = forward`, `@add_to_class(Layer)` as in Dive into Deep Learning, and fastai's `@patch`.

    Parameters
    ----------
    statements : list of stmt
        Of the whole file.
    trees : dict
        Its functions and classes by name; a function that becomes a method is taken out.
    functions : dict
        Its functions.
    """
    left: list[ast.stmt] = []
    for one in statements:
        owner, name, method = _method_of(one, trees, functions)
        if owner is None or method is None:
            left.append(one)
            continue
        for argument in method.args.args[:1]:
            argument.annotation = None  # the class itself, which is not there yet inside its own body
        owner.body.append(ast.FunctionDef(**{**vars(method), "name": name, "decorator_list": []}))
        trees.pop(method.name, None)
    return left


def _method_of(
    statement: ast.stmt, trees: Trees, functions: dict[str, ast.FunctionDef]
) -> tuple[ast.ClassDef | None, str, ast.FunctionDef | None]:
    """The class that a statement gives a method, the method's name, and its code."""
    owner: Any = None
    name, method = "", None
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name):
        target, method = statement.targets[0], functions.get(statement.value.id)
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            owner, name = trees.get(target.value.id), target.attr
    elif isinstance(statement, ast.FunctionDef):
        name, method = statement.name, statement
        for one in statement.decorator_list:
            if isinstance(one, ast.Call) and ast.unparse(one.func).endswith("add_to_class") and one.args:
                owner = trees.get(ast.unparse(one.args[0]))
            elif ast.unparse(one).split(".")[-1] == "patch" and statement.args.args:
                note = statement.args.args[0].annotation
                owner = trees.get(ast.unparse(note)) if note is not None else None
    return owner if isinstance(owner, ast.ClassDef) else None, name, method
