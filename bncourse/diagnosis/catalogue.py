"""What learners believe and should not: the catalogue, read from `catalogue.toml` beside this file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from bncourse.diagnosis.experiments import experiments_for
from bncourse.diagnosis.wording import STATISTICS, said_of

BOOK_URL = ""
"""Base address of the published book, ending in a slash; empty where the book is only on paper or on this disk."""

TITLES = {
    "beyond/layer_norm": "Layer, group and instance norm",
    "convolution/convolution": "Convolution: one mean per map",
    "gradients/checking": "How to check a gradient, and how not to",
    "gradients/closed_form": "The closed form and the projection",
    "gradients/graph": "The graph and the staged pass",
    "gradients/invariances": "Invariances and the effective learning rate",
    "gradients/vanishing_term": "The vanishing term",
    "inference/modes": "Modes and folding",
    "inference/population_statistics": "Population statistics",
    "practice/the_batch": "What is the batch?",
    "practice/training": "Training with batch normalization",
    "transform/transform": "The transform",
    "why/covariate_shift": "Covariate shift: the classifier that met only black cats",
    "why/internal_covariate_shift": "Internal covariate shift: the moving target",
    "why/whitening": "Whitening, and why not",
}
"""Titles of the chapters that answer beliefs, as the book has them."""


def chapter_link(page: str) -> str:
    """Say where to read on: an address, or the chapter's name and file.

    Parameters
    ----------
    page : str
        The page inside the book, without an ending; one of `TITLES`.

    Examples
    --------
    >>> chapter_link("gradients/vanishing_term")
    'chapter "The vanishing term" (book/gradients/vanishing_term)'
    """
    if BOOK_URL:
        return f"{BOOK_URL}{page}.html"
    return f'chapter "{TITLES[page]}" (book/{page})'


@dataclass(frozen=True)
class Belief:
    """One mistaken belief.

    `belief` and `truth` are clauses: "Your code believes that ...", "In truth ...".
    """

    id: str
    part: str
    """Where it shows: forward, dx, dgamma, dbeta, stages, inference, inference_backward, running, conv, or any."""
    belief: str
    truth: str
    symptom: str
    page: str
    hints: tuple[str, str, str]
    """Which law is broken; which path or quantity; what to change."""
    follow_through: bool = False
    """The gradient of such a forward pass is as much work as that of the right one."""
    see: str = ""
    """Which experiment shows it, a name of `experiments.EXPERIMENTS` without its " in dx" or the like."""
    also: tuple[str, ...] = ()
    """Other slips with the very same values, which no check of values can tell apart."""
    elsewhere: str = ""
    """The first hint for normalizations of which the own one is not true; "" where it is."""

    @property
    def sentence(self) -> str:
        """The belief as a student reads it."""
        return f"Your code believes that {self.belief}."

    def in_words_of(self, kind: str) -> "Belief":
        """Say the same of another normalization, in which other values share a mean."""
        if kind == "batch" or kind not in STATISTICS:
            return self

        def said(text: str) -> str:
            return said_of(text, kind, belief=self.id, part=self.part)

        first, second, third = self.hints
        hints = said(self.elsewhere or first), said(second), said(third)
        entry = replace(self, belief=said(self.belief), truth=said(self.truth), symptom=said(self.symptom))
        return replace(entry, hints=hints)

    @property
    def link(self) -> str:
        """Where the book answers."""
        return chapter_link(self.page)


@cache
def beliefs() -> Mapping[str, Belief]:
    """Return every belief under its id, in the order of the file.

    Examples
    --------
    >>> beliefs()["eps-outside-root"].sentence
    'Your code believes that eps is added to the standard deviation.'
    """
    text = Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8")
    found = {}
    for name, entry in tomllib.loads(text).items():
        first, second, third = entry.pop("hints")
        also = tuple(entry.pop("also", ()))
        found[name] = Belief(id=name, hints=(first, second, third), also=also, **entry)
    return MappingProxyType(found)


TASKS = ("forward", "backward", "shift", "pytorch", "training", "beyond")
"""Assignments whose answers have beliefs of their own, in `tasks/`."""
BY_HAND = "Work the smallest case by hand, and print every intermediate value of your code beside it."


@cache
def task_beliefs() -> Mapping[str, Belief]:
    """Return the beliefs about answers of assignments, in the order of their files.

    A heading is the question; below it stands the page that answers, and each belief by the rest of its id.

    Examples
    --------
    >>> task_beliefs()["weights-upside-down"].part
    'weights'
    """
    found = {}
    for task in TASKS:
        text = Path(__file__).with_name("tasks").joinpath(f"{task}.toml").read_text(encoding="utf-8")
        for part, entries in tomllib.loads(text).items():
            page = entries.pop("page")
            for name, entry in entries.items():
                hints = entry["look"], f"In truth {entry['truth']}.", BY_HAND
                belief = Belief(
                    id=f"{part}-{name}",
                    part=part,
                    belief=entry["belief"],
                    truth=entry["truth"],
                    symptom="",
                    page=entry.get("page", page),
                    hints=hints,
                    also=tuple(entry.get("also", ())),
                )
                found[belief.id] = belief
    return MappingProxyType(found)


def experiments_of(belief: str, part: str, kind: str) -> list[str]:
    """Names of the experiments that may show a belief where it shows, the one that its message tells first.

    Parameters
    ----------
    belief : str
        Id in the catalogue.
    part : str
        Where it shows.
    kind : str
        Of which normalization.
    """
    entry = known_beliefs()[belief]
    return experiments_for(entry.see, part, kind, own_part=part == entry.part) if entry.see else []


def and_also(belief: Belief) -> str:
    """Say a second belief after the first."""
    return f"And: {belief.sentence}"


@cache
def known_beliefs() -> Mapping[str, Belief]:
    """Return every belief that can be named, those about batch normalization first."""
    return MappingProxyType({**beliefs(), **task_beliefs()})


def order_of(names: tuple[str, ...]) -> tuple[int, ...]:
    """Positions of beliefs in the catalogue: what ties are broken by.

    Examples
    --------
    >>> order_of(("eps-ignored", "eps-outside-root"))
    (0, 1)
    """
    return tuple(sorted(_positions().get(name, -1) for name in names))


@cache
def _positions() -> Mapping[str, int]:
    return {name: position for position, name in enumerate(beliefs())}
