"""Answers to the assignments in students' own styles: right ones, and a wrong one for each belief.

One file of `student_answers` for each assignment. `NAME.styles` are right answers; under `NAME.slips` stands, for each
belief, how one becomes wrong: the style, then old and new text in turn. With two entries a belief shows in two styles.
"""

import tomllib
from pathlib import Path
from typing import NamedTuple


class Answer(NamedTuple):
    """An answer's code."""

    question: str
    style: str
    belief: str
    """The belief that it holds; empty where it is right."""
    code: str


def answers(task: str) -> list[Answer]:
    """Every answer of an assignment's file.

    Raises
    ------
    ValueError
        If a text to be replaced does not stand in its style.
    """
    found = []
    text = (Path(__file__).with_name("student_answers") / f"{task}.toml").read_text(encoding="utf-8")
    for question, entry in tomllib.loads(text).items():
        styles = entry["styles"]
        found += [Answer(question, style, "", code) for style, code in styles.items()]
        for belief, edits in entry["slips"].items():
            found += [Answer(question, edit[0], belief, _edited(styles[edit[0]], edit[1:], belief)) for edit in edits]
    return found


def _edited(code: str, texts: list[str], belief: str) -> str:
    for old, new in zip(texts[::2], texts[1::2], strict=True):
        if old not in code:
            raise ValueError(f"{belief}: {old!r} does not stand in the style.")
        code = code.replace(old, new)
    return code
