"""How a function finds its gradient, seen from what it does: many forward passes of nudged inputs, or complex ones.

One call is watched. Every function that it calls shows its arguments, every method the array that it belongs to. A
derivative that is measured needs the forward pass of inputs that differ a little from those that were given, one for
each sample at least, or all of them in one large array; a derivation needs none. Threads that begin during the call
are watched too. Where a function works out of sight, or looks at how it is watched, a person has to look.
"""

import contextlib
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

ENOUGH = 4
"""So many different inputs near the given ones are a measurement."""
OFTEN = 8
"""A library's function is looked at once it has been called so often: in a derivation none is."""
MANY = 4
"""So many times larger than what was given is an array that may hold many inputs."""
FEW_MOVED, ALL_MOVED, ROUNDING = 0.2, 1e-2, 1e-12
"""How far an input is nudged, in units of its largest entry, where few of its entries are moved, or all."""
MAX_VALUES = 200_000
DEPTH = 4
OWN = "<"
"""How the file names of a student's cells begin."""
HOW = {
    "differences": "with many forward passes of nudged inputs",
    "complex": "with a complex step",
}
OUT_OF_SIGHT = ("setprofile", "getprofile", "start_new_thread")
"""What takes a function's work out of sight, or asks whether it is seen."""
OURS = (__name__, "threading")
"""Modules that may: what begins a thread by the library is watched there."""


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and the codes of what is defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


_CORE: Any = getattr(np, "_core", None) or np.core  # before NumPy 2
_INNER = [
    code
    for module in (_CORE.fromnumeric, _CORE._methods)
    for name, value in vars(module).items()
    if name.startswith("_") and isinstance(value, FunctionType)
    for code in _codes(value.__code__)
]
"""Functions that NumPy's functions and methods call in turn; kept, so that their places stay theirs."""
INNER = frozenset(map(id, _INNER))
"""Where these lie. They see nothing that their callers have not seen, so they are passed over."""


def measured_message(name: str, how: str) -> str:
    """What is said of a function that was seen to measure its gradient: `how` is "differences" or "complex"."""
    return f"`{name}` gives right numbers, but it measures them {HOW[how]}. Derive them: measuring is for checking."


def watched(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, list[str]]:
    """Call a function; returns its value, and which of "differences" and "complex" it was seen to use."""
    watch = _Watch([*_arrays(args, DEPTH), *_arrays(kwargs, DEPTH)])
    before, for_threads = sys.getprofile(), threading.getprofile()
    threading.setprofile(watch.see)
    sys.setprofile(watch.see)
    try:
        value = target(*args, **kwargs)
        watch.is_unseen |= sys.getprofile() != watch.see
    finally:
        sys.setprofile(before)
        threading.setprofile(for_threads)
    return value, watch.found()


def worst(seen: Iterable[Any]) -> str:
    """What counts most of what was seen of a call; empty where nothing was."""
    return next((how for how in ("complex", "differences", "unseen") if how in seen), "")


def _arrays(value: Any, depth: int) -> Iterator[Any]:
    """The arrays of real numbers in a value, copied: what is nudged in place was something else before."""
    if type(value) is np.ndarray:
        if value.dtype.kind == "f" and 4 <= value.size <= MAX_VALUES:
            yield value.astype(np.float64)
        return
    if depth == 0:
        return
    if isinstance(value, dict):
        value = list(value.values())
    elif not isinstance(value, (list, tuple)):
        value = list(getattr(value, "__dict__", {}).values())
    for part in value[:50]:
        yield from _arrays(part, depth - 1)


