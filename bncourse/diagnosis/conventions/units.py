"""One normalization of a file, and which of the file's functions belong to it."""

import re
from dataclasses import dataclass, field

from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.functions import Forward

TITLES = {
    "batch": "batch norm",
    "layer": "layer norm",
    "group": "group norm",
    "instance": "instance norm",
    "rms": "RMS norm",
}
PASSES = (
    ("backward", "forward"),
    ("bwd", "fwd"),
    ("backprop", "forward"),
    ("_backward", ""),
    ("_grad", ""),
    ("_back", ""),
)
"""Words for a backward pass, and those of its forward pass."""


@dataclass
class Unit:
    """One normalization of a file: a forward pass and what belongs to it."""

    kind: str
    maps: bool
    stem: str
    forward: Forward | Layer | None = None
    backwards: list[str] = field(default_factory=list)
    inference: str = ""
    inference_backward: str = ""
    update: str = ""
    problem: str = ""
    names: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What it is called in a report."""
        return TITLES[self.kind] + (" on feature maps" if self.maps else "")

    @property
    def is_helper(self) -> bool:
        """Whether it is a function that asks for what only its own file can give."""
        if not isinstance(self.forward, Forward):
            return False
        known = self.forward.signature
        return any(one.default is one.empty and one.name not in known.roles for one in known.parameters)

    def hand_backwards(self, names: list[str], other: "Unit") -> None:
        """Let backward passes of this one belong to another."""
        other.backwards += names
        other.names += names
        self.backwards = [one for one in self.backwards if one not in names]
        self.names = [one for one in self.names if one not in names]


def _give_backwards(unit: Unit, whole: list[Unit]) -> None:
    """Let a backward pass belong to the forward pass whose name differs in that word only."""
    if isinstance(unit.forward, Layer):
        return
    for name in list(unit.backwards):
        partners = {re.sub(back, forth, name, flags=re.I) for back, forth in PASSES}
        for other in whole:
            if other is not unit and isinstance(other.forward, Forward) and other.forward.name in partners:
                unit.hand_backwards([name], other)
                break


def _give_to_the_only_one(unit: Unit, lonely: list[Unit]) -> None:
    """Let backward passes of other names belong to the only forward pass of their kind that has none of its own."""
    same = [one for one in lonely if one.kind == unit.kind]
    if unit.forward is None and unit.backwards and len(same) == 1:
        unit.hand_backwards(unit.backwards, same[0])


def _give_to_another(unit: Unit, whole: list[Unit]) -> None:
    """Let an update, or an inference of another stem, belong to the first forward pass that has none."""
    for other in whole:
        same = other.kind == unit.kind and isinstance(other.forward, Forward)
        after = unit.inference_backward and not other.inference_backward
        if same and ((unit.update and not other.update) or (unit.inference and not other.inference) or after):
            other.inference_backward = unit.inference_backward or other.inference_backward
            other.update, other.inference = unit.update or other.update, unit.inference or other.inference
            other.names += unit.names
            unit.names = []
            return


def put_together(units: list[Unit], whole: list[Unit]) -> None:
    """Let functions of other names belong to the forward pass that they were written for.

    Parameters
    ----------
    units : list of Unit
        All of a file.
    whole : list of Unit
        Those that have a forward pass, or a problem.
    """
    for unit in units:
        _give_backwards(unit, whole)
    lonely = [one for one in whole if isinstance(one.forward, Forward) and not one.backwards]
    for unit in units:
        _give_to_the_only_one(unit, lonely)
        if unit not in whole:
            _give_to_another(unit, whole)
