"""Classes of any course as functions: parameters, statistics and gradients are attributes, by their names."""

import ast
import contextlib
import inspect
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array, Orientation, array_of, as_vector, flat, graph, tensor, to_numpy
from bncourse.diagnosis.conventions.class_text import attributes, averaged, of_gamma
from bncourse.diagnosis.conventions.engine import engine_of, leaf
from bncourse.diagnosis.conventions.engine import gradients as gradients_by_engine
from bncourse.diagnosis.conventions.errors import CannotCallError, by_us, quiet
from bncourse.diagnosis.conventions.functions import USUAL_MOMENTUM, Outcome, Values
from bncourse.diagnosis.conventions.names import BACKWARD as BACKWARD_WORD
from bncourse.diagnosis.conventions.names import gradient_of, role_of
from bncourse.diagnosis.conventions.reach import uses_torch
from bncourse.diagnosis.conventions.scalars import Engine, OfScalars, layer_of_arrays
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.slots import STATE, Slot, find, gradients, slots, write
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.syntax import word

MADE_WITH = ("running_mean", "running_var", "eps", "dims", "features", "gamma", "beta", "momentum", "groups")
RUNNING = re.compile(r"(running|moving|ema|avg|average|stats|state|pop)\w*\.", re.I)
"""Names of dicts that hold running statistics under names that say no more than mean and var."""
FORWARD = ("forward", "__call__", "call", "fprop", "forward_pass", "fwd")
BACKWARD = ("backward", "bprop", "backward_pass", "bwd", "backprop", "grad")


