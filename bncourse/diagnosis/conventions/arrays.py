"""Arrays of NumPy, of PyTorch and of a student's own classes, channels first or last."""

import contextlib
import importlib
import sys
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.conventions.imports import NotHereError, not_here

Array = np.ndarray[Any, Any]


class Orientation(NamedTuple):
    """How a student lays out x and gamma; ours is (N, C, *places) and (C,)."""

    channels: str = "first"
    """Axis of the channels: "first" is axis 1, "last" the last one, "rows" axis 0 (samples in columns)."""
    vector: str = "flat"
    """Shape of gamma: "flat" is (C,), "wide" has as many axes as x."""

    def x(self, array: Array) -> Array:
        """Lay out a batch as the student does."""
        if self.channels == "last":
            return np.ascontiguousarray(np.moveaxis(array, 1, -1))
        return np.ascontiguousarray(array.T) if self.channels == "rows" else array

    def back(self, array: Any) -> Any:
        """Lay out a batch of the student's as we do; what does not fit is left as it is."""
        if not isinstance(array, np.ndarray) or array.ndim < 2:
            return array
        if self.channels == "last":
            return np.moveaxis(array, -1, 1)
        return array.T if self.channels == "rows" else array

    def gamma(self, vector: Array, ndim: int) -> Array:
        """Shape one number a channel as the student does."""
        if self.vector == "flat":
            return vector
        shape = [1] * ndim
        shape[{"first": 1, "last": ndim - 1, "rows": 0}[self.channels]] = len(vector)
        return vector.reshape(shape)


def is_torchs(value: Any) -> bool:
    """Whether it is a tensor of PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def data_of(value: Any) -> str:
    """Name under which an object of the student's own keeps its array, or ""."""
    if isinstance(value, np.ndarray | np.generic):
        return ""
    names = ("data", "value", "val", "w", *(("a", "arr", "array", "v", "d", "x") if hasattr(value, "__mul__") else ()))
    return next((name for name in names if isinstance(getattr(value, name, None), np.ndarray)), "")


def is_engines(value: Any) -> bool:
    """Whether it is a tensor of an autograd engine of the file's own."""
    return bool(data_of(value)) and callable(getattr(value, "backward", None)) and hasattr(value, "grad")


def to_numpy(value: Any) -> Any:
    """Turn tensors into arrays, also inside of tuples, lists and dicts; leave everything else."""
    if is_torchs(value):
        return value.detach().cpu().numpy()
    if is_engines(value):
        return getattr(value, data_of(value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(to_numpy, value))
    if type(value) in (tuple, list):
        return type(value)(to_numpy(one) for one in value)
    if type(value) is dict:
        return {key: to_numpy(one) for key, one in value.items()}
    return value


def array_of(value: Any) -> Any:
    """The array in a tensor, or in an object of the student's own; leave everything else."""
    inner = data_of(value)
    return getattr(value, inner) if inner else to_numpy(value)


def flat(value: Any) -> Any:
    """An array with its numbers along one axis; anything else as it is."""
    return value.reshape(-1) if isinstance(value, np.ndarray) else value


def as_vector(value: Any) -> Any:
    """(1, C), (C, 1) and (1, C, 1, 1) as (C,); anything else as it is."""
    if isinstance(value, np.ndarray) and value.ndim > 1 and max(value.shape) == value.size:
        return value.reshape(-1)
    return value


def tensor(array: Array) -> Any:
    """The array as a tensor, a leaf of its own graph."""
    return the_torch().tensor(array, requires_grad=True)


def the_torch() -> Any:
    """PyTorch, where the student's code uses it.

    Raises
    ------
    NotHereError
        If it is not installed.
    """
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise NotHereError(not_here("torch")) from error


def graph(*, wanted: bool) -> contextlib.AbstractContextManager[Any]:
    """Let PyTorch write down its graph, or not."""
    return contextlib.nullcontext() if wanted else the_torch().no_grad()
