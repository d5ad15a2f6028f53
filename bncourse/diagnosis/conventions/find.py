"""Which functions of a file normalize, what each is for, and whose convention they follow."""

import ast
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bncourse.diagnosis.conventions.bundles import bundles, layers_of
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.closures import open_closures
from bncourse.diagnosis.conventions.contexts import passes_of
from bncourse.diagnosis.conventions.engine_functions import OfEngine, engine_class
from bncourse.diagnosis.conventions.errors import CannotCallError, described
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.names import (
    BACKWARD,
    INFERENCE,
    MAPS,
    ROLES,
    UPDATE,
    kind_of,
    plain,
    role_of,
)
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.surroundings import of_surroundings
from bncourse.diagnosis.conventions.syntax import names_in, parameters_of
from bncourse.diagnosis.conventions.unbundled import function_of

COMPOSITE = re.compile(
    r"affine|relu|linear|dense|dropout|pool|resid|init|loss|check|^test_|plot|conv_|net$"
    r"|renorm(?!al)|ghost|virtual|fold",
    re.I,
)
"""Names of functions that do more than normalize, or that normalize by other statistics."""
PLAIN = {"forward", "backward", "inference", "running", "update", "batchnorm"}
"""Names that say nothing else."""

PASSES = (
    ("backward", "forward"),
    ("bwd", "fwd"),
    ("backprop", "forward"),
    ("_backward", ""),
    ("_grad", ""),
    ("_back", ""),
)
"""Words for a backward pass, and those of its forward pass."""

Tree = ast.FunctionDef | ast.ClassDef


@dataclass
class Unit:
    """One normalization of a file: a forward pass and what belongs to it."""

    kind: str
    maps: bool
    stem: str
    forward: Forward | Layer | None = None
    backwards: list[str] = field(default_factory=list)
    inference: str = ""
    inference_backward: str = ""
    update: str = ""
    problem: str = ""
    names: list[str] = field(default_factory=list)

    def hand_backwards(self, names: list[str], other: "Unit") -> None:
        """Let backward passes of this one belong to another."""
        other.backwards += names
        other.names += names
        self.backwards = [one for one in self.backwards if one not in names]
        self.names = [one for one in self.names if one not in names]


def _parameters(tree: Tree, program: Program | None = None) -> list[str]:
    """Names of the parameters; roles of what they hold, where one holds several things."""
    if isinstance(tree, ast.ClassDef):
        return []
    names = parameters_of(tree)
    held = bundles(tree, program)
    return [word for name in names for word in (held[name].values() if name in held else [name])]


def _normalizes(tree: ast.FunctionDef) -> bool:
    """Whether the parameters are those of a normalization."""
    names = {plain(name) for name in _parameters(tree)}
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
    names = _parameters(tree)
    if BACKWARD.search(tree.name):
        return any(role_of(name, ("dy",)) for name in names)
    statistics = {role_of(name, ("running_mean", "running_var")) for name in names}
    return {"running_mean", "running_var"} <= statistics and bool(UPDATE.search(tree.name))


def role_in(tree: ast.FunctionDef, program: Program | None = None) -> str:
    """Tell the functions of a normalization apart by the name, and where that says nothing by the parameters."""
    names = _parameters(tree, program)
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


def _is_method(tree: Tree) -> bool:
    """Whether a function is put into a class afterward."""
    return isinstance(tree, ast.FunctionDef) and bool(tree.args.args) and tree.args.args[0].arg == "self"


