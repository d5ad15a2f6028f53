"""Numbers that functions read around themselves: a global eps, and a global number of samples."""

import ast
import contextlib
from collections.abc import Iterator
from typing import Any

from bncourse.diagnosis.conventions.names import ROLES, plain
from bncourse.diagnosis.conventions.reach import reached
from bncourse.diagnosis.conventions.source import Program

COUNTS = ("n", "batchsize", "bs", "nsamples", "numsamples", "samples", "minibatchsize", "nbatch", "m")
"""Names of a global number of samples."""


class FileNumbers:
    """Of a function, and of those of the file that it calls.

    Parameters
    ----------
    tree : AST
        The function.
    program : Program
        The file.
    """

    def __init__(self, tree: ast.AST, program: Program) -> None:
        nodes = [node for one in reached(tree, program) for node in ast.walk(one)]
        own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        used = {node.id for node in nodes if isinstance(node, ast.Name)} - own
        here = program.namespace
        numbers = {name: here[name] for name in sorted(used) if type(here.get(name)) in (float, int)}
        eps = [name for name, value in numbers.items() if plain(name) in ROLES["eps"][:6] and isinstance(value, float)]
        self.eps = eps[0] if eps else None
        """Name of an eps."""
        self.counts = [
            name for name, value in numbers.items() if plain(name) in COUNTS and type(value) is int and value > 1
        ]
        """Names of numbers of samples."""


@contextlib.contextmanager
def bound(namespace: dict[str, Any], changed: dict[str, Any]) -> Iterator[None]:
    """Let names that are there hold something else for a while."""
    before = {name: namespace[name] for name in changed}
    namespace.update(changed)
    try:
        yield
    finally:
        namespace.update(before)
