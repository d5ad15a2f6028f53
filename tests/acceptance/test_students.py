"""Whole files as students of many courses write them: each right one passes, each slip in them is named.

A text in `students/` holds programs that have nothing in common but what they compute: `=== title`, the program, and
its slips, `--- belief, belief` with a line `old ==> new` for each line of the program that is written otherwise; `~`
stands for the end of a line.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from bncourse.diagnosis.conventions import diagnose_source

STUDENTS = Path(__file__).with_name("students")
TEXTBOOK = "closed-form-of-another-forward"


class Student(NamedTuple):
    """A right program, and mistaken ones made of it: what they believe, and their text."""

    title: str
    text: str
    mistaken: list[tuple[tuple[str, ...], str]]


def read_students() -> list[Student]:
    """Every program of the texts."""
    found = []
    for path in sorted(STUDENTS.glob("*.txt")):
        for block in re.split(r"(?m)^=== ", path.read_text(encoding="utf-8"))[1:]:
            head, *slips = re.split(r"(?m)^--- ", block)
            title, text = head.split("\n", 1)
            found.append(Student(title, text, [edited(text, slip) for slip in slips]))
    return found


def edited(text: str, slip: str) -> tuple[tuple[str, ...], str]:
    """What the author of a slip believes, and the program with it."""
    beliefs, *edits = slip.rstrip("\n").split("\n")
    for edit in edits:
        old, new = (side.replace("~", "\n") for side in re.split(r" ==> ?", edit, maxsplit=1))
        if old not in text:
            raise ValueError(f"{old!r} is not in the program")
        text = text.replace(old, new, 1)
    return tuple(beliefs.split(", ")), text


def twins(belief: str) -> set[str]:
    """A belief as training and as inference name it."""
    plain = belief.removeprefix("inference-")
    without = re.sub("(.*)-missing", r"inference-without-\1", plain)
    return {plain, f"inference-{plain}", without}


def named(beliefs: tuple[str, ...], text: str) -> bool:
    """Whether all that is believed is said, and nothing else but the same of inference, and what follows from it."""
    functions = diagnose_source(text)["functions"]
    said = {found["belief"] for one in functions for found in one["findings"]}
    too = any("The same shows in inference." in one["notes"] for one in functions)
    follows = {TEXTBOOK} if said - {TEXTBOOK} else set()
    told = said | {f"inference-{belief}" for belief in said if too}
    return set(beliefs) <= told and said <= set().union(*map(twins, beliefs)) | follows


EVERY = read_students()
SLIPS = [(student.title, *slip) for student in EVERY for slip in student.mistaken]


def slip_id(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)[:40].split("\n")[0]


def test_there_are_enough_programs() -> None:
    assert len(EVERY) >= 43
    assert len(SLIPS) >= 170


@pytest.mark.parametrize("student", EVERY[::3], ids=lambda one: one.title)
def test_right_files_pass(student: Student) -> None:
    report = diagnose_source(student.text)
    assert report["status"] == "right", report


@pytest.mark.parametrize(("title", "beliefs", "text"), SLIPS[::8], ids=slip_id)
def test_slips_are_named(title: str, beliefs: tuple[str, ...], text: str) -> None:
    assert named(beliefs, text)


@pytest.mark.long
def test_every_right_file_passes_and_every_slip_is_named() -> None:
    assert [one.title for one in EVERY if diagnose_source(one.text)["status"] != "right"] == []
    assert [(title, beliefs) for title, beliefs, text in SLIPS if not named(beliefs, text)] == []
