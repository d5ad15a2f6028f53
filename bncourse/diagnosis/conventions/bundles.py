"""Functions of dicts, tuples or objects that hold parameters and statistics, as functions of arrays.

A functional style, as in JAX: `batchnorm(params, state, x, train)` reads `params["gamma"]` and `state["mean"]` and
returns `(y, new_state)`. What a parameter holds is read from how the function uses it.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.calls import CannotCallError, is_torchs, reached
from bncourse.diagnosis.conventions.names import BACKWARD, ROLES, plain, role_of
from bncourse.diagnosis.conventions.source import Program

HELD = ("running_mean", "running_var", "gamma", "beta", "eps", "momentum", "train", "eval", "mode")
"""What a bundle may hold."""
STATISTICS = {"mean": "running_mean", "var": "running_var"}
MANY = "10**6"
"""How many batches there have been: what corrects the first ones does nothing any more."""
COUNTS = ("count", "step", "steps", "t", "numbatches", "numbatchestracked", "batches", "updates", "counter", "n")

KEYWORD = inspect.Parameter.KEYWORD_ONLY

Path = tuple[Any, ...]
"""The way into a bundle: a string is a key, a number a place in a tuple, and `.name` an attribute."""
LAYER = "1"
"""The layer of a network whose parameters lie in one dict, under `"gamma" + str(layer)`."""
Place = tuple[str, Path]
"""A parameter, and the way into it."""


def bundles(tree: ast.AST, program: Program | None = None) -> dict[str, dict[Path, str]]:
    """What each parameter of a function holds: the ways into it, and the role of what lies there.

    A parameter that is only a cache or a dict of settings beside x, gamma and beta is none of these.
    """
    if not isinstance(tree, ast.FunctionDef):
        return {}
    names = [one.arg for one in (*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs)]
    back, caches = bool(BACKWARD.search(tree.name)), set[str]()
    if back:
        names = [name for name in names if role_of(name, ("cache", "dy")) is None]
    found: dict[str, dict[Path, str]] = {}
    for one in reached(tree, program) if program is not None else [tree]:
        for (name, path), word in _places(one, names):
            role = role_of(word, HELD) or STATISTICS.get(role_of(word, tuple(STATISTICS)) or "")
            role = role or ("count" if plain(word) in COUNTS else None)
            if role is not None:
                found.setdefault(name, {})[path] = role
            if back and role not in ("gamma", "beta", "eps"):
                caches.add(name)
    found = {name: _as_moments(held) for name, held in found.items() if name not in caches}
    roles = [role for held in found.values() for role in held.values() if role in ("gamma", "beta")]
    statistics = [name for name, held in found.items() if "running_mean" in held.values()]
    ours = bool(roles) or any(plain(name) not in ROLES["settings"] for name in statistics)
    return found if ours and len(set(roles)) == len(roles) else {}


def _as_moments(held: dict[Path, str]) -> dict[Path, str]:
    """Take an `m` beside a variance for a mean; elsewhere it is the momentum."""
    roles = set(held.values())
    if "running_var" not in roles or "running_mean" in roles:
        return held
    return {
        path: "running_mean" if role == "momentum" and str(path[-1]).lstrip(".") == "m" else role
        for path, role in held.items()
    }


def _places(tree: ast.AST, names: list[str]) -> Iterator[tuple[Place, str]]:
    """Every way into a parameter that a function goes, and the word for what lies there."""
    known: dict[str, Place] = {name: (name, ()) for name in names}
    nodes = list(ast.walk(tree))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            for target, value in _pairs(node.targets[0], node.value):
                place = _place(value, known)
                if place is None:
                    continue
                if isinstance(target, ast.Name) and place[1]:
                    known.setdefault(target.id, place)
                elif isinstance(target, ast.Tuple) and not any(str(step).startswith(".") for step in place[1]):
                    words = [getattr(one, "id", "") for one in target.elts]
                    if all(role_of(word, (*HELD, *STATISTICS)) or plain(word) in COUNTS for word in words):
                        yield from (((place[0], (*place[1], at)), word) for at, word in enumerate(words))
    for node in nodes:
        place = _place(node, known) if isinstance(node, (ast.Subscript, ast.Attribute, ast.Call)) else None
        if (
            place is not None
            and place[1]
            and id(node) not in called
            and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        ):
            yield place, str(place[1][-1]).removeprefix(".").removesuffix(LAYER).removesuffix("_")


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, other in zip(target.elts, value.elts, strict=True):
            yield from _pairs(one, other)
    else:
        yield target, value


def _place(node: ast.expr | ast.AST, known: dict[str, Place]) -> Place | None:
    """Where an expression looks into a parameter."""
    inner: Place | None
    if isinstance(node, ast.Name):
        return known.get(node.id)
    step: Any = None
    if isinstance(node, ast.Subscript):
        inner, step = _place(node.value, known), _key(node.slice)
    elif isinstance(node, ast.Attribute):
        inner, step = _place(node.value, known), f".{node.attr}"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        inner, step = _place(node.func.value, known), _key(node.args[0])
    else:
        return None
    return (inner[0], (*inner[1], step)) if inner is not None and step is not None else None


def _key(node: ast.expr) -> str | None:
    """The key of a dict that an expression gives: a word, or one with the number of a layer."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    word = _numbered(node)
    return word[0] + LAYER if word else None


