"""Read the corpus: programs as students of many courses write them, right ones, and the same with one mistake each.

A program stands under `=== name`, and each mistake in it under `--- what is wrong`: lines to take out (`- `), lines to
put in (`+ `), and after `> ` the beliefs that are said of it. `%%` on a line of its own begins a cell of a notebook.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Wrong(NamedTuple):
    """A program with one mistake."""

    cause: str
    source: str
    said: tuple[str, ...]
    """Beliefs in the order of the report; "right" alone where it is a difference between courses only."""


class Program(NamedTuple):
    """A right program, and mistakes in it."""

    name: str
    source: str
    wrong: tuple[Wrong, ...]


def programs(form: str) -> list[Program]:
    """The programs of one file of the corpus."""
    blocks = re.split(r"(?m)^=== ", (HERE / f"{form}.txt").read_text(encoding="utf-8"))[1:]
    return [_program(block) for block in blocks]


def _program(block: str) -> Program:
    head, *mistakes = re.split(r"(?m)^--- ", block)
    name, source = head.split("\n", 1)
    source = source.strip("\n") + "\n"
    return Program(name, source, tuple(_wrong(source, one) for one in mistakes))


def _wrong(source: str, text: str) -> Wrong:
    cause, *lines = text.strip("\n").split("\n")
    edits: list[tuple[list[str], list[str]]] = []
    said: tuple[str, ...] = ()
    for line in lines:
        if line.startswith("> "):
            said = tuple(line[2:].split(", "))
        elif line.startswith("- "):
            if not edits or edits[-1][1]:
                edits.append(([], []))
            edits[-1][0].append(line[2:])
        else:
            edits[-1][1].append(line[2:])
    for old, new in edits:
        before, after = "\n".join(old), "\n".join(new)
        if before not in source:
            raise ValueError(f"{cause}: {before!r} does not stand in the program.")
        source = source.replace(before, after, 1)
    return Wrong(cause, source, said)


class HandedIn(NamedTuple):
    """A file as it was handed in."""

    name: str
    source: str
    cause: str
    """What is wrong in words, after `wrong: `; or why it is right, after `right: `."""
    said: tuple[str, ...]


def handed_in(corpus: str) -> list[HandedIn]:
    """The files of one corpus: under each its cause in words, and the beliefs that are said of it, after `> `."""
    blocks = re.split(r"(?m)^=== ", (HERE / f"{corpus}.txt").read_text(encoding="utf-8"))[1:]
    found = []
    for block in blocks:
        head, rest = block.split("\n", 1)
        source, cause, said = rest.rsplit("\n> ", 2)
        found.append(HandedIn(head, source + "\n", cause, tuple(said.strip().split(", "))))
    return found


def as_file(source: str) -> tuple[str, str]:
    """The text of a file and its name: a notebook where the program has cells."""
    if "\n%%\n" not in source:
        return source, "layers.py"
    cells = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in source.split("\n%%\n")]
    return json.dumps({"cells": cells}), "homework.ipynb"
