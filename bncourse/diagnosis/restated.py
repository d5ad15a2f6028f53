"""A student's functions in the conventions of a private assignment in; the same in the book's conventions out.

A private assignment asks for the same functions in other conventions: channels on the first axis, parameters as
columns, a running standard deviation or precision, momentum as the weight of the old value, other stages, results in
another order. Its tests turn the functions round with this, and then check them as they always do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from bncourse.diagnosis.call import kind_of

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]

GRADIENTS = ("dx", "dgamma", "dbeta")
AXES = {"NCHW": (0, 1, 2, 3), "NHWC": (0, 2, 3, 1), "CNHW": (1, 0, 2, 3)}
"""For each order of the axes of feature maps, where the book's axes N, C, H, W are found."""


class RestatedError(ValueError):
    """A result that cannot be what the assignment asks for, in words for the student."""


class Kept(NamedTuple):
    """A student's cache, with the batch that it was made of."""

    cache: Any
    x: Array
    eps: float


class Turned:
    """A function with other arguments and results; what is known of the student's is known of it."""

    def __init__(self, function: Function, way: Function) -> None:
        self.function, self.way = function, way

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the student's function in its conventions."""
        return self.way(*arguments, **options)

    @property
    def mutated_arguments(self) -> Any:
        """What a function that runs elsewhere says of its last call."""
        return getattr(self.function, "mutated_arguments", None)


