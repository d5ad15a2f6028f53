"""Every normalization of a file: its functions and classes, as they are called."""

import ast
import inspect
from typing import Any

from bncourse.diagnosis.conventions.bundles import bundles
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.closures import open_closures
from bncourse.diagnosis.conventions.contexts import passes_of
from bncourse.diagnosis.conventions.definitions import (
    COMPOSITE,
    PLAIN,
    is_method,
    is_wanted,
    role_in,
    speaks_of_gamma,
    stem_of,
    takes_parameters,
)
from bncourse.diagnosis.conventions.engine_functions import OfEngine, engine_class
from bncourse.diagnosis.conventions.errors import CannotCallError, described
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.names import (
    MAPS,
    kind_of,
)
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.surroundings import of_surroundings
from bncourse.diagnosis.conventions.syntax import names_in
from bncourse.diagnosis.conventions.unbundled import function_of
from bncourse.diagnosis.conventions.units import Unit, put_together


def find_units(program: Program) -> list[Unit]:
    """Every normalization of a file, in its order."""
    units: dict[Any, Unit] = {}
    open_closures(program)
    for name, tree in list(program.trees.items()):
        if not is_wanted(tree) or is_method(tree):
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
    put_together(list(units.values()), whole)
    _put_on_engines(whole, program)
    named = [unit for unit in whole if kind_of(next(iter(unit.names), "")) is not None]
    whole = [unit for unit in whole if unit in named or not unit.is_helper] or whole
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
    if role == "forward" and callable(function) and not takes_parameters(function, kind):
        function = of_surroundings(function)
        if function is None:
            return
    if inspect.isgeneratorfunction(function):  # a part of another function, which runs it step by step
        return
    unnamed = role == "backward" and kind_of(name) is None and name not in PLAIN and key not in units
    if unnamed and not bundles(tree, program) and not speaks_of_gamma(tree):
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
