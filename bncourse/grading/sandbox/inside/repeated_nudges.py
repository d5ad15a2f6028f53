"""Arrays that a function holds in, one after the other; whether they are its inputs, nudged again and again, out."""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from .nudged import (
    LISTS,
    MAX_VALUES,
    STACKED,
    Before,
    Given,
    as_array,
    holds_many,
    is_all_steps,
    is_near,
    is_share,
    is_stack_of_near,
    may_hold_parts,
    moved_in,
    moved_since,
    parts_like,
    varies,
)

ENOUGH = 4
"""So many different inputs near the given ones are a measurement."""
MANY = 4
"""So many times larger than what was given is an array that may hold many inputs."""
TURNS, RARER = 12, 4
"""So many turns of a line, and changes of a name, are looked at; then those that come a quarter later each time."""
HELD_DEPTH, FEW_PARTS = 2, 12
"""How deep, and how broadly, what a function holds is looked into at each turn."""
PLAIN = frozenset(
    {
        float,
        int,
        str,
        bool,
        bytes,
        type(None),
        FunctionType,
        BuiltinFunctionType,
        ModuleType,
        type,
        np.ufunc,
        np.float64,
    }
)
FEW_VALUES = 1_000
"""Of an input with more values, any number is near to one."""


def arrays_in(value: Any, depth: int) -> Iterator[Any]:
    """The arrays of real numbers in a value, copied: what is nudged in place was something else before."""
    if type(value) is np.ndarray:
        if value.dtype.kind == "f" and 4 <= value.size <= MAX_VALUES:
            yield value.astype(np.float64)
        return
    if depth:
        for part in _parts(value)[:50]:
            yield from arrays_in(part, depth - 1)


