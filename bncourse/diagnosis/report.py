"""What a diagnosis says: findings, their report, and the exception that a check raises."""

import re
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bncourse.diagnosis.catalogue import chapter_link, experiments_of, known_beliefs
from bncourse.diagnosis.experiments import EXPERIMENTS, experiments_for
from bncourse.numpy_bn.functional import Stages

STILL_MISSING = "Your code is still missing."
"""What is said of code that holds the line it was released with."""
_PACKAGE = str(Path(__file__).resolve().parents[1])


class Misconception(AssertionError):
    """What a student's code believes and should not, in words; it never holds an expected value.

    Parameters
    ----------
    text : str
        The whole message: the belief first.
    part : str
        What was wrong: "forward", "dx", "dgamma", "dbeta", "inference", "running_var", ...
    belief : str, optional
        Id of the belief in the catalogue; None where none of them explains what was seen.
    hints : sequence of str
        Three levels: which law is broken, which path or quantity, what to change.
    """

    def __init__(self, text: str, *, part: str, belief: str | None = None, hints: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.part = part
        self.belief = belief
        self.hints = hints
        self.names: dict[str, str] = {}
        """What the functions of the lines to paste are called in the student's file; `args[0]` says it without."""

    def __str__(self) -> str:
        """The message, its lines to paste with the student's own names."""
        return self.with_names(str(self.args[0]))

    def with_names(self, message: str) -> str:
        """A message, or a part of it, with the student's own names in its lines to paste."""
        words = re.compile(r"\b(" + "|".join(self.names or ["$^"]) + r")(?=\()")
        lines = message.split("\n")
        return "\n".join(
            words.sub(lambda found: self.names[found[1]], line) if line.startswith("Try it: ") else line
            for line in lines
        )

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows, by IPython's rule: the message, and of the traceback the student's own lines."""
        if self.__cause__ is None:
            return [str(self)]
        if isinstance(self.__cause__, NotImplementedError):
            return [STILL_MISSING]
        frames = traceback.extract_tb(self.__cause__.__traceback__)
        own = [frame for frame in frames if not frame.filename.startswith(_PACKAGE)]
        return [str(self), "", "It was raised here:", *(part.rstrip("\n") for part in traceback.format_list(own))]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    part: str
    """Where it shows: "forward", "dx", "dgamma", "dbeta", a stage's name, "inference", "running_var", ..."""
    belief: str | None
    """Id in the catalogue, or None where no belief explains what was seen."""
    message: str
    """The belief in plain words."""
    hints: tuple[str, str, str]
    """Which law is broken; which path or quantity; what to change."""
    page: str
    """The chapter that answers."""
    remark: str = ""
    """What else the student should know, such as that the rest was graded on its own."""
    experiment: str = ""
    """How the belief can be seen with the student's own functions, in one line to paste."""
    cause: Exception | None = field(default=None, compare=False, repr=False)
    """What the student's function raised."""

    def text(self, hint: int = 1) -> str:
        """Whole message: the belief, how to see it, where to read, and as many hints as asked for."""
        head = [self.message, self.experiment, f"Read on: {chapter_link(self.page)}"]
        lines = [*head, *self.hints[: max(0, hint)], self.remark]
        return "\n".join(line for line in lines if line)

    def data(self) -> dict[str, object]:
        """Plain data, for JSON."""
        return {
            "part": self.part,
            "belief": self.belief,
            "message": self.message,
            "hints": list(self.hints),
            "remark": self.remark,
            "experiment": self.experiment,
            "page": self.page,
            "read": chapter_link(self.page),
        }

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> "Finding":
        """Undo `data`.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is no finding.
        """
        belief = data["belief"]
        if belief is not None and belief not in known_beliefs():
            raise ValueError(f"belief is {belief!r}. Expected an id of the catalogue.")
        first, second, third = map(str, data["hints"])
        part, message, page = str(data["part"]), str(data["message"]), str(data["page"])
        chapter_link(page)
        return cls(part, belief, message, (first, second, third), page, str(data["remark"]), str(data["experiment"]))

    def misconception(self, hint: int = 1) -> Misconception:
        """Make the exception that a check raises."""
        raised = Misconception(self.text(hint), part=self.part, belief=self.belief, hints=self.hints)
        raised.__cause__ = self.cause
        return raised


def finding(
    belief: str,
    part: str | None = None,
    *,
    lead: str = "",
    remark: str = "",
    shown_as: str = "",
    kind: str = "batch",
    maps: bool = False,
) -> Finding:
    """Say that a belief of the catalogue explains what was seen.

    Parameters
    ----------
    belief : str
        Its id.
    part : str, optional
        Where it shows, if that is narrower than the belief's own part.
    lead : str
        A first sentence instead of the belief's.
    remark : str
        What else the student should know.
    shown_as : str
        The experiment that shows it, by its name in the catalogue, where that is not the belief's own.
    kind : str
        Of which normalization: the words for what shares a mean follow it.
    maps : bool
        Whether the functions are for feature maps, so that an experiment must be made on some.
    """
    entry = known_beliefs()[belief].in_words_of(kind)
    where = part or entry.part
    message = lead or entry.sentence
    if where != entry.part and not lead:
        message += f" It shows in {where}."
    hints = SHAPES.get(where, entry.hints) if belief == "wrong-shape" else entry.hints
    names = experiments_for(shown_as, where, kind) if shown_as else experiments_of(belief, where, kind)
    chosen = EXPERIMENTS[names[0]].made_for(kind, maps=maps) if names and where in PARTS_TO_TRY else None
    experiment = chosen.text if chosen is not None else ""
    return Finding(where, belief, message, hints, entry.page, remark, experiment)


PARTS_TO_TRY = (
    *("forward", "dx", "dgamma", "dbeta", "running", "running_mean", "running_var"),
    *("inference", "inference_backward", "conv", "stages"),
    *Stages._fields,
)
"""Parts for which an experiment calls the functions that are wrong."""


_OF_X = (
    "y has one number for every number of x.",
    "Look at the last operation: which axis did it drop, add, or broadcast over?",
    "Return y in the shape of x.",
)
_OF_STATISTICS = (
    "A running statistic is one number for each feature.",
    "Look at the axis over which the mean and the variance are taken.",
    "Take them over the samples, which lie on axis 0, so that shape (C,) is left.",
)
SHAPES = {
    "forward": _OF_X,
    "conv": _OF_X,
    "inference": _OF_X,
    "running": _OF_STATISTICS,
    "running_mean": _OF_STATISTICS,
    "running_var": _OF_STATISTICS,
}
"""Hints about a wrong shape, where it is not a gradient's."""

UNKNOWN = {
    "forward": ("Your y is not the normalized x, scaled and shifted", "transform/transform"),
    "conv": ("Your y is not normalized channel by channel", "convolution/convolution"),
    "inference": ("Your y is not x normalized with the running statistics", "inference/modes"),
    "running_mean": ("Your running_mean is not the moving average of the batches' means", "inference/modes"),
    "running_var": ("Your running_var is not the moving average of the batches' variances", "inference/modes"),
}


def unknown(part: str) -> Finding:
    """Say that something is wrong and no belief of the catalogue explains it."""
    what, page = UNKNOWN.get(part, (f"Your {part} is not the derivative of the loss", "gradients/checking"))
    hints = (
        "The values differ from those of the definition by more than rounding.",
        "No mistake that we know explains it: take the definition and compare it with your code line by line.",
        "Work a batch of two samples and one feature by hand, and print every intermediate value.",
    )
    return Finding(part, None, f"{what}, and no belief that we know explains it.", hints, page)


@dataclass(frozen=True)
class Report:
    """All that a diagnosis found; empty findings mean that the code is right."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    """Harmless oddities, such as a gradient of shape (1, C)."""
    follow_through: tuple[str, ...] = ()
    """Parts that are right for the student's own, wrong forward pass, and so are not charged."""

    @property
    def correct(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def beliefs(self) -> tuple[str, ...]:
        """Ids of the beliefs that were found, the first first."""
        return tuple(found.belief for found in self.findings if found.belief)

    def __str__(self) -> str:
        """Readable in a terminal and in a notebook."""
        if self.correct:
            text = "Right: nothing to report."
        else:
            count = len(self.findings)
            text = f"{count} thing{'s' if count > 1 else ''} to fix:"
            for number, found in enumerate(self.findings, start=1):
                text += f"\n\n{number}. {found.part}\n   " + found.text(hint=2).replace("\n", "\n   ")
        return "\n".join([text, *(f"Note: {note}" for note in self.notes)])

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        """Show the text in a notebook, not the constructor's arguments."""
        printer.text(str(self))  # type: ignore[attr-defined]
