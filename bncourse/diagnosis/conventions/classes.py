"""Classes of any course as functions: parameters, statistics and gradients are attributes, by their names."""

from dataclasses import replace
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array, array_of, as_vector, flat, graph, tensor, to_numpy
from bncourse.diagnosis.conventions.engine import engine_of, leaf
from bncourse.diagnosis.conventions.engine import gradients as gradients_by_engine
from bncourse.diagnosis.conventions.errors import CannotCallError, by_us, quiet
from bncourse.diagnosis.conventions.layer_making import LayerMaker
from bncourse.diagnosis.conventions.names import gradient_of, role_of
from bncourse.diagnosis.conventions.outcomes import Outcome, Values
from bncourse.diagnosis.conventions.scalars import Engine, OfScalars
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.slots import gradients
from bncourse.diagnosis.conventions.student_class import flags_of


class Layer(LayerMaker):
    """A class with a forward pass, and perhaps a backward pass."""

    def has_modes(self, values: Values) -> bool:
        """Whether it is told if it trains."""
        layer = self.make(values)
        known = self.signature(layer)
        held = (name for name in (*vars(layer), *flags_of(self.made), *self.switches) if name in self.attributes)
        flags = [name for name in held if role_of(name, ("train", "eval", "mode"))]
        told = any(known.has(role) for role in ("train", "eval", "mode"))
        return self.module or told or bool(flags) or "retain_derived" in self.text

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
