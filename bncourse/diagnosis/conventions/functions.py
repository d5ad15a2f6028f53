"""Functions of any course as ours: settings in a dict, statistics as arguments, results in any order."""

import ast
import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.calls import (
    Array,
    CannotCallError,
    Orientation,
    Signature,
    by_us,
    constants_of,
    modules_of,
    returned_names,
    tensor,
    to_numpy,
    word,
)
from bncourse.diagnosis.conventions.names import gradient_of, plain, role_of
from bncourse.diagnosis.conventions.source import Program

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
    """Everything that came back beside y, as the student's backward pass expects it."""
    statistics: dict[str, Any] = field(default_factory=dict)
    graph: Any = None
    """For PyTorch: y as a tensor, and the leaves it was computed from."""
    layer: Any = None
    """For a class: the instance."""


@dataclass
class Forward:
    """A forward pass that is a function."""

    name: str
    function: Callable[..., Any]
    tree: ast.FunctionDef | ast.ClassDef
    program: Program
    kind: str
    orientation: Orientation = field(default_factory=Orientation)
    signature: Signature = field(init=False)
    torch: bool = field(init=False)

    def __post_init__(self) -> None:
        """Read the signature."""
        self.signature = Signature(self.function, AMONG, positional=3)
        self.torch = "torch" in modules_of(self.tree, self.program)
        self.keys = _keys(self.tree, self.program)

    def turned(self, orientation: Orientation) -> "Forward":
        """Return the same function, called in another layout."""
        return replace(self, orientation=orientation)

    def has_modes(self, values: Values) -> bool:
        """Whether it is told if it trains."""
        if self.signature.has("settings"):
            return "mode" in self.keys.values()
        return any(self.signature.has(role) for role in ("train", "eval", "mode")) or (
            self.torch and "is_grad_enabled" in ast.dump(self.tree)
        )

    def keeps_statistics(self, values: Values) -> bool:
        """Whether it moves running statistics."""
        if self.signature.has("settings"):
            return "running_mean" in self.keys.values() and "running_var" in self.keys.values()
        return self.signature.has("running_mean") and self.signature.has("running_var")

    @cached_property
    def global_eps(self) -> str | None:
        """Name of a global eps that it reads."""
        used = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        here = self.program.namespace
        names = [
            name for name in used if plain(name) in ("eps", "epsilon", "bneps") and isinstance(here.get(name), float)
        ]
        return names[0] if names and not self.signature.has("eps") else None

    @contextlib.contextmanager
    def eps_of_the_file(self, eps: float) -> Iterator[None]:
        """Give a global eps this value for a while, where it reads one; its backward pass reads the same."""
        name, namespace = self.global_eps, self.program.namespace
        if name is None:
            yield
            return
        before, namespace[name] = namespace[name], eps
        try:
            yield
        finally:
            namespace[name] = before

    def takes(self, role: str, values: Values) -> bool:
        """Whether eps, or the momentum, can be given."""
        if self.signature.has(role) or (role == "eps" and self.global_eps is not None):
            return True
        return self.signature.has("settings") and role in self.keys.values()

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
        arrays = {name: np.array(array) for name, array in arrays.items()}
        given: dict[str, Any] = dict(arrays)
        if self.torch:
            given |= {name: tensor(array) for name, array in arrays.items()}
        leaves = [given[name] for name in ("x", "gamma", "beta")]
        statistics = {}
        for name in ("running_mean", "running_var"):
            array = getattr(values, name)
            if array is None:
                array = np.zeros(len(values.gamma)) if name == "running_mean" else np.ones(len(values.gamma))
            array = np.array(lay.gamma(array, ndim))
            statistics[name] = tensor(array).detach() if self.torch else array
        given |= statistics
        given["eps"], given["momentum"] = values.eps, values.momentum if values.momentum is not None else 0.9
        given["train"], given["eval"], given["groups"] = values.train, not values.train, values.groups
        default = self.signature.default("mode")
        given["mode"] = values.train if isinstance(default, bool) else word(self.tree, train=values.train)
        settings = self._settings(given, values)
        given["settings"] = settings
        graph_off = sys.modules["torch"].no_grad() if self.torch and not values.train else contextlib.nullcontext()
        with self.eps_of_the_file(values.eps), graph_off:
            result = self.signature.call(self.function, given)
        if self.signature.has("settings"):
            statistics = {
                role: settings[key] for key, role in self.keys.items() if role in statistics and key in settings
            }
        y, rest = result, None
        if isinstance(result, (tuple, list)) and len(result) > 1:
            y, rest = result[0], list(result[1:])
            statistics |= self._returned(rest, statistics)
            rest = rest[0] if len(rest) == 1 else rest
        graph = (y, leaves) if self.torch and hasattr(y, "grad_fn") else None
        moved = {role: _vector(to_numpy(value)) for role, value in statistics.items()}
        return Outcome(self._y(y), values, rest, moved, graph)

    def _y(self, y: Any) -> Any:
        return self.orientation.back(to_numpy(y))

    def _settings(self, given: dict[str, Any], values: Values) -> dict[str, Any]:
        found: dict[str, Any] = {"mode": given["mode"], "eps": given["eps"], "momentum": given["momentum"]}
        roles = ("mode", "eps", "momentum", "running_mean", "running_var")
        if values.running_mean is not None:
            found |= {name: given[name] for name in ("running_mean", "running_var")}
        for key, role in self.keys.items():
            if role in roles and (not role.startswith("running") or values.running_mean is not None):
                found[key] = given[role]
        return found

    def _returned(self, rest: list[Any], statistics: dict[str, Any]) -> dict[str, Any]:
        """Take running statistics out of what came back beside y, where they are arguments."""
        if not (self.signature.has("running_mean") and self.signature.has("running_var")):
            return {}
        names = returned_names(self.tree)[1:]
        size = np.size(to_numpy(next(iter(statistics.values()))))
        fits = [position for position, one in enumerate(rest) if _size(one) == size]
        if len(names) == len(rest):
            named = {role_of(name, ("running_mean", "running_var")): position for position, name in enumerate(names)}
            if {"running_mean", "running_var"} <= named.keys():
                found = {role: rest[named[role]] for role in ("running_mean", "running_var")}
                rest[:] = [
                    one
                    for position, one in enumerate(rest)
                    if position not in named.values() or position not in (named["running_mean"], named["running_var"])
                ]
                return found
        if len(fits) == 2:
            found = {"running_mean": rest[fits[0]], "running_var": rest[fits[1]]}
            rest[:] = [one for position, one in enumerate(rest) if position not in fits]
            return found
        return {}


