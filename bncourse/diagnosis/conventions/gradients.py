"""A backward pass that is a function, called as ours; and the gradient of a forward pass in PyTorch."""

import ast
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array, Orientation, as_vector, tensor, the_torch, to_numpy
from bncourse.diagnosis.conventions.bundles import Path, follow
from bncourse.diagnosis.conventions.errors import CannotCallError, by_us
from bncourse.diagnosis.conventions.file_numbers import FileNumbers
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.names import gradient_of, role_of
from bncourse.diagnosis.conventions.outcomes import Outcome
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.surroundings import OfSurroundings
from bncourse.diagnosis.conventions.syntax import names_in, returned_names
from bncourse.diagnosis.conventions.unbundled import Unbundled


@dataclass
class Backward:
    """A backward pass that is a function, for the outcome of a forward pass."""

    name: str
    function: Callable[..., Any]
    tree: ast.FunctionDef
    forward: Forward
    by_names: bool = True
    """Whether gradients are put in order by the names in the return statement."""
    may_give_dx_alone: bool = False
    """Whether another backward pass of the file gives the gradients of gamma and beta."""
    written: set[str] = field(default_factory=set)
    """Arguments that a call has changed in place."""
    places: list[Path] = field(default_factory=list)
    """Where dx, dgamma and dbeta stood in what came back last."""
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

    @cached_property
    def numbers(self) -> FileNumbers:
        """What it reads around itself."""
        return FileNumbers(self.tree, self.program)

    @by_us
    def __call__(self, dy: Array, outcome: Outcome) -> Any:
        """Return (dx, dgamma, dbeta) in our layout."""
        lay = self.forward.orientation
        held = self.forward.of_bundles.held if self.forward.of_bundles is not None else {}
        shared = [one.name for one in self.signature.parameters if "running_mean" in held.get(one.name, {}).values()]
        bundle = self._bundle(outcome)
        if shared and bundle is None and not isinstance(self.function, Unbundled):
            raise CannotCallError(f"it takes {shared[0]} as the forward pass leaves it, with what that keeps in it")
        upstream: Any = np.array(lay.x(dy))
        if self.forward.torch:
            upstream = tensor(upstream).detach()
        given: dict[str, Any] = {"dy": upstream, "cache": outcome.rest}
        if bundle is not None:
            name, given["cache"] = bundle
            self.signature.roles[name] = "cache"
        elif not self.signature.has("cache") or self._asks_for_more():
            given |= self._by_name(outcome)
        if isinstance(self.forward.function, OfSurroundings):
            self.forward.run(outcome.values)  # it leaves around itself what the backward pass reads
        with self.forward.numbers_of_the_file(outcome.values, self.numbers):
            result = to_numpy(self._called(given, outcome))
        if not np.array_equal(to_numpy(upstream), lay.x(dy)):
            self.written.add("dy")
        if bundle is not None and isinstance(result, np.ndarray):
            holds = bundle[1] if isinstance(bundle[1], dict) else getattr(bundle[1], "__dict__", {})
            left = {gradient_of(str(name)): to_numpy(value) for name, value in holds.items()}
            if {"gamma", "beta"} <= left.keys():
                return lay.back(result), as_vector(left["gamma"]), as_vector(left["beta"])
        if self.may_give_dx_alone and isinstance(result, np.ndarray):
            return self._with_the_others(lay.back(result), dy, outcome)
        return self._ordered(result, lay)

    def _with_the_others(self, dx: Array, dy: Array, outcome: Outcome) -> Any:
        """The dx that it gives, and beside it what the forward pass says of gamma and beta."""
        values, axes = outcome.values, (0, *range(2, dy.ndim))
        gamma, beta = (Orientation(vector="wide").gamma(one, dy.ndim) for one in (values.gamma, values.beta))
        return dx, (dy * (outcome.y - beta) / gamma).sum(axis=axes), dy.sum(axis=axes)

    def _bundle(self, outcome: Outcome) -> tuple[str, Any] | None:
        """The object that holds the parameters, where both passes are given it and the forward pass returns y alone."""
        bundles = self.forward.of_bundles
        beside = outcome.rest
        if bundles is None or not (beside is None or (isinstance(beside, list) and not beside)):
            return None
        names = [one.name for one in self.signature.parameters if self.signature.roles.get(one.name) != "dy"]
        if len(names) != 1 or names[0] not in bundles.made:
            return None
        self.forward.run(outcome.values)  # it leaves in the object what the backward pass reads
        return names[0], bundles.last[names[0]]

    def _asks_for_more(self) -> bool:
        """Whether it needs something by name beside the cache."""
        roles = {name: role for name, role in self.signature.roles.items() if not role.startswith("=")}
        return any(one.default is one.empty and one.name not in roles for one in self.signature.parameters)

    def _called(self, given: dict[str, Any], outcome: Outcome) -> Any:
        """Call it with the cache; with everything that came back where it cannot unpack that."""
        try:
            return self.signature.call(self.function, given)
        except (TypeError, ValueError, IndexError) as first:
            beside = outcome.rest if outcome.whole is None else outcome.whole
            if not isinstance(beside, list) or not self.signature.has("cache"):
                raise
            packed = [one for one in beside if isinstance(one, (tuple, list, dict))]
            for everything in (beside, [self.forward.orientation.x(outcome.y), *beside], *packed):
                with contextlib.suppress(TypeError, ValueError, IndexError):
                    return self.signature.call(self.function, {**given, "cache": everything})
            raise first

    def _by_name(self, outcome: Outcome) -> dict[str, Any]:
        """What a backward pass asks for by name in the place of a cache."""
        values, lay, ndim = outcome.values, self.forward.orientation, outcome.values.x.ndim
        beside = outcome.rest if outcome.whole is None else outcome.whole
        rest = beside if isinstance(beside, list) else [beside]
        returned = dict(zip(returned_names(self.forward.tree)[1:], rest, strict=False))
        returned |= {str(key): one for key, one in outcome.rest.items()} if isinstance(outcome.rest, dict) else {}
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

        def given(role: str) -> Any:
            value = known[role]
            return tensor(value).detach() if self.forward.torch and isinstance(value, np.ndarray) else value

        used = names_in(self.tree)
        found = {}
        for one in self.signature.parameters:
            if one.name in self.signature.roles:
                continue
            role = role_of(one.name, tuple(known))
            if one.name in returned:
                value = returned[one.name]
            elif role is not None:
                value = given(role)
            elif one.default is one.empty and one.name not in used:
                value = None
            elif one.default is one.empty:
                raise CannotCallError(f"nothing is known to give for its parameter {one.name}")
            else:
                continue
            self.signature.roles[one.name] = f"={one.name}"
            found[f"={one.name}"] = value
        for name, role in self.signature.roles.items():
            if role.startswith("=") and role not in found:
                found[role] = returned[name] if name in returned else given(role_of(name, tuple(known)) or "x")
        return found

    def order(self) -> list[int]:
        """Where dx, dgamma and dbeta stand in what it returns."""
        parts = [gradient_of(name) for name in returned_names(self.tree)]
        if self.by_names and len(parts) == 3 and {"gamma", "beta"} <= set(parts):
            gamma, beta = parts.index("gamma"), parts.index("beta")
            return [3 - gamma - beta, gamma, beta]
        return [0, 1, 2]

    def _ordered(self, result: Any, lay: Orientation) -> Any:
        self.places = self._places(result)
        if not self.places:
            if isinstance(result, (tuple, list)) and len(result) == 2 and isinstance(result[0], (tuple, list)):
                result = result[0]  # the gradients, and the stages that led to them
            if isinstance(result, (tuple, list)) and len(result) == 2 and isinstance(result[0], np.ndarray):
                return lay.back(result[0]), as_vector(result[1])
            return result
        dx, dgamma, dbeta = (follow(result, place) for place in self.places)
        return lay.back(dx), as_vector(dgamma), as_vector(dbeta)

    def _places(self, result: Any) -> list[Path]:
        """Where dx, dgamma and dbeta stand in what came back: side by side, by name, or those of params together."""
        if isinstance(result, dict) or hasattr(result, "_fields"):
            return _by_part(result, ("x", "gamma", "beta"))
        if not isinstance(result, (tuple, list)):
            return []
        if len(result) == 3:
            return [(position,) for position in self.order()]
        for at, other in ((0, 1), (1, 0)) if len(result) == 2 else ():
            params = _by_part(result[at], ("gamma", "beta"))
            if params and not isinstance(result[other], (tuple, list, dict)):
                return [(other,), *((at, *place) for place in params)]
        inner = self._places(result[0]) if len(result) == 2 else []  # beside them, the stages that led to them
        return [(0, *place) for place in inner]


def _by_part(result: Any, parts: tuple[str, ...]) -> list[Path]:
    """Where the gradients of these stand in a dict, a named tuple or a pair; nothing where it holds others."""
    fields = getattr(result, "_fields", ())
    if isinstance(result, dict) or fields:
        found: dict[str, Path] = {}
        for key in fields or result:
            part = gradient_of(str(key)) or role_of(str(key), ("gamma", "beta")) or "x"
            found[part] = (f".{key}" if fields else key,)
        return (
            [found[part] for part in parts] if set(found) == set(parts) and len(fields or result) == len(parts) else []
        )
    if isinstance(result, (tuple, list)) and len(result) == len(parts) == 2:
        return [(0,), (1,)]
    return []


def autograd(dy: Array, outcome: Outcome, orientation: Orientation) -> Any:
    """Gradients of a forward pass in PyTorch."""
    torch = the_torch()
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
