"""Which definitions of a file are looked at, and what each is for, by its name and its parameters."""

import ast
import re
from collections.abc import Callable
from typing import Any

from bncourse.diagnosis.conventions.bundles import bundles
from bncourse.diagnosis.conventions.errors import CannotCallError
from bncourse.diagnosis.conventions.names import (
    BACKWARD,
    INFERENCE,
    ROLES,
    UPDATE,
    kind_of,
    plain,
    role_of,
)
from bncourse.diagnosis.conventions.reach import Tree
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.syntax import names_in, parameters_of

COMPOSITE = re.compile(
    r"affine|relu|linear|dense|dropout|pool|resid|init|loss|check|^test_|plot|conv_|net$"
    r"|renorm(?!al)|ghost|virtual|fold",
    re.I,
)
"""Names of functions that do more than normalize, or that normalize by other statistics."""
PLAIN = {"forward", "backward", "inference", "running", "update", "batchnorm"}
"""Names that say nothing else."""


def words_of(tree: Tree, program: Program | None = None) -> list[str]:
    """Names of the parameters; roles of what they hold, where one holds several things."""
    if isinstance(tree, ast.ClassDef):
        return []
    names = parameters_of(tree)
    held = bundles(tree, program)
    return [word for name in names for word in (held[name].values() if name in held else [name])]


def _normalizes(tree: ast.FunctionDef) -> bool:
    """Whether the parameters are those of a normalization."""
    names = {plain(name) for name in words_of(tree)}
    if bundles(tree):  # a linear layer, too, has a dict of a weight and a bias
        return {"gamma", "beta"} <= names and bool(names & {"runningmean", "eps"})
    return "gamma" in names and ("beta" in names or "x" in names)


def _is_layer(tree: ast.ClassDef) -> bool:
    """Whether a class of another name holds what a normalizing layer holds."""
    words = {plain(node.attr) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    words |= {
        plain(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return "gamma" in words and bool(words & {*ROLES["running_mean"], "beta"})


def is_wanted(tree: Tree) -> bool:
    """Whether a definition is one of those that are looked at."""
    if isinstance(tree, ast.ClassDef):
        return (kind_of(tree.name) is not None or _is_layer(tree)) and not COMPOSITE.search(tree.name)
    if COMPOSITE.search(tree.name) and not re.match(r"conv_(batch_?norm|bn)(_forward|_backward)?$", tree.name):
        return False
    return kind_of(tree.name) is not None or _normalizes(tree) or tree.name in PLAIN or _is_pass_or_update(tree)


def _is_pass_or_update(tree: ast.FunctionDef) -> bool:
    """Whether it may belong to a normalization of another name: its backward pass, or its running statistics."""
    names = words_of(tree)
    if BACKWARD.search(tree.name):
        return any(role_of(name, ("dy",)) for name in names)
    statistics = {role_of(name, ("running_mean", "running_var")) for name in names}
    return {"running_mean", "running_var"} <= statistics and bool(UPDATE.search(tree.name))


def role_in(tree: ast.FunctionDef, program: Program | None = None) -> str:
    """Tell the functions of a normalization apart by the name, and where that says nothing by the parameters."""
    names = words_of(tree, program)
    if BACKWARD.search(tree.name) or tree.name == "backward":
        return "inference_backward" if "inference" in tree.name else "backward"
    roles = {role_of(name, ("running_mean", "running_var", "gamma", "cache", "dy")) for name in names}
    if "gamma" not in roles and {"running_mean", "running_var"} <= roles and UPDATE.search(tree.name):
        return "update"
    if INFERENCE.search(tree.name) and {"running_mean", "running_var"} <= roles:
        return "inference"
    return "forward"


def stem_of(name: str) -> str:
    """Return the name without what says which of its functions it is.

    Examples
    --------
    >>> stem_of("spatial_batchnorm_backward"), stem_of("batchnorm_backward_alt"), stem_of("bn_inference")
    ('spatialbatchnorm', 'batchnorm', 'bn')
    """
    found = re.sub(
        r"forward|avant|adelante|vorwaerts|avanti|arriere|atras|rueckwaerts|indietro|fwd|backward|backprop|bprop|bwd|inference|infer|predict|update|running|training|train|test|"
        r"eval|apply|vjp|pullback|_fn$|_fun$|_alt\w*|_fast|_v\d|_simple|_naive|_numpy|_pass|_grad|(?<=_backward)_\w+",
        "",
        name,
        flags=re.I,
    )
    return plain(found)


def is_method(tree: Tree) -> bool:
    """Whether a function is put into a class afterward."""
    return isinstance(tree, ast.FunctionDef) and bool(tree.args.args) and tree.args.args[0].arg == "self"


def speaks_of_gamma(tree: ast.FunctionDef) -> bool:
    """Whether a backward pass of another name has to do with gamma."""
    return any(plain(name) in ("gamma", "bngain") for name in names_in(tree))


def takes_parameters(function: Callable[..., Any], kind: str) -> bool:
    """Whether a function takes x and gamma, and beta where it has one; the name of one of the two may be unknown."""
    among = ("settings", "running_mean", "running_var", "eps", "x", "gamma", "beta")
    try:
        named, guessed = (Signature(function, among, positional=positional) for positional in (0, 3))
    except CannotCallError:
        return False
    if named.has("gamma") and (named.has("beta") or kind == "rms"):
        return True
    return (named.has("gamma") or named.has("beta")) and guessed.has("gamma") and guessed.has("beta")