def find_units(program: Program) -> list[Unit]:
    """Every normalization of a file, in its order."""
    units: dict[Any, Unit] = {}
    open_closures(program)
    for name, tree in list(program.trees.items()):
        if not is_wanted(tree) or _is_method(tree):
            continue
        kind = kind_of(name) or "batch"
        try:
            if isinstance(tree, ast.ClassDef):
                _add_class(units, name, tree, kind, program)
            else:
                _add_function(units, name, tree, kind, program)
        except Exception as error:  # what cannot be read leaves the rest of the file as it is
            problem = str(error) if isinstance(error, CannotCallError) else f"reading it raised {described(error)}"
            units[name] = Unit(kind, False, name, problem=problem, names=[name])
    for name, reason in program.problems.items():
        if name not in program.trees and kind_of(name) and not COMPOSITE.search(name):
            units[name] = Unit(kind_of(name) or "batch", False, name, problem=reason, names=[name])
    whole = [unit for unit in units.values() if unit.forward is not None or unit.problem]
    for unit in units.values():
        _give_backwards(unit, whole)
    lonely = [one for one in whole if isinstance(one.forward, Forward) and not one.backwards]
    for unit in units.values():
        _give_to_the_only_one(unit, lonely)
        if unit not in whole:
            _give_to_another(unit, whole)
    _put_on_engines(whole, program)
    named = [unit for unit in whole if kind_of(next(iter(unit.names), "")) is not None]
    whole = [unit for unit in whole if unit in named or not _is_helper(unit)] or whole
    kinds = {unit.kind for unit in whole}
    alone = [
        one
        for one in units.values()
        if one.kind not in kinds and (one.inference or one.update or (one.backwards and not kinds))
    ]
    return whole + alone


def _put_on_engines(whole: list[Unit], program: Program) -> None:
    """Call functions without a backward pass with tensors of the engine that their file defines."""
    alone = [
        unit.forward
        for unit in whole
        if isinstance(unit.forward, Forward) and inspect.isfunction(unit.forward.function) and not unit.backwards
    ]
    engine = engine_class(program) if any(not one.torch for one in alone) else None
    for one in alone:
        if engine is not None and not one.torch:
            one.function = OfEngine(one.function, engine, program)


def _give_backwards(unit: Unit, whole: list[Unit]) -> None:
    """Let a backward pass belong to the forward pass whose name differs in that word only."""
    if isinstance(unit.forward, Layer):
        return
    for name in list(unit.backwards):
        partners = {re.sub(back, forth, name, flags=re.I) for back, forth in PASSES}
        for other in whole:
            if other is not unit and isinstance(other.forward, Forward) and other.forward.name in partners:
                unit.hand_backwards([name], other)
                break


def _give_to_the_only_one(unit: Unit, lonely: list[Unit]) -> None:
    """Let backward passes of other names belong to the only forward pass of their kind that has none of its own."""
    same = [one for one in lonely if one.kind == unit.kind]
    if unit.forward is None and unit.backwards and len(same) == 1:
        unit.hand_backwards(unit.backwards, same[0])


def _is_helper(unit: Unit) -> bool:
    """Whether a function of no normalization's name also asks for what only its own file can give."""
    if not isinstance(unit.forward, Forward):
        return False
    known = unit.forward.signature
    return any(one.default is one.empty and one.name not in known.roles for one in known.parameters)


def _give_to_another(unit: Unit, whole: list[Unit]) -> None:
    """Let an update, or an inference of another stem, belong to the first forward pass that has none."""
    for other in whole:
        same = other.kind == unit.kind and isinstance(other.forward, Forward)
        after = unit.inference_backward and not other.inference_backward
        if same and ((unit.update and not other.update) or (unit.inference and not other.inference) or after):
            other.inference_backward = unit.inference_backward or other.inference_backward
            other.update, other.inference = unit.update or other.update, unit.inference or other.inference
            other.names += unit.names
            unit.names = []
            return


def _add_class(units: dict[Any, Unit], name: str, tree: ast.ClassDef, kind: str, program: Program) -> None:
    unit = units[name] = Unit(kind, bool(MAPS.search(name)), name, names=[name])
    made = program.namespace.get(name)
    if not isinstance(made, type):
        unit.problem = program.problems.get(name, "it is no class after the file has been run")
        return
    if any(base.__module__ == "torch.autograd.function" for base in made.__mro__):
        _add_autograd_function(units, name, made, tree, kind, program)
        return
    if (passes := passes_of(name, made, program)) is not None:
        unit.forward, unit.backwards = Forward(name, passes[0], tree, program, kind), [passes[1]]
        return
    try:
        unit.forward = Layer(name, made, tree, program, kind)
        _ = unit.forward.forward_name
    except CannotCallError:
        del units[name]
        return
    if unit.forward.backward_name and not unit.forward.module:
        unit.backwards.append(unit.forward.backward_name)


