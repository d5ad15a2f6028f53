"""Functions of dicts, tuples or objects, called as functions of the arrays that these hold."""

import ast
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.arrays import is_torchs
from bncourse.diagnosis.conventions.bundles import LAYER, Path, bundles, follow, is_field, layers_of, text_of
from bncourse.diagnosis.conventions.errors import CannotCallError
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.starts import own_starts

MANY = "10**6"
"""How many batches there have been: what corrects the first ones does nothing any more."""
KEYWORD = inspect.Parameter.KEYWORD_ONLY


def function_of(name: str, program: Program) -> Any:
    """A function of the file; one of bundles as a function of arrays."""
    function, tree = program.namespace.get(name), program.trees.get(name)
    if tree is None or not callable(function) or isinstance(tree, ast.ClassDef):
        return function
    held = bundles(tree, program)
    starts = own_starts(tree, held, program)
    return Unbundled(name, function, held, program, starts) if held or starts else function


class Unbundled:
    """A function of bundles, called by the names of what they hold.

    Parameters
    ----------
    name : str
        Its name.
    function : callable
        The function itself.
    held : dict
        What its parameters hold, as `bundles` tells.
    program : Program
        The file.
    starts : dict
        What its parameters are made by, as `own_starts` tells.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        held: dict[str, dict[Path, str]],
        program: Program,
        starts: dict[str, str],
    ) -> None:
        self.name, self.function, self.held, self.program = name, function, held, program
        self.own = list(inspect.signature(function).parameters.values())
        self.starts = starts
        """Where the file's own functions make what a parameter holds, because it is kept in another form."""
        self.held = held = {one: paths for one, paths in held.items() if one not in self.starts}
        self.made = {one: _expression(paths, self._class(paths)) for one, paths in held.items()}
        self.made |= self.starts
        layers = layers_of(program.trees[name])
        self.made |= {one.name: LAYER for one in self.own if one.name in layers}
        self.last: dict[str, Any] = {}
        """The bundles of the last call, in which it may have left what its backward pass reads."""
        self.parts: list[str] = []
        """Where y, the statistics and the rest stood in what came back last."""
        words = dict.fromkeys(one.name for one in self.own if one.name not in self.made)
        words |= dict.fromkeys(role for one in held.values() for role in one.values() if role != "count")
        defaults = {one.name: one.default for one in self.own if one.name not in self.made}
        self.optional = {one.name for one in self.own if one.name in held and one.default is None}
        defaults |= {role: None for name in self.optional for role in held[name].values()}
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(word, KEYWORD, default=defaults.get(word, inspect.Parameter.empty)) for word in words]
        )

    def _class(self, paths: dict[Path, str]) -> str:
        """Name of the file's class whose objects have these attributes."""
        fields = {path[0][1:] for path in paths if is_field(path[0])}
        for name, made in self.program.namespace.items():
            own = getattr(made, "_fields", None) or getattr(made, "__dataclass_fields__", None)
            if isinstance(made, type) and own and fields <= set(own) and not hasattr(made, "__post_init__"):
                more = [one for one in own if one not in fields and one not in getattr(made, "_field_defaults", {})]
                return ", ".join([f"{name}(", *(f"{one}=1" for one in more)]).replace("(, ", "(")
        return "SimpleNamespace("

    def __call__(self, **given: Any) -> Any:
        """Call it, and return y, the statistics and the rest as one tuple."""
        known = {**self.program.namespace, "SimpleNamespace": SimpleNamespace, **given}
        absent = {name for name in self.optional if all(given.get(role) is None for role in self.held[name].values())}
        made = {name: eval(text, known) for name, text in self.made.items() if name not in absent}
        ours = {one.name: made.get(one.name, given.get(one.name)) for one in self.own if one.name in {**made, **given}}
        first = [ours.pop(one.name) for one in self.own if one.kind is one.POSITIONAL_ONLY and one.name in ours]
        self.last = made
        found = self.function(*first, **ours)
        self.parts = self._parts(found, made)
        everything = {**made, "found": found}
        parts = tuple(eval(part, everything) for part in self.parts)
        return parts if len(parts) > 1 else parts[0]

    def _parts(self, found: Any, made: dict[str, Any]) -> list[str]:
        """Put the statistics, as arrays, where the bundle stood that holds them."""
        paths = {role: (name, path) for name, held in self.held.items() for path, role in held.items()}
        if not {"running_mean", "running_var"} <= paths.keys() or paths["running_mean"][0] not in made:
            return ["found"]
        name, ways = paths["running_mean"][0], [paths["running_mean"][1], paths["running_var"][1]]
        sizes = [_size(_at(made[name], way)) for way in ways]

        def holds(part: Any) -> bool:
            arrays = [_at(part, way) for way in ways]
            return all(one is not None and _size(one) == size for one, size in zip(arrays, sizes, strict=True))

        if found is None and "gamma" not in paths:  # an update that moves them in place
            return [text_of(name, way) for way in ways]
        whole, parts = ways, [found, *found] if type(found) in (tuple, list) else [found]
        while not any(map(holds, parts)) and min(map(len, ways)) > 1:  # it may return the inner dict alone
            ways = [way[1:] for way in ways]
        ways = ways if any(map(holds, parts)) else whole
        several = type(found) in (tuple, list)
        if holds(found) and not (several and any(isinstance(one, (tuple, list, dict)) for one in found)):
            return [text_of("found", way) for way in ways]  # an update: the new state is all that comes back
        every = [f"found[{at}]" for at in range(len(found))] if several else ["found"]
        where = next((at for at, one in enumerate(found) if holds(one)), None) if several else None
        state = every.pop(where) if where is not None else name  # where it does not come back, it is moved in place
        return [every[0], *(text_of(state, way) for way in ways), *every[1:]] if every else [state]

    @property
    def called(self) -> str:
        """Name of the function of arrays that `text` defines."""
        return f"{self.name}_of_arrays"

    def text(self) -> list[str]:
        """Define the same function of arrays for a student, after it has been called once."""
        parameters = [
            one.name if one.default is one.empty else f"{one.name}={one.default!r}"
            for one in self.__signature__.parameters.values()
        ]
        arguments = [one.name if one.kind is one.POSITIONAL_ONLY else f"{one.name}={one.name}" for one in self.own]
        return [
            *(["from types import SimpleNamespace"] if "SimpleNamespace" in "".join(self.made.values()) else []),
            f"def {self.called}(*, {', '.join(parameters)}):",
            *(f"    {name} = {text}" for name, text in self.made.items()),
            f"    found = {self.name}({', '.join(arguments)})",
            f"    return {', '.join(self.parts)}",
        ]


