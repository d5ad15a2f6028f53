"""Layers of a student's class: made, given parameters and statistics, and told to train or to infer."""

import contextlib
import inspect
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array, tensor
from bncourse.diagnosis.conventions.errors import CannotCallError, by_us, quiet
from bncourse.diagnosis.conventions.names import gradient_of, role_of
from bncourse.diagnosis.conventions.outcomes import USUAL_MOMENTUM, Values
from bncourse.diagnosis.conventions.scalars import layer_of_arrays
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.slots import STATE, slots, write
from bncourse.diagnosis.conventions.student_class import MADE_WITH, StudentClass, flags_of
from bncourse.diagnosis.conventions.syntax import word


class LayerMaker(StudentClass):
    """A class, and how its layers are made."""

    def __post_init__(self) -> None:
        """See whether its layers are of scalars; these are made as layers of arrays."""
        super().__post_init__()
        self.made = layer_of_arrays(self) or self.made

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
        self.set_mode(layer, train=values.train)
        return layer

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
        made = type(layer)
        for name in flags_of(made):
            vars(layer).setdefault(name, getattr(made, name))
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
        for name in flags_of(made) if not self.module else ():  # what asks the class for its mode hears the same
            setattr(made, name, vars(layer)[name])