def _add_autograd_function(
    units: dict[Any, Unit], name: str, made: Any, tree: ast.ClassDef, kind: str, program: Program
) -> None:
    """A torch.autograd.Function as a function, unless a module or function of the file calls it."""
    if name in names_in(*(other for other in program.trees.values() if other is not tree)):
        del units[name]
        return

    def apply(*arguments: Any) -> Any:
        return made.apply(*arguments)

    parameters = list(inspect.signature(made.forward).parameters.values())[1:]
    positional = [one.replace(kind=one.POSITIONAL_ONLY) for one in parameters]
    apply.__signature__ = inspect.Signature(positional)  # type: ignore[attr-defined]
    units[name].forward = Forward(name, apply, tree, program, kind)


def _add_function(units: dict[Any, Unit], name: str, tree: ast.FunctionDef, kind: str, program: Program) -> None:
    role = role_in(tree, program)
    key = (kind, stem_of(name))
    function = function_of(name, program)
    if role == "forward" and callable(function) and not _takes_parameters(function, kind):
        function = of_surroundings(function)
        if function is None:
            return
    if inspect.isgeneratorfunction(function):  # a part of another function, which runs it step by step
        return
    unnamed = role == "backward" and kind_of(name) is None and name not in PLAIN and key not in units
    if unnamed and not bundles(tree, program) and not _speaks_of_gamma(tree):
        return
    unit = units.setdefault(key, Unit(kind, bool(MAPS.search(name)), stem_of(name)))
    unit.names.append(name)
    if not callable(function):
        unit.problem = program.problems.get(name, "it is no function after the file has been run")
        return
    if role == "forward":
        if unit.forward is None:
            unit.forward = Forward(name, function, tree, program, kind)
    elif role == "backward":
        unit.backwards.append(name)
    elif role == "inference":
        unit.inference = name
    elif role == "inference_backward":
        unit.inference_backward = name
    else:
        unit.update = name


def _speaks_of_gamma(tree: ast.FunctionDef) -> bool:
    """Whether a backward pass of another name has to do with gamma."""
    return any(plain(name) in ("gamma", "bngain") for name in names_in(tree))


def _takes_parameters(function: Callable[..., Any], kind: str) -> bool:
    """Whether a function takes x and gamma, and beta where it has one; the name of one of the two may be unknown."""
    among = ("settings", "running_mean", "running_var", "eps", "x", "gamma", "beta")
    try:
        named, guessed = (Signature(function, among, positional=positional) for positional in (0, 3))
    except CannotCallError:
        return False
    if named.has("gamma") and (named.has("beta") or kind == "rms"):
        return True
    return (named.has("gamma") or named.has("beta")) and guessed.has("gamma") and guessed.has("beta")


def convention_of(unit: Unit) -> str:
    """Name of the convention that a unit follows."""
    if isinstance(unit.forward, Layer):
        text = unit.forward.text
        if unit.forward.module:
            return "pytorch"
        if "retain_derived" in text:
            return "numpy-ml"
        if "use_running_average" in text:
            return "flax"
        if "'BW'" in text or "dLdBW" in text or "running_M" in text:
            return "cmu"
        if "moving_mean" in text and ("'call'" in text or "training" in text):
            return "keras"
        return "class"
    if isinstance(unit.forward, Forward):
        known = unit.forward.signature
        if unit.forward.of_bundles:
            return "deeplearning-ai" if layers_of(unit.forward.tree) else "jax"
        if known.has("settings"):
            return "cs231n"
        if known.has("running_mean"):
            return "d2l"
        names = _parameters(unit.forward.tree)
        if names[:3] == ["x", "gamma", "beta"] and names[3:] in (["eps"], []) and not unit.forward.torch:
            return "bncourse" if known.has("eps") else "functions"
    return "functions"