@dataclass(frozen=True)
class Restated:
    """The conventions of a private assignment.

    Parameters
    ----------
    column : bool
        Whether parameters and statistics have the shape (C, 1); (C,) otherwise.
    maps : {"NCHW", "NHWC", "CNHW"}
        The order of the axes of feature maps.
    spread : {"var", "std", "precision"}
        What is kept, and is a node of the graph, in the place of the variance.
    weighs : {"new", "old"}
        Which value `momentum` weighs.
    cache_first : bool
        Whether a forward pass returns (cache, y).
    gradients : tuple of str
        The order of dx, dgamma and dbeta.
    """

    column: bool = False
    maps: Literal["NCHW", "NHWC", "CNHW"] = "NCHW"
    spread: Literal["var", "std", "precision"] = "var"
    weighs: Literal["new", "old"] = "new"
    cache_first: bool = False
    gradients: tuple[str, ...] = GRADIENTS

    def forward(self, function: Function) -> Turned:
        """`batch_norm_forward`, of a batch with channels in rows."""

        def way(x: Array, gamma: Array, beta: Array, **options: Any) -> Any:
            y, cache = self._y_and_cache(function(x.T, self._in(gamma), self._in(beta), **options))
            return np.asarray(y).T, Kept(cache, x, options.get("eps", 1e-5))

        return Turned(function, way)

    def conv(self, function: Function) -> Turned:
        """The same for feature maps."""

        def way(x: Array, gamma: Array, beta: Array, **options: Any) -> Any:
            result = function(self._maps_in(x), self._in(gamma), self._in(beta), **options)
            y, cache = self._y_and_cache(result)
            return self._maps_out(y), Kept(cache, x, options.get("eps", 1e-5))

        return Turned(function, way)

    def identity(self, function: Function) -> Turned:
        """`identity_parameters`."""

        def way(x: Array, **options: Any) -> Any:
            gamma, beta = _parts(function(x.T, **options), 2)
            return self._out(gamma, "gamma"), self._out(beta, "beta")

        return Turned(function, way)

    def running(self, function: Function) -> Turned:
        """`update_running`."""

        def way(running_mean: Array, running_var: Array, x: Array, **options: Any) -> Any:
            if "momentum" in options and self.weighs == "old":
                options["momentum"] = 1 - options["momentum"]
            kept = self._in(self.spread_of(running_var))
            mean, spread = _parts(function(self._in(running_mean), kept, x.T, **options), 2)
            return self._out(mean, "running_mean"), self.var_of(self._out(spread, f"running_{self.spread}"))

        return Turned(function, way)

    def start(self, function: Function) -> Turned:
        """`weight_of_the_start`."""
        return Turned(function, lambda k, momentum: function(k, 1 - momentum if self.weighs == "old" else momentum))

    def inference(self, function: Function) -> Turned:
        """`batch_norm_inference` with what is kept."""

        def way(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, **options: Any) -> Any:
            statistics = (self._in(each) for each in (gamma, beta, mean, self.spread_of(var)))
            return np.asarray(function(x.T, *statistics, **options)).T

        return Turned(function, way)

    def given_inference(self, function: Function) -> Turned:
        """The one that the assignment gives: it returns a cache too, and takes a variance."""

        def way(x: Array, *statistics: Array, **options: Any) -> Any:
            y, cache = function(x.T, *map(self._in, statistics), **options)
            return np.asarray(y).T, Kept(cache, x, options.get("eps", 1e-5))

        return Turned(function, way)

    def linear(self, function: Function) -> Turned:
        """`linear_then_norm`."""

        def way(u: Array, weight: Array, *parameters: Array) -> Any:
            return np.asarray(function(u.T, weight.T, *map(self._in, parameters))).T

        return Turned(function, way)

    def backward(self, function: Function) -> Turned:
        """`batch_norm_backward`, and that of inference."""

        def way(dy: Array, kept: Kept) -> Any:
            return self._gradients(function(dy.T, kept.cache), lambda dx: np.asarray(dx).T)

        return Turned(function, way)

    def conv_backward(self, function: Function) -> Turned:
        """The same for feature maps."""

        def way(dy: Array, kept: Kept) -> Any:
            return self._gradients(function(self._maps_in(dy), kept.cache), self._maps_out)

        return Turned(function, way)

    def staged(self, function: Function) -> Turned:
        """`batch_norm_backward_staged`."""

        def way(dy: Array, kept: Kept) -> Any:
            gradients, stages = _parts(function(dy.T, kept.cache), 2)
            if not isinstance(stages, dict):
                raise RestatedError(f"stages should be a dictionary, but is of type {kind_of(stages)}.")
            return self._gradients(gradients, lambda dx: np.asarray(dx).T), self._stages(stages, kept)

        return Turned(function, way)

    def second_part(self, function: Function) -> Turned:
        """`dmean_through_var`."""
        return Turned(function, lambda x, center, dvar: function(x.T, center, dvar))

    def machines(self, function: Function) -> Turned:
        """`two_machines`."""
        return Turned(function, lambda: tuple(np.asarray(part, dtype=float).T for part in function()))

    def _in(self, values: Array) -> Array:
        return np.asarray(values)[:, None] if self.column else values

    def _out(self, values: Any, name: str) -> Any:
        read = np.asarray(values)
        if not self.column:
            return values
        if read.ndim != 2 or read.shape[1] != 1:
            raise RestatedError(f"{name} has shape {read.shape}. Expected (C, 1), as gamma has.")
        return read[:, 0]

    def _maps_in(self, maps: Array) -> Array:
        return np.ascontiguousarray(np.transpose(maps, AXES[self.maps]))

    def _maps_out(self, maps: Any) -> Array:
        read = np.asarray(maps)
        if read.ndim != 4:
            raise RestatedError(f"Feature maps came back with shape {read.shape}. Expected {', '.join(self.maps)}.")
        return np.transpose(read, np.argsort(AXES[self.maps]))

    def _y_and_cache(self, result: Any) -> tuple[Any, Any]:
        first, second = _parts(result, 2)
        return (second, first) if self.cache_first else (first, second)

    def _gradients(self, result: Any, turned: Function) -> tuple[Any, Any, Any]:
        given = isinstance(result, Mapping) and set(result) == set(GRADIENTS)
        named = result if given else dict(zip(self.gradients, _parts(result, 3), strict=True))
        return turned(named["dx"]), self._out(named["dgamma"], "dgamma"), self._out(named["dbeta"], "dbeta")

    def spread_of(self, var: Array) -> Array:
        """What is kept of a variance."""
        with np.errstate(divide="ignore"):
            if self.spread == "std":
                return np.asarray(np.sqrt(var))
            return np.asarray(1 / np.asarray(var)) if self.spread == "precision" else var

    def var_of(self, spread: Any) -> Any:
        """The variance of what is kept."""
        read = np.asarray(spread, dtype=float)
        with np.errstate(divide="ignore"):
            if self.spread == "std":
                return read**2
            return 1 / read if self.spread == "precision" else spread

    def _stages(self, stages: dict[str, Any], kept: Kept) -> dict[str, Any]:
        """The stages of the book's graph, from those of a graph with another node for the spread."""
        names = (f"d{self.spread}", "dmean_direct", f"dmean_through_{self.spread}", f"dx_through_{self.spread}")
        missing = [name for name in names if name not in stages]
        if missing:
            raise RestatedError(f"stages has no {missing[0]!r}.")
        root = np.sqrt(kept.x.var(axis=0) + kept.eps)
        by_var = {"var": 1.0, "std": 1 / (2 * root), "precision": -(root**-4)}[self.spread]
        turned = dict[str, Any]()
        for name, value in stages.items():
            read = np.asarray(value).T
            one_a_channel = read.ndim == 2 and read.shape[0] == 1 and not name.startswith("dx")
            turned[name.replace(self.spread, "var")] = read[0] if one_a_channel else read
        turned["dvar"] = turned["dvar"] * by_var
        turned.setdefault("dmean", turned["dmean_direct"] + turned["dmean_through_var"])
        return turned


def reordered(function: Function, published: Sequence[str], own: Sequence[str]) -> Function:
    """A function whose positional arguments stand in an order of their own, as one that takes the published order.

    Parameters
    ----------
    function : callable
    published, own : sequence of str
        The names of the positional arguments, in either order.
    """

    def asked(*inputs: Any, **named: Any) -> Any:
        if len(inputs) < len(published):
            return function(**dict(zip(published, inputs, strict=False)), **named)
        by_name = dict(zip(published, inputs, strict=False))
        return function(*(by_name[name] for name in own), *inputs[len(published) :], **named)

    return asked


def _parts(result: Any, count: int) -> tuple[Any, ...]:
    if not isinstance(result, tuple | list) or len(result) != count:
        told = f"{len(result)} values" if isinstance(result, tuple | list) else f"one {kind_of(result)}"
        raise RestatedError(f"Your function returned {told}. Expected {count}, in the order that the task says.")
    return tuple(result)
