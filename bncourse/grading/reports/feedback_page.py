"""A graded notebook and its marks in; one page for the student out, which fetches nothing and runs nothing.

What was wrong stands at the top, then the points of everything, then the tasks: open where points were lost, folded
where all is right. Right and wrong are told apart by words and signs, never by color alone.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from bncourse.grading.gradebook.marks import Mark, Marks
from bncourse.grading.reports.autograded import NOTES, read_verdict
from bncourse.grading.reports.markdown_page import Formulas, markdown_html, own_markdown_html
from bncourse.grading.reports.safe_markdown import safe_markdown

TOP = 3
"""How many things are said at the top."""
NO_RESPONSE = "No response."
"""nbgrader's comment on an answer that is as it was released."""
SHORT = 200
"""Characters of a message there."""
SIGNS = {"right": "✓", "part": "◐", "wrong": "✗", "waits": "…", "empty": "–"}
WORDS = {"right": "right", "part": "in part", "wrong": "wrong", "waits": "not marked yet", "empty": "not attempted"}

_TEMPLATE = "feedback.html.j2"
_HEADING = re.compile(r"^##\s+(.+?)\s*#*$", re.MULTILINE)
_READ_ON = re.compile(r"Read on: chapter &#34;(?P<title>[^&\n]{1,100})&#34; \((?P<page>book/[\w/]{1,100})\)")
_ADDRESS = re.compile(r"Read on: (?P<address>https?://[\w.~/%+:-]{1,300}\.html)")


@dataclass(frozen=True)
class Entry:
    """One thing that gives points."""

    id: str
    name: str
    state: str
    """One of `SIGNS`."""
    word: str
    points: float
    max_points: float
    said: str = ""
    """What the test says."""
    comment: Markup = field(default_factory=Markup)
    """What a person says."""
    test: str = ""
    """The test, as the student had it."""
    unreadable: bool = False
    """Whether there was nothing to test, because the file cannot be read."""

    @property
    def sign(self) -> str:
        """The state as one character."""
        return SIGNS[self.state]

    @property
    def lost(self) -> float:
        """Points that were lost for good."""
        return 0.0 if self.state == "waits" else self.max_points - self.points


@dataclass
class Part:
    """A task: its heading, the assignment's own text and code, and what the student did there."""

    title: str
    entries: list[Entry] = field(default_factory=list)
    blocks: list[tuple[str, Any]] = field(default_factory=list)
    """What is shown, in order: `own`, `text`, `code`, `output`, `comment` or `entry`, and its content."""

    def add_own(self, kind: str, content: Any) -> None:
        """Add something of the assignment's own; what stands together is folded together."""
        if not self.blocks or self.blocks[-1][0] != "own":
            self.blocks.append(("own", []))
        self.blocks[-1][1].append((kind, content))

    @property
    def shown(self) -> bool:
        """Whether anything of the student's stands here."""
        return any(kind != "own" for kind, _ in self.blocks)

    @property
    def open(self) -> bool:
        """Whether it holds something to read: lost points, or a comment."""
        comments = any(kind == "comment" for kind, _ in self.blocks) or any(entry.comment for entry in self.entries)
        return comments or any(entry.state in ("wrong", "part") for entry in self.entries)

    @property
    def points(self) -> float:
        """The points so far."""
        return sum(entry.points for entry in self.entries)

    @property
    def max_points(self) -> float:
        """The points that can be had."""
        return sum(entry.max_points for entry in self.entries)

    @property
    def state(self) -> str:
        """Of all its entries together."""
        states = {entry.state for entry in self.entries}
        for state in ("wrong", "part", "empty", "waits"):
            if state in states:
                return "part" if state in ("wrong", "empty") and "right" in states else state
        return "right"


def feedback_page(notebook: Mapping[str, Any], marks: Marks, book: str = "", today: date | None = None) -> str:
    """The page.

    Parameters
    ----------
    notebook : mapping
        As `autograded_notebook` made it.
    marks : Marks
        What the gradebook says.
    book : str, optional
        Address of the site with the book, so that "Read on" is a link.
    today : date, optional
        The date on the page; today's if left out.
    """
    notes, parts = _parts(notebook, marks)
    entries = [entry for part in parts for entry in part.entries]
    facts = notebook["metadata"].get("bncourse", {})
    tested = [entry for entry in entries if entry.test]
    unreadable = bool(tested) and all(entry.unreadable for entry in tested)
    return _template().render(
        title=str(facts.get("title") or "Feedback"),
        marks=marks,
        today=today or date.today(),
        notes=notes,
        parts=[part for part in parts if part.shown],
        unreadable=tested[0].said if unreadable else "",
        top=at_the_top(entries),
        all_right=bool(entries) and all(entry.state == "right" for entry in entries),
        waiting=[entry for entry in entries if entry.state == "waits"],
        linked=lambda text: linked(text, book),
        words=WORDS,
        signs=SIGNS,
    )


