"""Errors, containers and library objects that cannot cross the border in; what stands for them out."""

import builtins
import pickle
from typing import Any

from bncourse.grading.sandbox.inside.wire_types import Pickled

PICKLED_MODULES = (
    "numpy",
    "random",
    "datetime",
    "decimal",
    "fractions",
    "collections",
    "builtins",
    "functools",
    "operator",
)


class StudentError(Exception):
    """Something that the student's code raised; the class made for it is also the built-in one of that name."""

    cell = ""
    line = 0


class StudentLate(BaseException):
    """The student's code has used up its time; not an Exception, so that no test swallows it."""


class StudentGone(BaseException):
    """The student's process has ended."""


class TestLate(BaseException):
    """A test has taken too long on this side, with what the student's code returned."""

    __test__ = False


class WorkerMissing(BaseException):
    """The student's process did not start: no fault of the student's."""


class StudentRefused(Exception):
    """The student's code returned something that cannot cross the border."""


class NoArray(StudentRefused, TypeError):
    """The student's code returned an object where numbers are needed."""


def no_array(name: str) -> NoArray:
    """The error for an object that is asked for its numbers, by the name of its class."""
    made = f"an object of the class {name} is no array" if name.isidentifier() else "this object is no array"
    return NoArray(f"{made}. Return its numbers as one, with np.array(...)")


class Kept:
    """A copy of a container of the student's own class, which goes back as the original."""

    remote_number = 0


class KeptDict(Kept, dict[Any, Any]):
    """A copy of a mapping of the student's own class, which goes back as the original."""


class KeptList(Kept, list[Any]):
    """A copy of a list of the student's own class."""


class KeptTuple(Kept, tuple[Any, ...]):
    """A copy of a tuple of the student's own class."""


_KINDS = {name: kind for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, Exception)}
_NOT_HERE = ("Unicode", "ExceptionGroup", "StopIteration", "StopAsyncIteration")
RAISED_HERE = frozenset(name for name in _KINDS if not name.startswith(_NOT_HERE))
"""Names of the built-in exceptions that are raised here as what they are in the student's process.

Some take more than a text. And one that ends an iteration would end it here: in `for y in map(forward, batches)` a test
would find nothing to look at, and pass.
"""

_error_classes: dict[str, Any] = {}


def error_class(name: str) -> Any:
    """The class for what a student's code raised, which is also the built-in one of that name."""
    if name not in _error_classes:
        base = getattr(builtins, name)
        _error_classes[name] = type(name, (StudentError,) if base is Exception else (StudentError, base), {})
    return _error_classes[name]


def is_library(value: Any) -> bool:
    """Whether it is a class or function that the worker has as well."""
    if isinstance(value, type):
        return value.__module__.split(".")[0] in PICKLED_MODULES
    return type(value).__module__ == "numpy" or type(value).__name__ == "builtin_function_or_method"


def pickled(value: Any) -> Any:
    """A library object on its way to the worker."""
    if not is_library(value) and type(value).__module__.split(".")[0] not in PICKLED_MODULES:
        raise TypeError(f"a test cannot hand a {type(value).__name__} to a student's function")
    return Pickled(pickle.dumps(value))


def torch_of(value: Any) -> Any:
    """PyTorch, if the value is a tensor."""
    if type(value).__module__.split(".")[0] != "torch":
        return None
    import torch

    return torch if isinstance(value, torch.Tensor) else None
