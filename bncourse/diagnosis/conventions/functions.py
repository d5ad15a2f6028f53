"""Functions of any course as ours: settings in a dict, statistics as arguments, results in any order."""

import ast
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array, Orientation, flat, graph, is_torchs, tensor, to_numpy
from bncourse.diagnosis.conventions.bundles import Path, follow
from bncourse.diagnosis.conventions.errors import CannotCallError, by_us, described
from bncourse.diagnosis.conventions.imports import NotHereError
from bncourse.diagnosis.conventions.names import ROLES, plain, role_of
from bncourse.diagnosis.conventions.reach import reached, uses_torch
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.syntax import constants_of, returned_names
from bncourse.diagnosis.conventions.unbundled import Unbundled

STATED = ("running_mean", "running_var")
COUNTS = ("n", "batchsize", "bs", "nsamples", "numsamples", "samples", "minibatchsize", "nbatch", "m")
"""Names of a global number of samples."""
USUAL_MOMENTUM = 0.9
"""What a function is given that asks for a momentum, where its value does not matter."""
AMONG = (
    "settings",
    "running_mean",
    "running_var",
    "eps",
    "train",
    "eval",
    "mode",
    "x",
    "gamma",
    "beta",
    "momentum",
    "groups",
)


@dataclass(frozen=True)
class Values:
    """What one call is given, in our layout."""

    x: Array
    gamma: Array
    beta: Array
    eps: float
    train: bool = True
    running_mean: Array | None = None
    running_var: Array | None = None
    momentum: float | None = None
    """As the student's course means it."""
    groups: int = 1


@dataclass
class Outcome:
    """What one call gave."""

    y: Any
    values: Values
    rest: Any = None
    """What came back beside y and is handed to the backward pass: a cache, or everything."""
    statistics: dict[str, Any] = field(default_factory=dict)
    graph: Any = None
    """For PyTorch: y as a tensor, and the leaves it was computed from."""
    layer: Any = None
    """For a class: the instance."""
    settings: dict[str, Any] = field(default_factory=dict)
    """The dict of settings after the call."""
    whole: Any = None
    """Everything that came back beside y, where a cache is only one thing of several."""