@dataclass
class Layer:
    """A class with a forward pass, and perhaps a backward pass."""

    name: str
    made: type
    tree: ast.ClassDef
    program: Program
    kind: str
    orientation: Orientation = field(default_factory=Orientation)
    written: set[str] = field(default_factory=set)
    """Arguments that a call has changed in place."""
    torch: bool = field(init=False)
    text: str = field(init=False, repr=False)
    """Everything that is written in it and in the classes of the file that it inherits from."""

    def __post_init__(self) -> None:
        """See what it is made of."""
        bases = {base.__module__.split(".")[0] for base in self.made.__mro__}
        self.torch = "torch" in bases or uses_torch(self.tree, self.program)
        self.module = "torch" in bases
        self.trees = [
            self.program.trees[one.__name__] for one in self.made.__mro__ if one.__name__ in self.program.trees
        ]
        self.made = layer_of_arrays(self) or self.made
        self.text = " ".join(ast.dump(tree) for tree in self.trees)
        self.attributes, self.averaged = attributes(self.trees), averaged(self.trees)

    def find(self, layer: Any, role: str) -> Slot | None:
        """Find the place of a parameter or a statistic; Flax, and buffers of modules, may call them mean and var."""
        flax = "use_running_average" in self.text or "batch_stats" in self.text
        slot = find(layer, role)
        if slot is None and role.startswith("running"):
            slot = find(layer, f"plain {role}")
            if slot is not None and not flax and not (self.module and slot.path.startswith("_buffers.")):
                return slot if slot.key in self.averaged or RUNNING.match(slot.path) else None
        return slot

    @cached_property
    def switches(self) -> dict[str, type]:
        """What other classes of the file say of the mode for all, as `Tensor.training` in tinygrad."""
        others = (self.program.namespace.get(name) for name in self.program.trees)
        return {
            name: other
            for other in others
            if isinstance(other, type) and other not in self.made.__mro__
            for name, value in vars(other).items()
            if isinstance(value, bool) and role_of(name, ("train", "eval")) and name in self.attributes
        }

    @property
    def forward_name(self) -> str:
        """Name of its forward pass."""
        own = [name for name in FORWARD if any(name in vars(one) for one in self.made.__mro__ if self._own(one))]
        if not own and (method := of_gamma(self.trees, lambda name: not BACKWARD_WORD.search(name))):
            return method
        if not own:
            raise CannotCallError("it has no method forward")
        if own[0] == "__call__" and "call" in own and _takes_anything(self.made):
            return "call"  # what a base class hands on
        return own[0]

    @property
    def backward_name(self) -> str | None:
        """Name of its backward pass, where it has one."""
        named = (name for name in BACKWARD if any(name in vars(one) for one in self.made.__mro__ if self._own(one)))
        return next(named, None) or of_gamma(self.trees, lambda name: name != self.forward_name, gradient=True)

    def _own(self, one: type) -> bool:
        return one is not object and not one.__module__.startswith("torch")

    def signature(self, layer: Any) -> Signature:
        """Parameters of its forward pass."""
        among = ("train", "eval", "mode", "running_mean", "running_var", "x", "gamma", "beta", "eps", "momentum")
        return Signature(getattr(layer, self.forward_name), among, positional=1)

    def has_modes(self, values: Values) -> bool:
        """Whether it is told if it trains."""
        layer = self.make(values)
        known = self.signature(layer)
        held = (name for name in (*vars(layer), *_flags(self.made), *self.switches) if name in self.attributes)
        flags = [name for name in held if role_of(name, ("train", "eval", "mode"))]
        told = any(known.has(role) for role in ("train", "eval", "mode"))
        return self.module or told or bool(flags) or "retain_derived" in self.text

    def takes(self, role: str, values: Values) -> bool:
        """Whether eps, or the momentum, can be set."""
        layer = self.make(values)
        if (
            self.find(layer, role) is not None
            or Signature(self.made, MADE_WITH).has(role)
            or self.signature(layer).has(role)
        ):
            return True
        return any(isinstance(value, float) and role_of(name, (role,)) for name, value in vars(self.made).items())

    @by_us
    def make(self, values: Values) -> Any:
        """Make a layer with these parameters and statistics, ready to be called."""
        layer = self._construct(values, len(values.gamma))
        return self.filled(layer, values)

    def filled(self, layer: Any, values: Values) -> Any:
        """Give a layer these parameters and statistics, and set its mode."""
        lay, ndim = self.orientation, values.x.ndim
        if self.module:
            layer.double()
        if self._is_lazy(layer):
            with quiet():
                self._warm_up(layer, values)
        statistics = {"running_mean": values.running_mean, "running_var": values.running_var}
        for role in STATE:
            vector = statistics.get(role, getattr(values, role))
            slot = self.find(layer, role)
            if slot is not None and vector is not None:
                write(slot, vector, ndim, lay)
        for role in ("eps", "momentum"):
            slot, number = self.find(layer, role), getattr(values, role)
            if number is None:
                continue
            if slot is not None:
                slot.holder[slot.key] = number
            else:
                for name, value in vars(self.made).items():
                    if isinstance(value, float) and role_of(name, (role,)):
                        setattr(layer, name, number)
        for name in _flags(self.made):
            vars(layer).setdefault(name, getattr(self.made, name))
        self.set_mode(layer, train=values.train)
        if not self.module:
            for name in _flags(self.made):  # what asks the class for its mode hears the same
                setattr(self.made, name, vars(layer)[name])
        return layer

    def constructor(self) -> Signature:
        """Parameters that one is made with; a first one of no other use is the number of features."""
        signature = Signature(self.made, MADE_WITH)
        for one in signature.parameters:  # bias=True asks whether there is one
            if isinstance(one.default, bool) and signature.roles.get(one.name) in ("gamma", "beta"):
                del signature.roles[one.name]
        needed = [one.name for one in signature.parameters if one.default is one.empty]
        for name in needed:
            statistic = role_of(name, ("mean", "var")) if name not in signature.roles else None
            if statistic is not None and not signature.has(f"running_{statistic}"):
                signature.roles[name] = f"running_{statistic}"
        unknown = [name for name in needed if name not in signature.roles or name == "m"]
        if unknown and not signature.has("features"):
            signature.roles[unknown[0]] = "features"
        return signature

    @by_us
    def made_new(self, values: Values) -> Any:
        """Make a layer as its own constructor does, and let its `build` make the rest."""
        layer = self._construct(values, len(values.gamma))
        if hasattr(layer, "build") and not self.module:
            with quiet():
                layer.build(self.orientation.x(values.x).shape)
        return layer

    def is_lazy(self, values: Values) -> bool:
        """Whether only a first batch makes its parameters."""
        return self._is_lazy(self._construct(values, len(values.gamma)))

    def _construct(self, values: Values, channels: int) -> Any:
        signature = self.constructor()
        vectors = {name: np.array(getattr(values, name)) for name in ("gamma", "beta")}
        lay = self.orientation
        given: dict[str, Any] = {name: lay.gamma(vector, values.x.ndim) for name, vector in vectors.items()}
        given |= {"eps": values.eps, "dims": values.x.ndim, "groups": values.groups}
        momentum = signature.name("momentum")
        needs = any(one.name == momentum and one.default is one.empty for one in signature.parameters)
        if values.momentum is not None or needs:
            given["momentum"] = USUAL_MOMENTUM if values.momentum is None else values.momentum
        for one in signature.parameters:
            role = signature.roles.get(one.name)
            if role in STATE[:2] and one.default is one.empty:
                given[role] = (np.zeros if role == "running_mean" else np.ones)(channels)
        shape = lay.x(values.x).shape
        problem: Exception | None = None
        for features in (channels, (channels,), shape, shape[1:], (1, channels)):
            try:
                by_position, by_name = signature.arguments({**given, "features": features})
                with quiet():
                    return self.made(*by_position, **by_name)
            except CannotCallError:
                raise
            except Exception as error:
                problem = problem or error
                if not signature.has("features"):
                    break
        raise CannotCallError(f"making one raised {type(problem).__name__}: {problem}") from problem

    def _is_lazy(self, layer: Any) -> bool:
        slot = self.find(layer, "gamma")
        written = any(gradient_of(name) is None and role_of(name, ("gamma",)) for name in self.attributes)
        begun = self.find(layer, "running_mean")
        if begun is not None and begun.value is None and not self.module:  # the first batch starts the statistics
            return True
        return (slot is None or slot.value is None) and (written or "parameters" in self.text)

    def _warm_up(self, layer: Any, values: Values) -> None:
        """Call it once, or its `build`, where only a first batch makes its parameters."""
        x = np.array(self.orientation.x(values.x))
        builds = hasattr(layer, "build") and not self.module
        if not builds or self.forward_name == "__call__":  # which may build it, and remember that under any name
            with contextlib.suppress(*([AttributeError, TypeError] if builds else [])):
                self._call_once(layer, x, values)
                return
        layer.build(x.shape)
        if getattr(layer, "built", None) is False:  # else the first call builds it once more
            layer.built = True

    def _call_once(self, layer: Any, x: Array, values: Values) -> None:
        known = self.signature(layer)
        given = {"x": tensor(x).detach() if self.torch else x, **known.mode(self.tree, train=True)}
        given |= {"gamma": np.array(values.gamma), "beta": np.array(values.beta)}
        by_position, by_name = known.arguments(given)
        extra = {"retain_derived": False} if "retain_derived" in self.text else {}
        getattr(layer, self.forward_name)(*by_position, **by_name, **extra)

    def constructed(self, features: int) -> Any:
        """Make one of so many features as its own constructor does."""
        vector = np.ones(features)
        return self._construct(Values(np.ones((2, features)), vector, 0 * vector, 1e-5), features)

    def set_mode(self, layer: Any, *, train: bool) -> None:
        """Let it train, or not, by its methods or its flags."""
        for name, other in self.switches.items():
            setattr(other, name, train if role_of(name, ("train",)) else not train)
        for name, inverse in (("train", False), ("eval", True)):
            method = getattr(layer, name, None)
            if inspect.ismethod(method) and (train != inverse):
                with quiet():
                    method()
        for slot in slots(layer) if not self.module else ():  # a module's own flag does not follow train() and eval()
            role = role_of(slot.key, ("train", "eval", "mode"))
            if role in ("train", "eval") and isinstance(slot.value, (bool, int)):
                slot.holder[slot.key] = train if role == "train" else not train
            elif role == "mode" and isinstance(slot.value, str):
                slot.holder[slot.key] = next((word(tree, train=train) for tree in self.trees), "train")
            elif (role == "mode" and isinstance(slot.value, bool)) or (
                slot.key == "trainable" and "retain_derived" in self.text
            ):
                slot.holder[slot.key] = train

    @by_us
    def run(self, values: Values, layer: Any = None) -> Outcome:
        """Call the forward pass of a layer, by default of a new one."""
        used = layer is not None
        layer = layer if used else self.make(values)
        known = self.signature(layer)
        x: Any = np.array(self.orientation.x(values.x))
        engine = self._engine_of(layer)
        if self.torch:
            x = tensor(x)
        elif engine is not None:
            x = leaf(engine, x)
        given = {"x": x, **known.mode(self.tree, train=values.train)}
        given |= {"eps": values.eps, "gamma": values.gamma, "beta": values.beta}
        if values.momentum is not None:
            given["momentum"] = values.momentum
        by_position, by_name = known.arguments(given)
        if "retain_derived" in self.text:
            by_name["retain_derived"] = values.train
        if self.torch:
            self._follow_gradients(layer)
        try:
            with quiet(), graph(wanted=values.train or not self.torch):
                result = getattr(layer, self.forward_name)(*by_position, **by_name)
        except (AttributeError, TypeError):
            if values.train or used:
                raise
            trained: Outcome = self.run(replace(values, train=True))  # inference may ask for what training has left
            again: Outcome = self.run(values, self.filled(trained.layer, values))
            return again
        if not np.array_equal(to_numpy(x), self.orientation.x(values.x)):
            self.written.add("x")
        y = result[0] if isinstance(result, (tuple, list)) and result else result
        rest = result[1] if isinstance(result, (tuple, list)) and len(result) > 1 else None
        statistics = {}
        for role in ("running_mean", "running_var"):
            slot = self.find(layer, role)
            if slot is not None:
                statistics[role] = flat(array_of(slot.value))
        kept = None
        if engine is not None or (self.torch and hasattr(y, "grad_fn")):
            leaves = [x]
            for role in ("gamma", "beta"):
                slot = self.find(layer, role)
                leaves.append(slot.value if slot is not None else tensor(np.zeros(len(values.gamma))))
            kept = (y, leaves)
        return Outcome(self.orientation.back(to_numpy(y)), values, rest, statistics, kept, layer)

    def _follow_gradients(self, layer: Any) -> None:
        """Let autograd see gamma and beta where a class keeps them as plain tensors."""
        for role in ("gamma", "beta"):
            slot = self.find(layer, role)
            if slot is not None and getattr(slot.value, "requires_grad", True) is False and slot.value.is_leaf:
                slot.value.requires_grad_()

    def keeps_statistics(self, values: Values) -> bool:
        """Whether it has running statistics."""
        layer = self.run(values).layer
        return self.find(layer, "running_mean") is not None and self.find(layer, "running_var") is not None

    def starts_at_zero(self, values: Values) -> bool:
        """Whether the running variance of a new one is zero."""
        layer = self.made_new(values)
        slot = self.find(layer, "running_var")
        value = to_numpy(slot.value) if slot is not None else None
        return isinstance(value, np.ndarray) and value.size > 0 and not value.any()

    def engine(self, values: Values) -> Engine | type | None:
        """The autograd engine of the file's own that its parameters are scalars or tensors of, if there is one."""
        return self.made.engine if issubclass(self.made, OfScalars) else self._engine_of(self.make(values))

    def _engine_of(self, layer: Any) -> type | None:
        slot = self.find(layer, "gamma")
        return engine_of(slot.value) if slot is not None else None

    @by_us
    def by_engine(self, dy: Array, outcome: Outcome) -> Any:
        """Return (dx, dgamma, dbeta) by the engine; what it adds up starts from nothing in a new graph."""
        again: Outcome = self.run(outcome.values)
        if isinstance(again.layer, OfScalars):
            dx, dgamma, dbeta = again.layer.gradients(self.orientation.x(dy))
            return self.orientation.back(dx), dgamma, dbeta
        y, leaves = again.graph
        return gradients_by_engine(dy, y, leaves, self.orientation)

    @by_us
    def backward(self, dy: Array, outcome: Outcome) -> Any:
        """Return (dx, dgamma, dbeta) in our layout: what comes back, and what it leaves in attributes."""
        layer, lay = outcome.layer, self.orientation
        upstream: Any = np.array(lay.x(dy))
        if self.torch:
            upstream = tensor(upstream).detach()
        method = getattr(layer, self.backward_name or "backward")
        known = Signature(method, ("dy", "cache"))
        names = [one.name for one in known.parameters]
        if names and not known.has("dy"):
            known.roles[names[0]] = "dy"
        given = {"dy": upstream}
        if outcome.rest is not None:
            given["cache"] = outcome.rest
        result = to_numpy(known.call(method, given))
        if not np.array_equal(to_numpy(upstream), lay.x(dy)):
            self.written.add("dy")
        if isinstance(result, (tuple, list)) and len(result) == 3:
            return lay.back(result[0]), *(as_vector(one) for one in result[1:])
        dx = result[0] if isinstance(result, (tuple, list)) and result else result
        found = dict(gradients(layer))
        if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict):
            for name, value in result[1].items():
                found[gradient_of(name) or role_of(name, ("gamma", "beta")) or name] = value
        if "gamma" in found and self.find(layer, "beta") is None:
            return lay.back(dx), as_vector(found["gamma"])
        if "gamma" not in found or "beta" not in found:
            missing = [f"d{role}" for role in ("gamma", "beta") if role not in found]
            raise CannotCallError(f"no attribute is known to hold {' and '.join(missing)} after it")
        return lay.back(dx), as_vector(found["gamma"]), as_vector(found["beta"])


def _takes_anything(made: type) -> bool:
    call = next(vars(one)["__call__"] for one in made.__mro__ if "__call__" in vars(one))
    parameters = inspect.signature(call).parameters.values()
    return any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters)


def _flags(made: type) -> list[str]:
    """Names of what a class says of its mode for all its objects."""
    return [name for one in made.__mro__[:-1] for name, value in vars(one).items() if isinstance(value, bool)]
