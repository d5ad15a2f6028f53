"""Functions of any course as ours: settings in a dict, statistics as arguments, results in any order."""

import ast
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array, Orientation, flat, graph, tensor, to_numpy
from bncourse.diagnosis.conventions.bundles import Path, follow
from bncourse.diagnosis.conventions.errors import CannotCallError, by_us, described
from bncourse.diagnosis.conventions.file_numbers import FileNumbers, bound
from bncourse.diagnosis.conventions.imports import NotHereError
from bncourse.diagnosis.conventions.outcomes import USUAL_MOMENTUM, Outcome, Values
from bncourse.diagnosis.conventions.reach import uses_torch
from bncourse.diagnosis.conventions.results import STATED, by_name, cache_at, follower, of_size, ways_to
from bncourse.diagnosis.conventions.settings import has_own_momentum, keys_of
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.unbundled import Unbundled

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
        self.keys = keys_of(self.tree, self.program)

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
    def numbers(self) -> FileNumbers:
        """What it reads around itself."""
        return FileNumbers(self.tree, self.program)

    @property
    def global_eps(self) -> str | None:
        """Name of a global eps that it reads."""
        return None if self.signature.has("eps") else self.numbers.eps

    def numbers_of_the_file(self, values: Values, *others: FileNumbers) -> contextlib.AbstractContextManager[None]:
        """Set a global eps and a global number of samples for a while, also for the other functions that read them."""
        changed: dict[str, Any] = {self.global_eps: values.eps} if self.global_eps else {}
        for one in (self.numbers, *others):
            changed |= dict.fromkeys(one.counts, len(values.x))
        return bound(self.program.namespace, changed)

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
        return has_own_momentum(self.tree, self.program, self.keys)

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
            self.cache_at = cache_at(self.tree, rest)
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
        found = by_name(self.tree, rest) or of_size(rest, size)
        return found if found or self._moves_in_place(given) else self._moved_by_the_old(ways_to(rest, size), given)

    def _moves_in_place(self, given: dict[str, Any]) -> bool:
        """Whether the arrays that it was given hold other numbers now than before the call."""
        return any(not np.array_equal(to_numpy(given[role]), self.before[role]) for role in STATED)

    def _moved_by_the_old(self, ways: list[Path], given: dict[str, Any]) -> list[Path]:
        """Which of several results are the moved mean and variance: each follows its old value."""
        for role in STATED:
            if role not in self.moved_at:
                self.moved_at[role] = follower(ways, given, role, self._called)
        found = [self.moved_at[role] for role in STATED]
        return found if all(found) and found[0] != found[1] else []
