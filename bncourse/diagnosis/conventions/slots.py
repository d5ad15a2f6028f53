"""Where a layer keeps its parameters, statistics and gradients: attributes, or entries of dicts, by their names."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array, Orientation, array_of, data_of, is_torchs, tensor, to_numpy
from bncourse.diagnosis.conventions.names import MEASURED, ROLES, gradient_of, plain, role_of

LISTED = ("params", "parameters", "weights", "grads", "gradients")
"""Names of lists that hold gamma, or its gradient, before beta's."""
OF_GRADIENTS = ("dp", "dparams", "dparam", "dparameters", "dweights")
"""Names of dicts that hold gradients by the names of the parameters."""
STATE = ("running_mean", "running_var", "gamma", "beta")


class _Pair:
    """A list of gamma and beta, or of their gradients, by name."""

    ORDER = ("gamma", "beta")

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __getitem__(self, name: str) -> Any:
        return self.items[self.ORDER.index(name)]

    def __setitem__(self, name: str, value: Any) -> None:
        self.items[self.ORDER.index(name)] = value


class Slot(NamedTuple):
    """A place of a layer that holds something: an attribute, or an entry of a dict that is one."""

    holder: Any
    key: str
    path: str

    @property
    def value(self) -> Any:
        """What lies there."""
        return self.holder[self.key]


def slots(layer: Any) -> Iterator[Slot]:
    """Every attribute of a layer, and every entry of its dicts and of PyTorch's parameters and buffers."""
    for key, value in list(vars(layer).items()):
        yield Slot(vars(layer), key, key)
        if isinstance(value, dict) and all(isinstance(name, str) for name in value):
            for inner in list(value):
                yield Slot(value, inner, f"{key}.{inner}")
        if type(value).__module__ == "student" and hasattr(value, "__dict__") and not data_of(value):
            yield from (Slot(vars(value), inner, f"{key}.{inner}") for inner in list(vars(value)))
        listed = isinstance(value, list) and len(value) == 2 and all(isinstance(one, np.ndarray) for one in value)
        if listed and plain(key) in LISTED:
            yield from (Slot(_Pair(value), inner, f"{key}.{inner}") for inner in _Pair.ORDER)


def _is_array(value: Any) -> bool:
    return value is None or isinstance(value, (np.ndarray, float, int)) or is_torchs(value) or bool(data_of(value))


def find(layer: Any, role: str) -> Slot | None:
    """Find the place of gamma, beta, a running statistic, eps or the momentum; "plain running_mean" is called mean."""
    if role.startswith("plain "):
        words = MEASURED[role.removeprefix("plain running_")]
        named = (slot for slot in slots(layer) if plain(slot.key) in words and _is_array(slot.value))
        return next(named, None)
    for slot in slots(layer):
        if "grad" in plain(slot.path) or role_of(slot.key, (role,)) is None:
            continue
        value = slot.value
        if role in STATE and _is_array(value) and not isinstance(value, bool):
            return slot
        number = isinstance(value, float) or (isinstance(value, np.ndarray) and value.ndim == 0)
        if role in ("eps", "momentum") and number and 0 <= float(value) <= 1:
            return slot
    return _unnamed(layer, role) if role in ("gamma", "beta") else None


def _unnamed(layer: Any, role: str) -> Slot | None:
    """Find gamma or beta among PyTorch's parameters of other names: beta starts at zero, or stands second."""
    known = {word for state in ("gamma", "beta") for word in ROLES[state]}
    every = [
        slot for slot in slots(layer) if is_torchs(slot.value) and slot.value.requires_grad and slot.path != slot.key
    ]
    if any(plain(slot.key) in ROLES[role] for slot in every):
        return None
    rest = [slot for slot in every if plain(slot.key) not in known]
    zero = [slot for slot in rest if not bool(slot.value.detach().any())]
    other = [slot for slot in rest if all(slot is not one for one in zero)]
    if len(every) == 2 and len(zero) != 1:
        zero, other = every[1:], every[:1]
        zero, other = ([one for one in some if any(one is each for each in rest)] for some in (zero, other))
    return next(iter(other if role == "gamma" else zero), None)


def write(slot: Slot, vector: Array, ndim: int, lay: Orientation) -> None:
    """Put one number a channel where a layer keeps them, in the shape in which it does."""
    value = slot.value
    inner = data_of(value)
    array: Any = array_of(value)
    shape = () if array is None else np.shape(array)
    fits = int(np.prod(shape)) == len(vector) and len(shape) > 0
    array = np.array(vector.reshape(shape) if fits else lay.gamma(vector, ndim))
    if is_torchs(value):
        if tuple(value.shape) == array.shape:
            value.data = tensor(array).detach()
        else:
            slot.holder[slot.key] = tensor(array).detach()
    elif inner:
        setattr(value, inner, array)
    else:
        slot.holder[slot.key] = array


def gradient_slots(layer: Any) -> dict[str, Slot]:
    """Where a layer keeps the gradients of gamma and beta, in attributes or dicts of its own."""
    found: dict[str, Slot] = {}
    for slot in slots(layer):
        value = slot.value
        first = plain(slot.path.split(".")[0])
        inside = "." in slot.path and ("grad" in first or first in OF_GRADIENTS)
        part = gradient_of(slot.key) or (role_of(slot.key, ("gamma", "beta")) if inside else None)
        if part and (isinstance(value, (np.ndarray, np.floating, float)) or is_torchs(value)):
            found[part] = slot
    return found


def gradients(layer: Any) -> Iterator[tuple[str, Any]]:
    """What a layer keeps as gradients of gamma and beta, also in parameters of the student's own class."""
    for slot in slots(layer):
        if role_of(slot.key, ("gamma", "beta")) and isinstance(getattr(slot.value, "grad", None), np.ndarray):
            yield str(role_of(slot.key, ("gamma", "beta"))), slot.value.grad
    for part, slot in gradient_slots(layer).items():
        yield part, to_numpy(slot.value)
