"""Calling what is not ours: arguments by their names, arrays of NumPy or PyTorch, channels first or last."""

import ast
import contextlib
import functools
import importlib
import inspect
import io
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.call import EngineError
from bncourse.diagnosis.conventions.imports import NotHereError, not_here
from bncourse.diagnosis.conventions.names import ROLES, role_of
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.syntax import names_in, word

Array = np.ndarray[Any, Any]
Tree = ast.FunctionDef | ast.ClassDef


class CannotCallError(Exception):
    """A function is asked for something that is not known; the message completes "It could not be called: ..."."""


class Orientation(NamedTuple):
    """How a student lays out x and gamma; ours is (N, C, *places) and (C,)."""

    channels: str = "first"
    """Axis of the channels: "first" is axis 1, "last" the last one, "rows" axis 0 (samples in columns)."""
    vector: str = "flat"
    """Shape of gamma: "flat" is (C,), "wide" has as many axes as x."""

    def x(self, array: Array) -> Array:
        """Lay out a batch as the student does."""
        if self.channels == "last":
            return np.ascontiguousarray(np.moveaxis(array, 1, -1))
        return np.ascontiguousarray(array.T) if self.channels == "rows" else array

    def back(self, array: Any) -> Any:
        """Lay out a batch of the student's as we do; what does not fit is left as it is."""
        if not isinstance(array, np.ndarray) or array.ndim < 2:
            return array
        if self.channels == "last":
            return np.moveaxis(array, -1, 1)
        return array.T if self.channels == "rows" else array

    def gamma(self, vector: Array, ndim: int) -> Array:
        """Shape one number a channel as the student does."""
        if self.vector == "flat":
            return vector
        shape = [1] * ndim
        shape[{"first": 1, "last": ndim - 1, "rows": 0}[self.channels]] = len(vector)
        return vector.reshape(shape)


def reached(tree: ast.AST, program: Program, through: Callable[[ast.AST], bool] = lambda one: True) -> list[ast.AST]:
    """A definition, and those of the file that it uses, one by one; what some of them use may be left out."""
    found: list[ast.AST] = [tree]
    for one in found:
        for node in ast.walk(one) if through(one) else ():
            known = program.trees.get(node.id) if isinstance(node, ast.Name) else None
            if known is not None and not any(known is other for other in found):
                found.append(known)
    return found


def modules_of(tree: Tree, program: Program) -> set[str]:
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
    if "torch" in modules_of(tree, program):
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


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what a student's function prints and warns of, and let it not end the program."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except SystemExit as error:
        raise CannotCallError("it ends the program, by exit() or the like") from error


def in_students_code(error: BaseException, program: Program) -> bool:
    """Whether an error comes from the student's file, or from what that calls."""
    return any(frame.filename == program.label for frame in traceback.extract_tb(error.__traceback__))