class _Watch:
    """What was seen of one call."""

    def __init__(self, given: list[Any]) -> None:
        self.given = [(values, float(np.abs(values).max())) for values in given]
        self.large = MANY * max((values.size for values in given), default=MAX_VALUES)
        self.calls: defaultdict[Any, int] = defaultdict(int)
        self.nudged: defaultdict[Any, set[bytes]] = defaultdict(set)
        self.is_complex = self.is_stacked = self.is_unseen = False

    def found(self) -> list[str]:
        """Which ways of measuring were seen."""
        differences = self.is_stacked or any(len(inputs) >= ENOUGH for inputs in self.nudged.values())
        seen = {"differences": differences, "complex": self.is_complex, "unseen": self.is_unseen}
        return [how for how, was_seen in seen.items() if was_seen]

    def see(self, frame: FrameType, event: str, argument: Any) -> None:
        """Look at one call or return; what goes wrong here is no concern of the function's."""
        try:
            if event == "c_call":
                array = getattr(argument, "__self__", None)
                if type(array) is np.ndarray:
                    self.calls[argument.__name__] += 1
                    self.look(argument.__name__, array, closely=self.calls[argument.__name__] > OFTEN)
                elif argument.__name__ in OUT_OF_SIGHT and frame.f_globals.get("__name__") not in OURS:
                    self.is_unseen = True
            elif event in ("call", "return"):
                code, called = frame.f_code, event == "call"
                place = id(code)  # a code object's hash is worked out from all that is in it, each time
                own = code.co_filename.startswith(OWN)
                if not (own or called) or place in INNER:
                    return
                self.calls[place] += called
                closely = called and (own or self.calls[place] > OFTEN)
                for value in frame.f_locals.values():
                    if type(value) is np.ndarray:
                        self.look(place, value, closely=closely)
                    elif closely and own and type(value) in (list, tuple):
                        self.look_at_rows(place, value)
        except Exception:  # noqa: S110  (an array that cannot be read)
            pass

    def look_at_rows(self, place: Any, rows: Any) -> None:
        """Look at a list of rows, or of columns, that was seen at a place."""
        for shape in {values.shape for values, _ in self.given}:
            if len(rows) in (shape[0], shape[-1]):
                with contextlib.suppress(Exception):  # rows of other things than numbers, or of several lengths
                    array = np.array(rows, dtype=np.float64)
                    self.look(place, array if array.shape == shape else array.T, closely=True)

    def look(self, place: Any, array: Any, *, closely: bool) -> None:
        """Look at an array that was seen at a place."""
        kind = array.dtype.kind
        self.is_complex = self.is_complex or kind == "c"
        if kind == "O" and closely and 4 <= array.size <= MAX_VALUES:
            with contextlib.suppress(Exception):  # objects that are no numbers
                self.look(place, array.astype(np.float64), closely=True)
        if kind != "f" or array.size < 4 or array.size > MAX_VALUES:
            return
        if array.size >= self.large and not self.is_stacked:
            self.is_stacked = any(_holds_many(array, *given) for given in self.given)
        elif closely and any(_is_near(array, *given) for given in self.given):
            self.nudged[place].add(array.tobytes())


def _is_near(array: Any, given: Any, size: float) -> bool:
    """Whether an array is what was given but for a nudge."""
    if array.shape != given.shape:
        return False
    moved = np.abs(array - given)
    most = float(moved.max())
    if most <= ROUNDING * size:
        return False
    few = 2 * np.count_nonzero(moved > ROUNDING * size) <= moved.size
    return most <= (FEW_MOVED if few else ALL_MOVED) * size


def _holds_many(array: Any, given: Any, size: float) -> bool:
    """Whether a large array holds what was given many times, with some entries nudged."""
    values = np.asarray(array, dtype=np.float64).ravel()
    same = np.isin(values, given.ravel())
    share = same.mean()
    if share == 1 or share < 0.4 or len(np.unique(given)) < 4:
        return False
    places = np.sort(given.ravel())
    rest = values[~same]
    after = np.clip(np.searchsorted(places, rest), 1, len(places) - 1)
    distance = np.minimum(np.abs(places[after] - rest), np.abs(places[after - 1] - rest))
    return bool((distance <= ALL_MOVED * size).all() and (distance > 0).any())