def _numbered(node: ast.expr) -> tuple[str, str] | None:
    """The word and the variable of `"gamma" + str(l)`, `f"gamma{l}"`, `"gamma%d" % l` and the like."""
    if isinstance(node, ast.JoinedStr) and len(node.values) == 2:
        start, end = node.values
        if isinstance(start, ast.Constant) and isinstance(end, ast.FormattedValue) and isinstance(end.value, ast.Name):
            return str(start.value), end.value.id
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
        names = [one.id for one in ast.walk(node.right) if isinstance(one, ast.Name) and one.id != "str"]
        if len(names) == 1 and isinstance(node.op, ast.Add | ast.Mod):
            return re.sub(r"%[ds]$", "", node.left.value), names[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        text = node.func.value
        if isinstance(text, ast.Constant) and len(node.args) == 1 and isinstance(node.args[0], ast.Name):
            return re.sub(r"\{0?\}$", "", str(text.value)), node.args[0].id
    return None


def layers_of(tree: ast.AST) -> set[str]:
    """Names of the variables that say of which layer the parameters are."""
    found = (_numbered(node) for node in ast.walk(tree) if isinstance(node, ast.BinOp | ast.JoinedStr | ast.Call))
    return {one[1] for one in found if one is not None}


def own_start(tree: ast.AST, parameter: str, held: dict[Path, str], program: Program) -> str:
    """Write a call of the file's function that makes such a parameter, where arrays alone do not make one; or ""."""
    ways = {place[1] for one in reached(tree, program) for place, _ in _places(one, [parameter])}
    ways = {way for way in ways if not any(_is_field(step) for step in way)}
    inside = any(one != way and way[: len(one)] == one for one in held for way in held)
    unknown = [way for way in ways - held.keys() if not any(one[: len(way)] == way for one in held)]
    if not (inside or unknown) or not set(held.values()) & {"running_mean", "running_var", "count"}:
        return ""
    ways = {place[1] for place, _ in _places(tree, [parameter])} or ways
    for name, other in program.trees.items():
        if not isinstance(other, ast.FunctionDef) or len(other.args.args) != 1:
            continue
        try:
            found = program.namespace[name](3)
        except Exception:  # noqa: S112  (it makes something else)
            continue
        for at, one in enumerate(found if isinstance(found, tuple) else (found,)):
            if isinstance(one, dict) and all(follow(one, way) is not None for way in ways):
                return f"{name}(gamma.size)" + (f"[{at}]" if isinstance(found, tuple) else "")
    return ""


def function_of(name: str, program: Program) -> Any:
    """A function of the file; one of bundles as a function of arrays."""
    function, tree = program.namespace.get(name), program.trees.get(name)
    held = bundles(tree, program) if tree is not None and callable(function) else {}
    return Unbundled(name, function, held, program) if held and callable(function) else function


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
    """

    def __init__(
        self, name: str, function: Callable[..., Any], held: dict[str, dict[Path, str]], program: Program
    ) -> None:
        self.name, self.function, self.held, self.program = name, function, held, program
        self.own = list(inspect.signature(function).parameters.values())
        self.starts = {one: start for one in held if (start := own_start(program.trees[name], one, held[one], program))}
        """Where the file's own functions make what a parameter holds, because it is kept in another form."""
        self.held = held = {one: paths for one, paths in held.items() if one not in self.starts}
        self.made = {one: _expression(paths, self._class(paths)) for one, paths in held.items()}
        self.made |= self.starts
        layers = layers_of(program.trees[name])
        self.made |= {one.name: LAYER for one in self.own if one.name in layers}
        self.parts: list[str] = []
        """Where y, the statistics and the rest stood in what came back last."""
        words = dict.fromkeys(one.name for one in self.own if one.name not in self.made)
        words |= dict.fromkeys(role for one in held.values() for role in one.values() if role != "count")
        defaults = {one.name: one.default for one in self.own if one.name not in self.made}
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(word, KEYWORD, default=defaults.get(word, inspect.Parameter.empty)) for word in words]
        )

    def _class(self, paths: dict[Path, str]) -> str:
        """Name of the file's class whose objects have these attributes."""
        fields = {path[0][1:] for path in paths if _is_field(path[0])}
        for name, made in self.program.namespace.items():
            own = getattr(made, "_fields", None) or getattr(made, "__dataclass_fields__", None)
            if isinstance(made, type) and own and fields <= set(own) and not hasattr(made, "__post_init__"):
                more = [one for one in own if one not in fields and one not in getattr(made, "_field_defaults", {})]
                return ", ".join([f"{name}(", *(f"{one}=1" for one in more)]).replace("(, ", "(")
        return "SimpleNamespace("

    def __call__(self, **given: Any) -> Any:
        """Call it, and return y, the statistics and the rest as one tuple."""
        known = {**self.program.namespace, "SimpleNamespace": SimpleNamespace, **given}
        made = {name: eval(text, known) for name, text in self.made.items()}
        ours = {one.name: made.get(one.name, given.get(one.name)) for one in self.own if one.name in {**made, **given}}
        first = [ours.pop(one.name) for one in self.own if one.kind is one.POSITIONAL_ONLY and one.name in ours]
        found = self.function(*first, **ours)
        self.parts = self._parts(found, made)
        everything = {**made, "found": found}
        parts = tuple(eval(part, everything) for part in self.parts)
        return parts if len(parts) > 1 else parts[0]

    def _parts(self, found: Any, made: dict[str, Any]) -> list[str]:
        """Put the statistics, as arrays, where the bundle stood that holds them."""
        paths = {role: (name, path) for name, held in self.held.items() for path, role in held.items()}
        if not {"running_mean", "running_var"} <= paths.keys():
            return ["found"]
        name, ways = paths["running_mean"][0], [paths["running_mean"][1], paths["running_var"][1]]
        sizes = [np.size(_at(made[name], way)) for way in ways]

        def holds(part: Any) -> bool:
            arrays = [_at(part, way) for way in ways]
            return all(one is not None and np.size(one) == size for one, size in zip(arrays, sizes, strict=True))

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


def _is_field(step: Any) -> bool:
    return isinstance(step, str) and step.startswith(".")


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
    if all(_is_field(step) for step in built):
        fields = ", ".join(f"{step[1:]}={text}" for step, text in built.items())
        return f"{made}{fields})" if made.endswith("(") else f"{made}, {fields})"
    if any(_is_field(step) or isinstance(step, int) for step in built):
        raise CannotCallError("it reads one parameter in two ways")
    return "{" + ", ".join(f'"{step}": {text}' for step, text in built.items()) + "}"


def text_of(start: str, path: Path) -> str:
    """Write a way into what an expression gives."""
    return start + "".join(
        step if _is_field(step) else f"[{step}]" if isinstance(step, int) else f'["{step}"]' for step in path
    )


def _at(value: Any, path: Path) -> Any:
    """What lies at the end of a way if that is an array, or None."""
    value = follow(value, path)
    return value if isinstance(value, (np.ndarray, np.floating)) or is_torchs(value) else None


def follow(value: Any, path: Path) -> Any:
    """What lies at the end of a way, or None."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, (tuple, list)) and step < len(value) else None
        elif _is_field(step):
            value = getattr(value, step[1:], None)
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