def by_us(method: Callable[..., Any]) -> Callable[..., Any]:
    """Tell an error of our own in a method of an adapter, which has a `program`, from one of the student's."""

    @functools.wraps(method)
    def run(self: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return method(self, *arguments, **options)
        except (CannotCallError, NotHereError, EngineError):
            raise
        except Exception as error:
            if in_students_code(error, self.program):
                raise
            raise EngineError(described(error)) from error

    return run


def described(error: BaseException) -> str:
    """Type, first line and place of an error."""
    first = next(iter(str(error).splitlines()), "")
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {first}{where}"


def is_torchs(value: Any) -> bool:
    """Whether it is a tensor of PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def data_of(value: Any) -> str:
    """Name under which an object of the student's own keeps its array, or ""."""
    if isinstance(value, np.ndarray | np.generic):
        return ""
    names = ("data", "value", "val", "w", *(("a", "arr", "array", "v", "d", "x") if hasattr(value, "__mul__") else ()))
    return next((name for name in names if isinstance(getattr(value, name, None), np.ndarray)), "")


def is_engines(value: Any) -> bool:
    """Whether it is a tensor of an autograd engine of the file's own."""
    return bool(data_of(value)) and callable(getattr(value, "backward", None)) and hasattr(value, "grad")


def to_numpy(value: Any) -> Any:
    """Turn tensors into arrays, also inside of tuples, lists and dicts; leave everything else."""
    if is_torchs(value):
        return value.detach().cpu().numpy()
    if is_engines(value):
        return getattr(value, data_of(value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(to_numpy, value))
    if type(value) in (tuple, list):
        return type(value)(to_numpy(one) for one in value)
    if type(value) is dict:
        return {key: to_numpy(one) for key, one in value.items()}
    return value


def array_of(value: Any) -> Any:
    """The array in a tensor, or in an object of the student's own; leave everything else."""
    inner = data_of(value)
    return getattr(value, inner) if inner else to_numpy(value)


def flat(value: Any) -> Any:
    """An array with its numbers along one axis; anything else as it is."""
    return value.reshape(-1) if isinstance(value, np.ndarray) else value


def as_vector(value: Any) -> Any:
    """(1, C), (C, 1) and (1, C, 1, 1) as (C,); anything else as it is."""
    if isinstance(value, np.ndarray) and value.ndim > 1 and max(value.shape) == value.size:
        return value.reshape(-1)
    return value


def tensor(array: Array) -> Any:
    """The array as a tensor, a leaf of its own graph."""
    return the_torch().tensor(array, requires_grad=True)


def the_torch() -> Any:
    """PyTorch, where the student's code uses it.

    Raises
    ------
    NotHereError
        If it is not installed.
    """
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise NotHereError(not_here("torch")) from error


def graph(*, wanted: bool) -> contextlib.AbstractContextManager[Any]:
    """Let PyTorch write down its graph, or not."""
    return contextlib.nullcontext() if wanted else the_torch().no_grad()


class Signature:
    """The parameters of a function, each with its role."""

    ORDER = ("x", "gamma", "beta")

    def __init__(self, function: Callable[..., Any], among: tuple[str, ...], *, positional: int = 0) -> None:
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError) as error:
            raise CannotCallError("its parameters cannot be read") from error
        self.parameters = [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
        self.roles: dict[str, str] = {}
        self.guessed: list[str] = []
        """Parameters whose role only their position tells."""
        taken: set[str] = set()
        names = [one.name for one in self.parameters]
        for name in names:
            if name == "G" and "groups" in among and any(other in ROLES["gamma"] for other in names if other != "G"):
                self.roles[name] = "groups"
                taken.add("groups")
        for one in self.parameters:
            role = role_of(one.name, tuple(role for role in among if role not in taken))
            if role is not None and one.name not in self.roles:
                self.roles[one.name] = role
                taken.add(role)
        for position, role in enumerate(self.ORDER[:positional]):
            if role not in taken and position < len(self.parameters):
                name = self.parameters[position].name
                if name not in self.roles:
                    self.roles[name] = role
                    self.guessed += [name] if position else []
                    taken.add(role)

    def has(self, role: str) -> bool:
        """Whether there is a parameter of this role."""
        return role in self.roles.values()

    def name(self, role: str) -> str | None:
        """Name of the parameter of this role."""
        return next((name for name, known in self.roles.items() if known == role), None)

    def default(self, role: str) -> Any:
        """Its default, or None."""
        for one in self.parameters:
            if self.roles.get(one.name) == role and one.default is not one.empty:
                return one.default
        return None

    def mode(self, tree: ast.AST, *, train: bool) -> dict[str, Any]:
        """What says whether to train, role by role, in the words of the definition."""
        is_flag = isinstance(self.default("mode"), bool)
        return {"train": train, "eval": not train, "mode": train if is_flag else word(tree, train=train)}

    def arguments(self, values: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Arguments by position and by name for these values, role by role.

        Raises
        ------
        CannotCallError
            If a parameter without a default has no role, or no value.
        """
        by_position: list[Any] = []
        by_name: dict[str, Any] = {}
        for one in self.parameters:
            role = self.roles.get(one.name)
            if role in values:
                if one.kind is one.POSITIONAL_ONLY:
                    by_position.append(values[role])
                else:
                    by_name[one.name] = values[role]
            elif one.default is one.empty:
                raise CannotCallError(f"nothing is known to give for its parameter {one.name}")
        return by_position, by_name

    def call(self, function: Callable[..., Any], values: dict[str, Any]) -> Any:
        """Call the function with these values."""
        by_position, by_name = self.arguments(values)
        with quiet():
            return function(*by_position, **by_name)
