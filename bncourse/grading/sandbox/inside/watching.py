"""How a function finds its gradient, seen from what it does: many forward passes of nudged inputs, or complex ones.

One call is watched. Every function that it calls shows its arguments, every method the array that it belongs to, and
every turn of a student's loop what the function holds. A derivative that is measured needs the forward pass of inputs
that differ a little from those that were given, one for each sample at least, or all of them in one large array; a
derivation needs none. Threads that begin during the call are watched too. Where a function works out of sight, or
looks at how it is watched, a person has to look.
"""

import contextlib
import functools
import json
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

from .nudged import LISTS
from .repeated_nudges import Nudges, arrays_in

OFTEN = 8
"""A library's function is looked at once it has been called so often: in a derivation none is."""
LEAST_LINES, LINES_A_VALUE, AFTER_REST = 2_048, 16, 16
"""So many lines of a call are followed, or so many for each value of an input; then, after each call of something, a
sixteenth of them."""
UNROLLED = 16
"""So many lines may hold a loop that was written out; then every third line is also looked at when it is new."""
DEPTH = 4
LIBRARIES = (*(str(Path(module.__file__ or "").parent.parent) for module in (np, json)), "<frozen")
"""How the file names of code begin that is not the student's: the folders of NumPy and of the standard library."""
HOW = {
    "differences": "with many forward passes of nudged inputs",
    "complex": "with a complex step",
}
OUT_OF_SIGHT = ("setprofile", "getprofile", "settrace", "gettrace", "start_new_thread", "_current_frames")
"""What takes a function's work out of sight, or asks whether it is seen."""
SUMS = frozenset({"__add__", "__radd__", "__sub__", "__rsub__"})
PRODUCTS = frozenset({"__mul__", "__rmul__", "__truediv__", "__rtruediv__"})
ARITHMETIC = SUMS | PRODUCTS | {"__array_ufunc__"}
"""Methods by which numbers of a class of one's own carry derivatives through a forward pass."""
SETTINGS = frozenset(
    id(function.__code__)
    for function in (threading.setprofile, threading.getprofile, threading.settrace, threading.gettrace)
)
"""Where the library's functions lie that do the same for threads to come."""


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


def watched(
    target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], *, closely: bool = True
) -> tuple[Any, list[str]]:
    """Call a function; returns its value, and which of "differences" and "complex" it was seen to use.

    `closely` also follows the lines of the student's functions, and compares what they hold; a loop takes many times
    as long then.
    """
    watch = _Watch([*arrays_in(args, DEPTH), *arrays_in(kwargs, DEPTH)], closely=closely)
    with watch.on():
        value = target(*args, **kwargs)
        watch.is_unseen |= not watch.is_on()
    return value, watch.found()


@functools.cache
def _is_own(filename: str) -> bool:
    """Whether code of this name is the student's: of a cell, of a module beside the notebook, or made of a text."""
    return not filename.startswith(LIBRARIES)


def _is_in_a_module(frame: FrameType) -> bool:
    """Whether code runs among the names of a module: any code can be given the name of a library's file."""
    name = frame.f_globals.get("__name__")
    module = sys.modules.get(name) if type(name) is str and name != "__main__" else None
    return module is not None and getattr(module, "__dict__", None) is frame.f_globals


