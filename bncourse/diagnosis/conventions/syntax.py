"""What stands in a syntax tree: names, parameters, constants, and what a function returns."""

import ast
import functools
from typing import Any

from bncourse.diagnosis.conventions.names import EVAL_WORDS, TRAIN_WORDS


def names_in(*trees: ast.AST) -> set[str]:
    """Every name that is read or assigned."""
    return {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}


def parameters_of(tree: ast.FunctionDef) -> list[str]:
    """Names of the parameters, in order."""
    return [one.arg for one in (*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs)]


@functools.lru_cache(maxsize=256)
def constants_of(tree: ast.AST) -> tuple[Any, ...]:
    """Every constant of a definition, in order."""
    return tuple(node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))


def word(tree: ast.AST, *, train: bool) -> str:
    """The word that a definition compares its mode with."""
    known = TRAIN_WORDS if train else EVAL_WORDS
    used = [value for value in constants_of(tree) if isinstance(value, str)]
    return next((one for one in known if one in used), known[0])


@functools.lru_cache(maxsize=256)
def returned_names(tree: ast.AST) -> list[str]:
    """Names in the last tuple that a function returns; "" for what is no plain name."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            found = [getattr(one, "id", getattr(one, "attr", "")) for one in node.value.elts]
    return found
