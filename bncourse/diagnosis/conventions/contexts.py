"""Classes of static passes, `forward(ctx, x, gamma, beta)` and `backward(ctx, dy)`, on a context of the file's own."""

import ast
import inspect
import re
from collections.abc import Callable
from typing import Any

from bncourse.diagnosis.conventions.source import Program


class Context:
    """In the place of one that lies in a file that is not here."""

    def save_for_backward(self, *values: Any) -> None:
        """Keep what the backward pass needs, under the names that are usual."""
        self.saved = self.saved_tensors = self.saved_values = self.saved_variables = values


def passes_of(name: str, made: type, program: Program) -> tuple[Callable[..., Any], str] | None:
    """Make a function that returns (y, context) of a class's static forward pass, and put its backward pass beside it.

    Parameters
    ----------
    name : str
        Of the class.
    made : type
        The class.
    program : Program
        The file; the backward pass becomes a function of it.

    Returns
    -------
    function, name : tuple or None
        The forward pass, and the name of the backward pass; None where the class has no such passes.
    """
    statics = {key: value.__func__ for key, value in vars(made).items() if isinstance(value, staticmethod)}
    tree = program.trees[name]
    methods = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    if not {"forward", "backward"} <= statics.keys() & methods.keys():
        return None
    first = next(iter(inspect.signature(statics["forward"]).parameters), "")
    if not re.search(r"ctx|context", first, re.I):
        return None
    contexts = [
        value
        for key, value in program.namespace.items()
        if isinstance(value, type) and re.search("context|ctx", key, re.I)
    ]

    def forward(*arguments: Any, **options: Any) -> Any:
        context = contexts[0]() if contexts else Context()
        return statics["forward"](context, *arguments, **options), context

    def backward(dy: Any, ctx: Any) -> Any:
        return statics["backward"](ctx, dy)

    parameters = list(inspect.signature(statics["forward"]).parameters.values())[1:]
    forward.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    label = f"{name}.backward"
    program.namespace[label], program.trees[label] = backward, methods["backward"]
    return forward, label