def without_own_text(notebook: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The notebook without what the student wrote and what their cells showed, with a note that says why.

    The verdicts stay: they are the grader's own.
    """
    text = f"What you wrote is not shown on this page ({safe_markdown(why)}). It stands in the file that you handed in."
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "id": NOTES, "metadata": {}, "source": text}]
    for cell in notebook["cells"]:
        facts, name = cell["metadata"].get("nbgrader") or {}, str(cell.get("id", ""))
        if name == NOTES or name.startswith("after-"):
            continue
        if facts.get("solution"):
            cells.append(
                {**cell, "source": "[not shown]", "attachments": {}} | ({"outputs": []} if "outputs" in cell else {})
            )
        else:
            cells.append(cell)
    return {**notebook, "cells": cells}


def at_the_top(entries: Iterable[Entry]) -> list[tuple[list[Entry], str, float]]:
    """What cost points, the most first: entries that say the same together, what they say, and the points."""
    said: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.lost > 0:
            first = entry.said.strip().split("\n")[0]
            said.setdefault(entry.word if entry.state == "empty" else first or entry.word, []).append(entry)
    found = [(group, _short(text), sum(entry.lost for entry in group)) for text, group in said.items()]
    return sorted(found, key=lambda each: -each[2])


def _short(text: str) -> str:
    if len(text) <= SHORT:
        return text
    return text[:SHORT].rpartition(" ")[0] + " ..."


def linked(text: str, book: str) -> Markup:
    """A message with its chapters as links, where it is known where the book lies.

    >>> linked('Read on: chapter "The graph" (book/gradients/graph)', "https://example.org/")
    Markup('Read on: <a href="https://example.org/book/gradients/graph.html">The graph</a>')
    """
    shown = str(escape(text))
    shown = _ADDRESS.sub(r'Read on: <a href="\g<address>">\g<address></a>', shown)
    if book:
        base = str(escape(book.rstrip("/"))).replace("\\", "/")
        shown = _READ_ON.sub(rf'Read on: <a href="{base}/\g<page>.html">\g<title></a>', shown)
    return Markup(shown)  # noqa: S704  (escaped above)


def page_digest() -> str:
    """What the look of the pages hangs on, so that pages of an older version are made again."""
    return hashlib.sha256(_source().encode()).hexdigest()


@cache
def _source() -> str:
    return resources.files(__package__).joinpath(_TEMPLATE).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = lambda value: f"{round(value, 2):g}"
    environment.filters["points"] = lambda value: f"{round(value, 2):g} point{'' if round(value, 2) == 1 else 's'}"
    return environment.from_string(_source())


def _parts(notebook: Mapping[str, Any], marks: Marks) -> tuple[Markup, list[Part]]:
    """What grading had to note, and the tasks."""
    formulas, notes = Formulas(), Markup()
    parts = [Part("Your notebook")]
    for cell in notebook["cells"]:
        source, name = "".join(cell["source"]), str(cell.get("id", ""))
        facts = cell["metadata"].get("nbgrader") or {}
        own = not facts.get("solution") and not name.startswith("after-")
        comment = marks.comments.get(name, "")
        said = _markdown({}, safe_markdown(comment), formulas) if comment not in ("", NO_RESPONSE) else Markup()
        part = parts[-1]
        if name == NOTES:
            notes = _markdown(cell, source, formulas)
        elif cell["cell_type"] == "markdown" and own:
            heading = _HEADING.search(source)
            if heading:
                parts.append(part := Part(re.sub(r"[`$*]", "", heading[1])))
            part.add_own("text", Markup(own_markdown_html(source)))  # noqa: S704  (the assignment's own)
        elif cell["cell_type"] == "markdown":
            part.blocks.append(("text", _markdown(cell, source, formulas)))
        elif own and not facts.get("grade"):
            for block in (("code", source), *_outputs(cell)):
                part.add_own(*block)
        elif not own:
            part.blocks += [("code", source), *_outputs(cell)]
        if facts.get("grade"):
            part.entries.append(entry := _entry(cell, facts, marks, said))
            part.blocks.append(("entry", entry))
        elif said:
            part.blocks.append(("comment", said))
    return notes, parts


def _markdown(cell: Mapping[str, Any], source: str, formulas: Formulas) -> Markup:
    """A text that `safe_markdown` has gone over."""
    return Markup(markdown_html(source, formulas, cell.get("attachments")))  # noqa: S704


def _outputs(cell: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a cell printed and drew."""
    found = []
    for output in cell.get("outputs", ()):
        if output["output_type"] == "stream":
            found.append(("printed", "".join(output["text"])))
        elif "image/png" in output.get("data", {}):
            found.append(("picture", "".join(output["data"]["image/png"]).replace("\n", "")))
    return found


def _entry(cell: Mapping[str, Any], facts: Mapping[str, Any], marks: Marks, comment: Markup) -> Entry:
    """What a cell that gives points came to."""
    name, by_hand = str(cell["id"]), bool(facts.get("solution"))
    mark = marks.cells.get(name, Mark(0.0, float(facts.get("points") or 0.0)))
    outcome, said = "", ""
    if not by_hand:
        outcome, said = read_verdict("".join(text for kind, text in _outputs(cell) if kind == "printed"))
    if mark.waits:
        state, word = "waits", WORDS["waits"] if by_hand else "needs a look"
    elif outcome == "not attempted" or (by_hand and not mark.points and marks.comments.get(name) == NO_RESPONSE):
        state, word = "empty", WORDS["empty"]
    elif mark.points >= mark.max_points:
        state, word = "right", WORDS["right"]
    elif mark.points > 0:
        state, word = "part", WORDS["part"]
    else:
        state, word = "wrong", "no points" if by_hand or outcome in ("", "correct") else outcome
    return Entry(
        id=name,
        name=name.removeprefix("test-").replace("-", " ").replace("_", " "),
        state=state,
        word=word,
        points=mark.points,
        max_points=mark.max_points,
        said=said,
        comment=comment,
        test="" if by_hand else "".join(cell["source"]),
        unreadable=outcome == "unreadable",
    )
