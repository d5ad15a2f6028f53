"""A backward pass whose forward pass stands in no function: it is judged with a right one in its place."""

import ast
from typing import Any

from bncourse.diagnosis.call import GRADIENTS
from bncourse.diagnosis.conventions.errors import CannotCallError
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.gradients import Backward
from bncourse.diagnosis.conventions.imports import NotHereError
from bncourse.diagnosis.conventions.layout import LARGEST_EPS
from bncourse.diagnosis.conventions.names import role_of
from bncourse.diagnosis.conventions.reach import uses_torch
from bncourse.diagnosis.conventions.syntax import constants_of
from bncourse.diagnosis.conventions.translation import Translation
from bncourse.diagnosis.diagnose import diagnose
from bncourse.diagnosis.report import Finding

KNOWN = ("x", "gamma", "beta", "eps", "mean", "var", "std", "inv_std", "centered", "x_hat")
"""What it may be given by name."""
WITH_A_RIGHT_ONE = "Its forward pass stands in no function that was found, so it was tried with a right one."
UNBIASED = "It fits the variance with N - 1; PyTorch and the paper normalize by the one with N."
SOURCE = """
def a_forward_pass(x, gamma, beta, eps=1e-5):
    mean = x.sum(0) / x.shape[0]
    centered = x - mean
    var = (centered ** 2).sum(0) / (x.shape[0] - {ddof})
    std = (var + eps) ** 0.5
    inv_std, x_hat = 1 / std, centered / std
    known = dict({known})
    return gamma * x_hat + beta, {{name: known[role] for name, role in {roles!r}.items()}}
"""


def look(name: str, its: Translation) -> tuple[tuple[Finding, ...], tuple[str, ...], tuple[str, ...]]:
    """Diagnose a backward pass that takes what it needs by name.

    Parameters
    ----------
    name : str
        Of the function.
    its : Translation
        The normalization.

    Returns
    -------
    findings, notes, differences : tuple
        What is wrong with dx, dgamma and dbeta; it is nothing where they fit the biased or the unbiased variance.

    Raises
    ------
    CannotCallError
        If it is not known what one of its parameters is.
    """
    said: list[tuple[Finding, ...]] = []
    for ddof in (0, 1):
        found = _with(name, its, ddof)
        if not found:
            return (), (WITH_A_RIGHT_ONE,), (UNBIASED,) if ddof else ()
        said.append(found)
    return min(said, key=len), (WITH_A_RIGHT_ONE,), ()


def _with(name: str, its: Translation, ddof: int) -> tuple[Finding, ...]:
    program = its.program
    tree, function = program.trees[name], program.namespace[name]
    forward = _forward(tree, its, ddof)
    backward = Backward(name, function, tree, forward, True, True)  # type: ignore[arg-type]
    rules = its.rules()
    if not backward.signature.has("eps") and "eps" not in _roles(tree):
        small = {one for one in constants_of(tree) if isinstance(one, float) and 0 < one <= LARGEST_EPS}
        rules = rules._replace(eps=small.pop()) if len(small) == 1 else rules
    report = diagnose(its.forward(forward, rules), backward, rules=rules)
    for one in report.findings:
        if isinstance(one.cause, (CannotCallError, NotHereError)):
            raise one.cause
    return tuple(one for one in report.findings if one.part in GRADIENTS)


def _roles(tree: ast.AST) -> dict[str, str]:
    """Parameters after the upstream gradient, and what they are."""
    arguments: Any = getattr(tree, "args", None)
    found = {one.arg: role_of(one.arg, KNOWN) for one in arguments.args[1:]}
    return {name: role for name, role in found.items() if role is not None}


def _forward(tree: ast.AST, its: Translation, ddof: int) -> Forward:
    """A right forward pass that returns what the backward pass is given."""
    roles = _roles(tree)
    if not roles:
        raise CannotCallError("its forward pass was not found, and without one nothing can be said")
    text = SOURCE.format(ddof=ddof, known=", ".join(f"{one}={one}" for one in KNOWN), roles=roles)
    made: Any = ast.parse(text).body[0]
    here: dict[str, Any] = {}
    exec(text, here)
    forward = Forward("a_forward_pass", here["a_forward_pass"], made, its.program, its.unit.kind)
    forward.torch = uses_torch(its.program.trees[its.unit.backwards[0]], its.program)
    return forward