def _size(value: Any) -> int:
    try:
        return int(np.size(to_numpy(value))) if not isinstance(value, (tuple, list, dict)) else -1
    except Exception:
        return -1


def _vector(value: Any) -> Any:
    return value.reshape(-1) if isinstance(value, np.ndarray) else value


def _keys(tree: ast.AST, program: Program) -> dict[str, str]:
    """Keys of a dict of settings that a function, or one that it calls, reads or writes."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        for value in constants_of(one):
            if isinstance(value, str) and value.isidentifier():
                role = role_of(value, ("running_mean", "running_var", "eps", "momentum", "mode"))
                if role and value not in ("m", "e", "stage"):
                    found[value] = role
        for node in ast.walk(one):
            if isinstance(node, ast.Name) and node.id in program.trees and node.id not in seen:
                seen.add(node.id)
                waiting.append(program.trees[node.id])
    return found


@dataclass
class Backward:
    """A backward pass that is a function, for the outcome of a forward pass."""

    name: str
    function: Callable[..., Any]
    tree: ast.FunctionDef
    forward: Forward
    by_names: bool = True
    """Whether gradients are put in order by the names in the return statement."""
    signature: Signature = field(init=False)

    def __post_init__(self) -> None:
        """Read the signature."""
        self.signature = Signature(self.function, ("dy", "cache"))
        names = [one.name for one in self.signature.parameters]
        if not self.signature.has("dy") and names:
            self.signature.roles[names[0]] = "dy"
        if not self.signature.has("cache") and len(names) > 1:
            rest = [name for name in names if name not in self.signature.roles]
            if len(rest) == 1:
                self.signature.roles[rest[0]] = "cache"

    @property
    def program(self) -> Program:
        """The file that it stands in."""
        return self.forward.program

    @by_us
    def __call__(self, dy: Array, outcome: Outcome) -> Any:
        """Return (dx, dgamma, dbeta) in our layout."""
        lay = self.forward.orientation
        upstream: Any = np.array(lay.x(dy))
        if self.forward.torch:
            upstream = tensor(upstream).detach()
        given: dict[str, Any] = {"dy": upstream, "cache": outcome.rest}
        if not self.signature.has("cache"):
            given |= self._by_name(outcome)
        with self.forward.eps_of_the_file(outcome.values.eps):
            result = to_numpy(self.signature.call(self.function, given))
        return self._ordered(result, lay)

    def _by_name(self, outcome: Outcome) -> dict[str, Any]:
        """What a backward pass asks for by name in the place of a cache."""
        values, lay, ndim = outcome.values, self.forward.orientation, outcome.values.x.ndim
        rest = outcome.rest if isinstance(outcome.rest, list) else [outcome.rest]
        returned = dict(zip(returned_names(self.forward.tree)[1:], rest, strict=False))
        axes = (0, *range(2, ndim))
        mean, var = values.x.mean(axis=axes), values.x.var(axis=axes)
        std = np.sqrt(var + values.eps)
        centered = values.x - mean.reshape(1, -1, *[1] * (ndim - 2))
        known: dict[str, Any] = {
            "x": lay.x(values.x),
            "gamma": lay.gamma(values.gamma, ndim),
            "beta": lay.gamma(values.beta, ndim),
            "eps": values.eps,
            "mean": lay.gamma(mean, ndim),
            "var": lay.gamma(var, ndim),
            "std": lay.gamma(std, ndim),
            "inv_std": lay.gamma(1 / std, ndim),
            "centered": lay.x(centered),
            "x_hat": lay.x(centered / std.reshape(1, -1, *[1] * (ndim - 2))),
        }
        found = {}
        for one in self.signature.parameters:
            if one.name in self.signature.roles:
                continue
            role = role_of(one.name, tuple(known))
            if one.name in returned:
                value = returned[one.name]
            elif role is not None:
                value = known[role]
            elif one.default is one.empty:
                raise CannotCallError(f"nothing is known to give for its parameter {one.name}")
            else:
                continue
            self.signature.roles[one.name] = f"={one.name}"
            found[f"={one.name}"] = value
        for name, role in self.signature.roles.items():
            if role.startswith("=") and role not in found:
                found[role] = returned[name] if name in returned else known[role_of(name, tuple(known)) or "x"]
        return found

    def _ordered(self, result: Any, lay: Orientation) -> Any:
        if isinstance(result, dict):
            named: dict[str, Any] = {}
            for key, value in result.items():
                part = gradient_of(str(key)) or role_of(str(key), ("gamma", "beta"))
                named[f"d{part}" if part else "dx"] = value
            if set(named) == {"dx", "dgamma", "dbeta"}:
                result = (named["dx"], named["dgamma"], named["dbeta"])
        if isinstance(result, (tuple, list)) and len(result) == 2 and isinstance(result[0], np.ndarray):
            return lay.back(result[0]), _vector_like(result[1])
        if not isinstance(result, (tuple, list)) or len(result) != 3:
            return result
        parts = [gradient_of(name) for name in returned_names(self.tree)]
        order = [0, 1, 2]
        if self.by_names and len(parts) == 3 and {"gamma", "beta"} <= set(parts):
            gamma, beta = parts.index("gamma"), parts.index("beta")
            order = [3 - gamma - beta, gamma, beta]
        dx, dgamma, dbeta = (result[position] for position in order)
        return lay.back(dx) if isinstance(dx, np.ndarray) else dx, _vector_like(dgamma), _vector_like(dbeta)


def _vector_like(value: Any) -> Any:
    """(1, C), (C, 1) and (1, C, 1, 1) as (C,); anything else as it is."""
    if isinstance(value, np.ndarray) and value.ndim > 1 and max(value.shape) == value.size:
        return value.reshape(-1)
    return value


def autograd(dy: Array, outcome: Outcome, orientation: Orientation) -> Any:
    """Gradients of a forward pass in PyTorch."""
    torch = sys.modules["torch"]
    if outcome.graph is None:
        return tuple(np.zeros_like(one) for one in (outcome.values.x, outcome.values.gamma, outcome.values.beta))
    y, leaves = outcome.graph
    upstream = torch.tensor(orientation.x(dy))
    try:
        found = torch.autograd.grad(y, leaves, upstream, allow_unused=True, retain_graph=True)
    except RuntimeError as error:
        raise CannotCallError(f"PyTorch cannot differentiate it: {str(error).splitlines()[0]}") from error
    filled = [
        np.zeros(tuple(leaf.shape)) if one is None else one.numpy() for one, leaf in zip(found, leaves, strict=True)
    ]
    return orientation.back(filled[0]), filled[1].reshape(-1), filled[2].reshape(-1)
