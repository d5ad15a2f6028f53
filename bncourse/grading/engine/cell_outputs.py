"""Reports of what cells printed, drew and raised in; outputs and notes within a limit out."""

from collections.abc import Collection, Iterable
from typing import Any

from bncourse.grading.core.plain_text import pixels
from bncourse.grading.core.records import CellOutput
from bncourse.grading.engine.steps import AGAIN

MAX_SHOWN, MAX_PIXELS = 2 * 2**20, 40_000_000
"""Bytes of text and pictures, and pixels, that a submission's cells may show in all."""
LEFT_OUT = "[not shown: the cells before have shown too much]"
MAX_NOTES = 60
NOTES_PER_CELL = 5


class CellOutputs:
    """What the cells of one submission showed the first time they ran, and the notes on them.

    Parameters
    ----------
    stubs : collection of str
        Answers that were left as released; what they raise is no news.
    """

    def __init__(self, stubs: Collection[str] = ()) -> None:
        self._stubs = stubs
        self._outputs: dict[str, CellOutput] = {}
        self._room, self._pixels = MAX_SHOWN, MAX_PIXELS
        self._notes: dict[str, list[str]] = {}

    def take(self, message: dict[str, Any], pictures: list[bytes]) -> None:
        """Take what a cell showed, the first time it ran."""
        name = message["ran"]
        if name in self._outputs or name.startswith(AGAIN):
            return
        self._outputs[name] = self._within_room(CellOutput(name, message["text"], tuple(pictures)))
        if name not in self._stubs:
            for line, kind, text in message["problems"]:
                self.note(name, f"line {line}: {kind}: {text}")
        for word in message["ignored"]:
            self.note(name, f"{word} was ignored")

    def note(self, cell: str, text: str) -> None:
        """Add a note on a cell."""
        self._notes.setdefault(cell, []).append(text)

    def notes_of(self, cell: str) -> list[str]:
        """All notes on one cell."""
        return self._notes.get(cell, [])

    def notes(self, cells: Iterable[str]) -> tuple[str, ...]:
        """The first notes of each of these cells, and of all these the first where there are very many."""
        notes = [f"cell {cell}, {note}" for cell in cells for note in self.notes_of(cell)[:NOTES_PER_CELL]]
        more = [f"and {len(notes) - MAX_NOTES} more such notes"] if len(notes) > MAX_NOTES else []
        return (*notes[:MAX_NOTES], *more)

    def outputs(self, cells: Iterable[str]) -> tuple[CellOutput, ...]:
        """What these cells showed, where they showed anything."""
        shown = (self._outputs.get(cell) for cell in cells)
        return tuple(output for output in shown if output is not None and (output.text or output.pictures))

    def _within_room(self, output: CellOutput) -> CellOutput:
        """What a cell showed, as long as the submission's cells have not shown too much."""
        self._room -= len(output.text) + sum(map(len, output.pictures))
        self._pixels -= sum(map(pixels, output.pictures))
        return output if min(self._room, self._pixels) >= 0 else CellOutput(output.cell, LEFT_OUT)