class _Watch:
    """What was seen of one call."""

    def __init__(self, arrays: list[Any], *, closely: bool) -> None:
        self.closely = closely
        self.nudges = Nudges(arrays, closely=closely, end_if=self.end_if)
        self.calls: defaultdict[Any, int] = defaultdict(int)
        self.lines, self.most_lines = 0, max(LEAST_LINES, LINES_A_VALUE * max(self.nudges.sizes, default=0))
        self.resting = set[Any]()
        """Functions whose lines are not followed for now."""
        self.is_seen = self.is_unseen = False
        self.arithmetic = set[str]()
        """Methods of this kind, of the student's classes, that were called."""
        self.own: dict[int, bool] = {}
        """Whether code, by its place, is the student's."""
        self.codes: list[CodeType] = []
        """That code, kept, so that its place stays its own."""

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """Have calls, and the lines of the student's functions, seen in this thread and in those that begin."""
        before = sys.getprofile(), threading.getprofile(), sys.gettrace(), threading.gettrace()
        _set(self.see, self.see, self.tracer, self.tracer)
        try:
            yield
        finally:
            _set(*before)

    def is_on(self) -> bool:
        """Whether all is as it was set, or was ended here."""
        if self.is_seen:
            return True
        sees = sys.getprofile() == self.see and threading.getprofile() == self.see
        return sees and sys.gettrace() == self.tracer and threading.gettrace() == self.tracer

    def end_if(self, seen: bool) -> None:
        """Note that differences were seen, if they were; no more needs to be seen of this call then."""
        if seen:
            self.is_seen = True
            _set(None, None, None, None)

    def found(self) -> list[str]:
        """Which ways of measuring were seen."""
        called = self.arithmetic
        arithmetic = "__array_ufunc__" in called or bool(called & SUMS and called & PRODUCTS)
        seen = {
            "differences": self.is_seen,
            "complex": self.nudges.is_complex,
            "arithmetic": arithmetic,
            "unseen": self.is_unseen,
        }
        return [how for how, was_seen in seen.items() if was_seen]

    def see(self, frame: FrameType, event: str, argument: Any) -> None:
        """Look at one call or return; what goes wrong here is no concern of the function's."""
        if event == "c_return" or self.is_seen:  # seen, and this is another thread
            return
        if self.resting:
            self.wake(frame)
        try:
            if event == "c_call":
                array = getattr(argument, "__self__", None)
                if type(array) is np.ndarray:
                    self.calls[argument.__name__] += 1
                    self.nudges.look(argument.__name__, array, closely=self.calls[argument.__name__] > OFTEN)
                elif argument.__name__ in OUT_OF_SIGHT and not (_is_ours(frame) or self.is_begun(frame)):
                    self.is_unseen = True
            elif event in ("call", "return"):
                code, called = frame.f_code, event == "call"
                place = id(code)  # a code object's hash is worked out from all that is in it, each time
                own = self.own.get(place)
                if own is None:
                    own = self.is_own(frame)
                if called and place in SETTINGS and not _is_ours(frame.f_back):
                    self.is_unseen = True
                if not (own or called) or place in INNER:
                    return
                self.calls[place] += called
                if own and called and code.co_name in ARITHMETIC:
                    self.arithmetic.add(code.co_name)
                closely = called and (own or self.calls[place] > OFTEN)
                for value in frame.f_locals.values():
                    if type(value) is np.ndarray:
                        self.nudges.look(place, value, closely=closely)
                    elif closely and own and type(value) in LISTS:
                        self.nudges.look_at_rows(place, value)
                if self.closely and not called and self.nudges.is_due((place, "return")):
                    self.nudges.look_around(frame)
        except Exception:  # noqa: S110  (an array that cannot be read)
            pass

    def is_own(self, frame: FrameType) -> bool:
        """Whether code that runs is the student's."""
        place = id(frame.f_code)
        own = self.own.get(place)
        if own is None:
            self.codes.append(frame.f_code)
            own = self.own[place] = _is_own(frame.f_code.co_filename) or not _is_in_a_module(frame)
        return own

    def is_begun(self, frame: FrameType) -> bool:
        """Whether it is the library that begins a thread, which is watched then."""
        return frame.f_globals is vars(threading) and self.is_on_for_threads()

    def is_on_for_threads(self) -> bool:
        """Whether threads that begin now are watched."""
        return bool(threading.getprofile() == self.see and threading.gettrace() == self.tracer)

    @property
    def tracer(self) -> Callable[..., Any] | None:
        """What sees lines, if anything does."""
        return self.enter if self.closely else None

    def enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Follow the lines of a student's function."""
        return self.follow if self.is_own(frame) else None

    def follow(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Look at what a function holds as it comes to a line; not for ever, if it calls nothing meanwhile."""
        if self.is_seen:
            return None
        if event == "line":
            self.lines += 1
            if self.lines >= self.most_lines:
                self.rest(frame)
            unrolled = self.lines > UNROLLED and self.lines % 3 == 0
            if self.nudges.is_due((id(frame.f_code), frame.f_lineno), first=unrolled):
                with contextlib.suppress(Exception):
                    self.nudges.look_around(frame)
        return self.follow

    def rest(self, frame: FrameType) -> None:
        """Let a function's lines pass until it calls something."""
        frame.f_trace_lines = False
        self.resting.add(frame)
        self.lines -= self.most_lines // AFTER_REST

    def wake(self, frame: FrameType) -> None:
        """Look at some more lines of a function that calls something."""
        for one in (frame, frame.f_back):
            if one is not None and one in self.resting:
                one.f_trace_lines = True
                self.resting.discard(one)


def _set(profile: Any, threads_profile: Any, trace: Any, threads_trace: Any) -> None:
    """Have calls, and lines, seen in this thread and in those that begin."""
    threading.setprofile(threads_profile)
    threading.settrace(threads_trace)
    sys.settrace(trace)
    sys.setprofile(profile)


_OURS = [
    function.__code__
    for function in (_Watch.is_on, _Watch.is_on_for_threads, _Watch.end_if, _Watch.on.__wrapped__)  # type: ignore[attr-defined]
]


def _is_ours(frame: FrameType | None) -> bool:
    """Whether it is this module that sets how a call is watched, or looks at it."""
    if frame is not None and frame.f_code is _set.__code__:
        frame = frame.f_back
    return frame is not None and any(frame.f_code is code for code in _OURS)