def _parts(value: Any) -> list[Any]:
    """What a list, a dictionary or an object holds."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    with contextlib.suppress(AttributeError, TypeError):
        return list(object.__getattribute__(value, "__dict__").values())
    return []


class _Track:
    """The inputs with few entries moved that were seen at one place, one after the other."""

    def __init__(self) -> None:
        self.masks = set[int]()
        self.last = self.turned = self.others = 0

    def add(self, mask: int) -> None:
        """Take the next one."""
        if self.last and mask != self.last:
            turned = bool(self.last & ~mask) and bool(mask & ~self.last)
            self.turned, self.others = self.turned + turned, self.others + (not turned)
        self.masks.add(mask)
        self.last = mask

    @property
    def is_measurement(self) -> bool:
        """Whether one entry is moved as another is moved back; an array that is filled goes one way."""
        return len(self.masks) >= ENOUGH and self.turned >= max(ENOUGH - 1, 2 * self.others)


class Nudges:
    """The inputs of one call, and what was seen of them at each place.

    Parameters
    ----------
    arrays : list of ndarray
        The inputs.
    closely : bool
        Whether also what moves few entries of an input, in whatever form, is looked for.
    end_if : callable
        Told of each look whether it has shown a measurement.
    """

    def __init__(self, arrays: list[Any], *, closely: bool, end_if: Callable[[bool], None]) -> None:
        self.closely, self.end_if = closely, end_if
        self.given = [Given(values) for values in arrays]
        self.sizes = {n for one in arrays for n in (one.size, *one.shape)}
        self.large = MANY * max((values.size for values in arrays), default=MAX_VALUES)
        self.nudged: defaultdict[Any, set[bytes]] = defaultdict(set)
        self.tracks: defaultdict[Any, _Track] = defaultdict(_Track)
        self.contents: dict[Any, bytes] = {}
        """What was seen last at a place."""
        self.waiting: dict[Any, list[Any] | None] = {}
        """By place, the first arrays, until there are as many as a measurement needs, or one that holds several."""
        self.turns: dict[Any, list[int]] = {}
        """By line: how often it was come to, and at which time it is looked at next."""
        self.before: dict[Any, Before] = {}
        """What stood at a place, of which a few entries may be moved since."""
        self.is_complex = False

    def is_due(self, line: Any, *, first: bool = False) -> bool:
        """Whether a place that was come to is looked at this time."""
        state = self.turns.get(line)
        if state is None:
            state = self.turns[line] = [0, 0]
        turn = state[0] = state[0] + 1
        if turn < state[1] or not (first or turn > 1):
            return False
        state[1] = turn + 1 if turn < TURNS else turn + turn // RARER
        return True

    def look_around(self, frame: FrameType) -> None:
        """Look at the arrays and the lists of numbers that a function holds, or reads of the names of the notebook."""
        place = id(frame.f_code)
        held = {name: frame.f_globals.get(name) for name in frame.f_code.co_names}
        held.update(frame.f_locals)
        for name, value in held.items():
            if type(value) not in PLAIN:
                self.look_into((place, name), value, HELD_DEPTH)

    def look_into(self, place: Any, value: Any, depth: int) -> None:
        """Look at an array, at a list of numbers, or at what a list, a dictionary or an object holds."""
        kind = type(value)
        if kind in LISTS and len(value) in self.sizes:
            array = as_array(value)
            value, kind = (value, kind) if array is None else (array, np.ndarray)
        if kind is np.ndarray:
            if value.dtype.kind == "f" and 4 <= value.size <= MAX_VALUES:
                self.follow_moved(place, value)
        elif depth and kind not in PLAIN:
            for number, part in enumerate(_parts(value)[:FEW_PARTS]):
                self.look_into((*place, number), part, depth - 1)

    def follow_moved(self, place: Any, array: Any) -> None:
        """Note which entries of an input are moved in an array, where it is not as it was."""
        content = array.tobytes()
        if content == self.contents.get(place):
            return
        self.contents[place] = content
        if not self.is_due((place, "changed"), first=True):
            return
        large = [one for one in self.given if array.size >= STACKED * one.values.size]
        self.end_if(any(is_all_steps(array, one, self.sizes) or is_stack_of_near(array, one) for one in large))
        waiting = self.waiting.setdefault(place, [])
        if waiting is not None:
            waiting.append(np.frombuffer(content, array.dtype).reshape(array.shape))
            holds_parts = any(may_hold_parts(array.shape, one.values.shape) for one in self.given)
            if len(waiting) < ENOUGH and not holds_parts:
                return
            self.waiting[place] = None
        for one in waiting or [array]:
            self.note_all(place, one)

    def note_all(self, place: Any, array: Any) -> None:
        """Note which entries of each input are moved in an array, or in a part of it."""
        for number, one in enumerate(self.given):
            self.note(place, number, array)
            for count, part in enumerate(parts_like(array, one)):
                if not self.note(place, number, part) and count:
                    break  # one may be the input itself; of two, one is moved
        if array.size in self.sizes and type(place) is not str:  # what one method's name stands for is many arrays
            self.note_since(place, array)

    def note_since(self, place: Any, array: Any) -> None:
        """Note which entries of an array are moved since it was seen at this place: it may be an input times two."""
        before = self.before.get(place)
        mask = None if before is None else moved_since(array, before)
        if mask is None:
            self.before[place] = Before(array.copy(), float(max(array.max(), -array.min())))
            self.tracks.pop((place, "since"), None)
        elif mask and before is not None and varies(before.values):
            track = self.tracks[place, "since"]
            track.add(mask)
            self.end_if(track.is_measurement)

    def note(self, place: Any, number: int, array: Any) -> bool:
        """Note which entries of an input, given by its number, are moved in an array; returns whether any are."""
        any_moved = False
        for moved in moved_in(array, self.given[number]):
            if moved.kind[0] == "step" and is_share(moved.kind[1], self.sizes):
                continue
            track = self.tracks[place, number, moved.kind]
            track.add(moved.mask)
            self.end_if(track.is_measurement)
            any_moved = True
        return any_moved

    def look_at_rows(self, place: Any, rows: Any) -> None:
        """Look at a list of rows, or of columns, that was seen at a place."""
        for shape in {one.values.shape for one in self.given}:
            if len(rows) in (shape[0], shape[-1]):
                array = as_array(rows)
                if array is not None:
                    self.look(place, array if array.shape == shape else array.T, closely=True)

    def look(self, place: Any, array: Any, *, closely: bool) -> None:
        """Look at an array that was seen at a place."""
        kind = array.dtype.kind
        self.is_complex = self.is_complex or kind == "c"
        if kind == "O" and closely and 4 <= array.size <= MAX_VALUES:
            array = as_array(array.tolist())
            kind = "O" if array is None else "f"
        if kind != "f" or array.size < 4 or array.size > MAX_VALUES:
            return
        if array.size >= self.large:
            self.end_if(any(holds_many(array, one) for one in self.given))
        if not closely:
            return
        if any(is_near(array, one) for one in self.given) or (self.closely and self.is_stack(place, array)):
            self.nudged[place].add(array.tobytes())
            self.end_if(len(self.nudged[place]) >= ENOUGH)
        elif self.closely and self.is_due(place):
            self.follow_moved(place, array)

    def is_stack(self, place: Any, array: Any) -> bool:
        """Whether an array is larger than an input, and holds it with some entries nudged."""
        smaller = [one for one in self.given if one.values.size < array.size and one.values.size <= FEW_VALUES]
        return bool(smaller) and self.is_due((place, "stack")) and any(holds_many(array, one) for one in smaller)