@dataclass
class Forward:
    """A forward pass that is a function."""

    name: str
    function: Callable[..., Any]
    tree: ast.FunctionDef | ast.ClassDef
    program: Program
    kind: str
    orientation: Orientation = field(default_factory=Orientation)
    written: set[str] = field(default_factory=set)
    """Arguments that a call has changed in place."""
    results: list[int] = field(default_factory=list)
    """How many results each call has returned in a tuple, 0 where it was none."""
    kept: dict[Any, tuple[int, ...]] = field(default_factory=dict)
    """Shapes in which it keeps running statistics, by that of x."""
    moved_at: dict[str, Path] = field(default_factory=dict)
    """Where the moved statistics stand among several results, once that has been tried."""
    before: dict[str, Array] = field(default_factory=dict)
    """The running statistics of the last call, as they were given."""
    cache_at: int | None = None
    """Where the cache stands in what came back, if more than y and a cache did."""
    signature: Signature = field(init=False)
    torch: bool = field(init=False)

    def __post_init__(self) -> None:
        """Read the signature."""
        self.signature = Signature(self.function, AMONG, positional=3)
        self.torch = uses_torch(self.tree, self.program)
        self.keys = _keys(self.tree, self.program)

    @property
    def applied(self) -> bool:
        """Whether it is a torch.autograd.Function, which is called by `apply`."""
        return isinstance(self.tree, ast.ClassDef)

    @property
    def of_bundles(self) -> Unbundled | None:
        """The function, if its parameters and statistics come in dicts, tuples or objects."""
        return self.function if isinstance(self.function, Unbundled) else None

    @property
    def keeps_its_own(self) -> bool:
        """Whether its running statistics have a form that only the file's own functions make."""
        return self.of_bundles is not None and bool(self.of_bundles.starts)

    @cached_property
    def infers_if_given(self) -> bool:
        """Whether it infers where it is given running statistics, and trains where it is not."""
        known = self.signature
        flags = any(known.has(role) for role in ("train", "eval", "mode", "settings"))
        optional = [one for one in known.parameters if known.roles.get(one.name) in STATED and one.default is None]
        if flags or self.torch or len(optional) != len(STATED):
            return False
        x, vector = np.array([[0.0, 1.0, 5.0], [2.0, 5.0, 4.0], [1.0, 0.0, 9.0]]), np.ones(3)
        given = {"x": x, "gamma": vector, "beta": vector, "eps": 0.1}
        try:
            ys = [
                known.call(self.function, dict(more))
                for more in (given, {**given, **dict.fromkeys(STATED, 50 * vector)})
            ]
        except Exception:
            return False
        first, second = (to_numpy(y[0] if isinstance(y, tuple) else y) for y in ys)
        return isinstance(first, np.ndarray) and not np.array_equal(first, second)

    def has_modes(self, values: Values) -> bool:
        """Whether it is told if it trains."""
        if self.infers_if_given:
            return True
        if self.signature.has("settings"):
            return "mode" in self.keys.values()
        return any(self.signature.has(role) for role in ("train", "eval", "mode")) or (
            self.torch and "is_grad_enabled" in ast.dump(self.tree)
        )

    def keeps_statistics(self, values: Values) -> bool:
        """Whether it moves running statistics."""
        if self.signature.has("settings"):
            return "running_mean" in self.keys.values() and "running_var" in self.keys.values()
        return self.signature.has("running_mean") and self.signature.has("running_var") and not self.infers_if_given

    @cached_property
    def global_eps(self) -> str | None:
        """Name of a global eps that it reads."""
        numbers = self._globals(self.tree)
        names = [
            name for name, value in numbers.items() if plain(name) in ROLES["eps"][:6] and isinstance(value, float)
        ]
        return names[0] if names and not self.signature.has("eps") else None

    def _globals(self, *trees: ast.AST) -> dict[str, Any]:
        """Numbers of the file that functions read, or functions of the file that they call."""
        nodes = [node for tree in trees for one in reached(tree, self.program) for node in ast.walk(one)]
        own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        used = {node.id for node in nodes if isinstance(node, ast.Name)} - own
        here = self.program.namespace
        return {name: here[name] for name in sorted(used) if type(here.get(name)) in (float, int)}

    @contextlib.contextmanager
    def numbers_of_the_file(self, values: Values, *trees: ast.AST) -> Iterator[None]:
        """Set a global eps and a global number of samples for a while, also for the other functions that read them."""
        namespace, count = self.program.namespace, len(values.x)
        changed: dict[str, Any] = {self.global_eps: values.eps} if self.global_eps else {}
        for tree in (self.tree, *trees):
            for name, value in self._globals(tree).items():
                if plain(name) in COUNTS and type(value) is int and value > 1:
                    changed[name] = count
        before = {name: namespace[name] for name in changed}
        namespace.update(changed)
        try:
            yield
        finally:
            namespace.update(before)

    def takes(self, role: str, values: Values) -> bool:
        """Whether eps, or the momentum, can be given."""
        if self.signature.has(role) or (role == "eps" and self.global_eps is not None):
            return True
        return self.signature.has("settings") and role in self.keys.values()

    @cached_property
    def has_own_momentum(self) -> bool:
        """Whether it has a value for the momentum where none is given."""
        if not self.signature.has("settings"):
            return isinstance(self.signature.default("momentum"), float)
        nodes = (node for one in reached(self.tree, self.program) for node in ast.walk(one))
        return any(
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", "") in ("get", "setdefault")
            and len(node.args) == 2
            and isinstance(node.args[0], ast.Constant)
            and self.keys.get(str(node.args[0].value)) == "momentum"
            for node in nodes
        )

    def kept_shape(self, values: Values) -> tuple[int, ...]:
        """Shape in which it keeps running statistics in its settings where it starts them itself, or ()."""
        key = (values.x.shape, self.orientation)
        if values.running_mean is not None and key not in self.kept:
            held: dict[str, Any] = {}
            with contextlib.suppress(Exception):
                found = self.run(replace(values, train=True, running_mean=None, running_var=None))
                held = found.settings
            shapes = [
                np.shape(to_numpy(held[one])) for one, role in self.keys.items() if role in STATED and one in held
            ]
            self.kept[key] = shapes[0] if shapes else ()
        return self.kept.get(key, ())

    @by_us
    def run(self, values: Values) -> Outcome:
        """Call it."""
        lay = self.orientation
        ndim = values.x.ndim
        arrays = {
            "x": lay.x(values.x),
            "gamma": lay.gamma(values.gamma, ndim),
            "beta": lay.gamma(values.beta, ndim),
        }
        given: dict[str, Any] = {name: array.copy() for name, array in arrays.items()}
        if self.torch:
            given |= {name: tensor(array) for name, array in arrays.items()}
        leaves = [given[name] for name in ("x", "gamma", "beta")]
        statistics = {}
        for name in STATED:
            array = getattr(values, name)
            if array is None:
                array = np.zeros(len(values.gamma)) if name == "running_mean" else np.ones(len(values.gamma))
            array = np.array(lay.gamma(array, ndim))
            if self.signature.has("settings") and array.size == np.prod(self.kept_shape(values), dtype=int):
                array = array.reshape(self.kept_shape(values))
            statistics[name] = tensor(array).detach() if self.torch else array
        given |= statistics
        self.before = {role: np.array(to_numpy(one)) for role, one in statistics.items()}
        own = self.signature.default("momentum")
        usual = own if isinstance(own, float) else USUAL_MOMENTUM
        given["eps"], given["momentum"] = values.eps, usual if values.momentum is None else values.momentum
        given |= {"groups": values.groups, **self.signature.mode(self.tree, train=values.train)}
        if values.train and self.infers_if_given:
            given = {role: one for role, one in given.items() if role not in STATED}
        settings = self._settings(given, values)
        given["settings"] = settings
        with self.numbers_of_the_file(values), graph(wanted=values.train or not self.torch):
            result = self._called(given)
        self.written |= {name for name, array in arrays.items() if not np.array_equal(to_numpy(given[name]), array)}
        if self.signature.has("settings"):
            statistics = {
                role: settings[key] for key, role in self.keys.items() if role in statistics and key in settings
            }
        self.results.append(len(result) if isinstance(result, (tuple, list)) else 0)
        y, rest, whole = result, None, None
        if isinstance(result, (tuple, list)) and len(result) > 1:
            y, rest = result[0], list(result[1:])
            self.cache_at = self._cache_at(rest)
            cache = rest[self.cache_at - 1] if self.cache_at is not None else None
            statistics |= self._returned(rest, statistics, given) if not self.infers_if_given else {}
            rest = rest[0] if len(rest) == 1 else rest
            whole, rest = (rest, cache) if cache is not None and len(result) > 2 else (None, rest)
        kept = (y, leaves) if self.torch and hasattr(y, "grad_fn") else None
        moved = {role: flat(to_numpy(value)) for role, value in statistics.items()}
        return Outcome(lay.back(to_numpy(y)), values, rest, moved, kept, whole=whole, settings=settings)

    def _called(self, given: dict[str, Any]) -> Any:
        try:
            return self.signature.call(self.function, given)
        except Exception as error:
            if isinstance(error, (NotHereError, CannotCallError)) or not self.signature.guessed:
                raise
            guessed = " and ".join(self.signature.guessed)
            raise CannotCallError(f"it raised {described(error)}; what is {guessed} to it?") from error

    def _cache_at(self, rest: list[Any]) -> int | None:
        """Where the cache stands among several results: by its name, or as the only one that is no array."""
        names = returned_names(self.tree)[1:]
        called = [at for at, name in enumerate(names) if role_of(name, ("cache",))] if len(names) == len(rest) else []
        packed = [at for at, one in enumerate(rest) if isinstance(one, (tuple, list, dict))]
        found = called or packed
        return found[0] + 1 if len(rest) > 1 and len(found) == 1 else None

    def _settings(self, given: dict[str, Any], values: Values) -> dict[str, Any]:
        found: dict[str, Any] = {"mode": given["mode"], "eps": given["eps"], "momentum": given["momentum"]}
        roles = ("mode", "eps", "momentum", *STATED)
        if values.running_mean is not None:
            found |= {name: given[name] for name in STATED}
        for key, role in self.keys.items():
            if role in roles and (not role.startswith("running") or values.running_mean is not None):
                found[key] = given[role]
        if values.momentum is None and self.has_own_momentum:
            found = {key: one for key, one in found.items() if self.keys.get(key, key) != "momentum"}
        return found

    def _returned(self, rest: list[Any], statistics: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        """Take running statistics out of what came back beside y, where they are arguments."""
        if not all(self.signature.has(role) for role in STATED):
            return {}
        where = self._stated(rest, np.size(to_numpy(next(iter(statistics.values())))), given)
        found = {role: follow(rest, way) for role, way in zip(STATED, where, strict=False)}
        taken = {way[0] for way in where}
        rest[:] = [one for position, one in enumerate(rest) if position not in taken]
        return found

    def _stated(self, rest: list[Any], size: int, given: dict[str, Any]) -> list[Path]:
        """Where the moved mean and variance stand: by name, by size, or as what moves with the old ones."""
        names = returned_names(self.tree)[1:]
        if len(names) == len(rest):
            named = {role_of(name, STATED): (position,) for position, name in enumerate(names)}
            if named.keys() >= set(STATED):
                return [named[role] for role in STATED]
        fits: list[Path] = [(position,) for position, one in enumerate(rest) if _size(one) == size]
        if len(fits) == 2:
            return fits
        ways = [way for way in _ways(rest) if _size(follow(rest, way)) == size]
        return [] if self._moves_in_place(given) else self._moved_by_the_old(ways, given)

    def _moves_in_place(self, given: dict[str, Any]) -> bool:
        """Whether the arrays that it was given hold other numbers now than before the call."""
        return any(not np.array_equal(to_numpy(given[role]), self.before[role]) for role in STATED)

    def _moved_by_the_old(self, ways: list[Path], given: dict[str, Any]) -> list[Path]:
        """Which of several results are the moved mean and variance: each follows its old value."""
        for role in STATED:
            if role in self.moved_at:
                continue
            results = []
            for more in (0.0, 1.0):
                again = {name: one for name, one in given.items() if name != "settings"}
                for name in ("x", "gamma", "beta", *STATED):
                    array = np.array(to_numpy(given[name])) + more * (name == role)
                    again[name] = tensor(array).detach() if is_torchs(given[name]) else array
                results.append(list(self._called(again))[1:])
            changed = [
                way
                for way in ways
                if not np.array_equal(to_numpy(follow(results[0], way)), to_numpy(follow(results[1], way)))
            ]
            self.moved_at[role] = changed[0] if len(changed) == 1 else ()
        found = [self.moved_at[role] for role in STATED]
        return found if all(found) and found[0] != found[1] else []


def _ways(rest: list[Any]) -> list[Path]:
    """The ways to every result, and to what lies in a dict or a tuple of two of them."""
    found: list[Path] = []
    for at, one in enumerate(rest):
        inner = list(one) if isinstance(one, dict) else list(range(len(one))) if isinstance(one, (tuple, list)) else []
        found += [(at, step) for step in inner] if len(inner) == 2 else [(at,)]
    return found


def _size(value: Any) -> int:
    try:
        return int(np.size(to_numpy(value))) if not isinstance(value, (tuple, list, dict)) else -1
    except Exception:
        return -1


def _keys(tree: ast.AST, program: Program) -> dict[str, str]:
    """Keys of a dict of settings that a function, or one that it calls, reads or writes."""
    found: dict[str, str] = {}
    for one in reached(tree, program):
        for value in constants_of(one):
            if isinstance(value, str) and value.isidentifier():
                role = role_of(value, ("running_mean", "running_var", "eps", "momentum", "mode"))
                if role and value not in ("m", "e", "stage"):
                    found[value] = role
    return found