def _expression(paths: dict[Path, str], made: str) -> str:
    """Write how a bundle is built from what lies at the end of each way into it."""
    inner: dict[Any, dict[Path, str]] = {}
    for path, role in paths.items():
        if not path:
            return MANY if role == "count" else role
        inner.setdefault(path[0], {})[path[1:]] = role
    built = {step: _expression(some, "SimpleNamespace(") for step, some in inner.items()}
    if all(isinstance(step, int) for step in built):
        return f"({', '.join(built[step] for step in sorted(built))},)"
    if all(is_field(step) for step in built):
        fields = ", ".join(f"{step[1:]}={text}" for step, text in built.items())
        return f"{made}{fields})" if made.endswith("(") else f"{made}, {fields})"
    if any(is_field(step) or isinstance(step, int) for step in built):
        raise CannotCallError("it reads one parameter in two ways")
    return "{" + ", ".join(f'"{step}": {text}' for step, text in built.items()) + "}"


def _at(value: Any, path: Path) -> Any:
    """What lies at the end of a way if that is an array, or None."""
    value = follow(value, path)
    return value if isinstance(value, (np.ndarray, np.floating)) or is_torchs(value) else None


def _size(value: Any) -> int:
    """How many numbers an array or a tensor holds."""
    return int(np.prod(np.shape(value), dtype=int))
