"""What is said once a change has been found: its place, and what of the verdicts it bears out."""

import ast
from bisect import bisect_left
from dataclasses import replace
from typing import NamedTuple

from bncourse.diagnosis.conventions.judge import FIRST
from bncourse.diagnosis.conventions.repair.edit import LINES, ORDER, Edit
from bncourse.diagnosis.conventions.report import FunctionReport, Place
from bncourse.diagnosis.conventions.said_once import is_unnamed
from bncourse.diagnosis.conventions.source import Program

VAGUE = {"running-statistics-mixed", "wrong-shape", "raised", "not-finite", "wrong-structure", "nothing-returned"}
"""Beliefs that say what is seen, and not what was thought."""
DOUBTFUL = {"cache-order", "eps-hard-coded", "inference-eps-hard-coded"}
"""Beliefs that other slips show, too: where one change makes everything right, that is said in their place."""


def _is_vague(belief: str | None) -> bool:
    return is_unnamed(belief) or belief in VAGUE


def says_little(report: FunctionReport) -> bool:
    """Whether nothing that is said of a function names for sure what its author believed.

    Where the forward pass is wrong, what is said of the running statistics and the inference may only follow from it.
    """
    first = [one for one in report.findings if one.part in ("forward", "conv")] or report.findings
    return bool(first) and all(_is_vague(one.belief) or one.belief in DOUBTFUL for one in first)


class Verdicts(NamedTuple):
    """What is said of the functions of one normalization."""

    report: FunctionReport
    """The one that the change was searched for."""
    before: list[FunctionReport]
    after: list[FunctionReport]
    """What is said of them with the change."""


def tell(edit: Edit, program: Program, text: list[str], verdicts: Verdicts) -> None:
    """Give the place of a change to every report that it makes right.

    Parameters
    ----------
    edit : Edit
        The change.
    program : Program
        The file.
    text : list of str
        Its lines.
    verdicts : Verdicts
        The reports; those of `before` are changed.
    """
    place = place_of(edit, program, text, whole=all(one.status == "right" for one in verdicts.after))
    after = {(one.name, one.what): one for one in verdicts.after}
    in_forward = "forward" in verdicts.report.what
    for one in verdicts.before:
        new = after.get((one.name, one.what))
        if one.status != "mistaken" or not one.findings:
            continue
        if "backward" in one.what and new is not None and in_forward:
            _say_anew(one, new, place)
        elif says_little(one) and (new is None or new.status == "right"):
            one.place = place
            if edit.change != ORDER and not _only_moves(place.source):  # else an exchange is what was meant
                one.findings = tuple(found for found in one.findings if _is_vague(found.belief))


def _only_moves(line: str) -> bool:
    """Whether a line hands values on under other names and calculates nothing."""
    try:
        statements = ast.parse(line).body
    except SyntaxError:
        return False
    reads = (ast.Tuple, ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.expr_context)
    return all(
        isinstance(one, ast.Assign) and all(isinstance(node, reads) for node in ast.walk(one.value))
        for one in statements
    )


def place_of(edit: Edit, program: Program, text: list[str], *, whole: bool) -> Place:
    """Where a change is made, as its author sees the file: in a notebook the lines of each code cell are counted."""
    same = () if edit.change == LINES else edit.others
    line, *rest = dict.fromkeys(getattr(one.at, "lineno", 1) for one in (edit, *same))
    cell = bisect_left(program.cells, line) if len(program.cells) > 1 else 0
    first = program.cells[cell - 1] if cell else 0
    quoted = " ".join((ast.get_source_segment("\n".join(text), edit.at) or "").split())
    more = tuple((other - first, text[other - 1].strip()) for other in rest)
    return Place(line - first, quoted, edit.change, text[line - 1].strip(), whole, cell, more)


def _say_anew(report: FunctionReport, mended: FunctionReport, place: Place) -> None:
    """Say of a backward pass what is said of it once the forward pass is right."""
    if mended.status == "right":
        report.findings, report.reason = (), FIRST
    else:
        report.findings = tuple(replace(one, experiment="") for one in mended.findings)
        report.reason = f"With the change in {place.where} this is said of it:"
    report.paste_first = ""
