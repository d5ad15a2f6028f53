"""A private master in; what passes its tests out: its own solution should, last year's answers should not."""

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.evidence.correct_programs import RIGHT
from bncourse.diagnosis.evidence.matrix import Program, program_of, program_of_right
from bncourse.diagnosis.evidence.specimens import SPECIMENS
from bncourse.diagnosis.restated import AXES, GRADIENTS, Restated
from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.authoring.private import RESTATED, STRUCTURED, conventions, must_fail
from bncourse.grading.authoring.private_backward import BACKWARD_TESTS
from bncourse.grading.authoring.private_forward import FORWARD_TESTS
from bncourse.grading.authoring.private_signatures import turns_round
from bncourse.grading.authoring.sample_class import load_sample_class
from bncourse.grading.core.records import Master
from bncourse.grading.core.regions import SOLUTION
from bncourse.grading.core.render import source_notebook
from bncourse.grading.student.selfcheck import MissingExtraError, run_checks

ROLES = {
    "forward": ("forward", "inference", "running", "conv"),
    "backward": ("backward", "inference_backward", "conv_backward"),
}
"""The specimens that an assignment is tried on: those whose one wrong function it asks for."""

Function = Callable[..., Any]


class Trial(NamedTuple):
    """What was tried."""

    assignment: str
    tests: int
    """Tests that the master's own solution passes; 0 where a library is missing."""
    missing: str = ""
    """What has to be installed to try it."""
    answers: int = 0
    """Right answers of last year that lose every test that asks for something else."""
    lost: int = 0
    """How many tests those are."""
    specimens: int = 0
    """Wrong programs that lose at least one test."""
    right: int = 0
    """Right programs of other shapes that lose none."""


def try_private(private: Master, published: Master, shipped: Course, secret: str) -> Trial:
    """Try a private master.

    Parameters
    ----------
    private, published : Master
    shipped : Course
        Where the published masters and their sample classes lie.
    secret : str

    Raises
    ------
    CourseError
        Naming what passes and should not, or does not and should.
    """
    name = private.assignment
    try:
        verdicts = run_checks(source_notebook(private))
    except MissingExtraError as error:
        return Trial(name, 0, str(error))
    failed = [verdict for verdict in verdicts if verdict.outcome != "correct"]
    if failed:
        raise CourseError(
            f"The solution of the private {name} does not pass {failed[0].grade_id}: {failed[0].message} "
            "Nothing was made. Type the same line again: another secret is drawn."
        )
    own = conventions(name, secret) if name in RESTATED else None
    if name in STRUCTURED:
        other = must_fail(name, [verdict.grade_id for verdict in verdicts], own)
    else:
        other = [cell.grade_id for cell in private.cells if cell.kind == "test" and turns_round(cell.source)]
    answers = _right_answers(published, shipped)
    for student, texts in answers.items():
        with _quiet_libraries():
            passed = {each.grade_id for each in run_checks(_filled(private, texts)) if each.outcome == "correct"}
        if passed & set(other):
            raise CourseError(
                f"Last year's right answers of {student} pass {min(passed & set(other))} of the private {name}. "
                "Nothing was made. Type the same line again: another secret is drawn."
            )
    if own is None:
        return Trial(name, len(verdicts), "", len(answers), len(other))
    right = [program_of_right(each) for each in RIGHT if "float32" not in each.name]  # tests ask for float64
    for program in right:
        if _loses(private, program, own):
            raise CourseError(
                f"The right program {program.name} loses a test of the private {name}. Nothing was made. Type the same "
                "line again: another secret is drawn."
            )
    programs = [program_of(each) for each in SPECIMENS if each.role in ROLES[name]]
    for program in programs:
        if not _loses(private, program, own):
            raise CourseError(
                f"The wrong program {program.name} passes all tests of the private {name}. Nothing was made. Type the "
                "same line again: another secret is drawn."
            )
    return Trial(name, len(verdicts), "", len(answers), len(other), len(programs), len(right))


@contextlib.contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep what compiled libraries print, such as LAPACK of a matrix that holds NaN, off the terminal."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(number) for number in (1, 2)]
    try:
        with Path(os.devnull).open("wb") as nothing:
            for number in (1, 2):
                os.dup2(nothing.fileno(), number)
            yield
    finally:
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)


def _right_answers(published: Master, shipped: Course) -> dict[str, dict[str, str]]:
    """The published solution, and the right ones of the sample class, by whom."""
    solution = {cell.grade_id: _solved(cell.source) for cell in published.cells if cell.kind == "answer"}
    students = load_sample_class(shipped, published.assignment).students
    right = {each.id: solution | each.answers for each in students if each.status == "correct" and not each.lost}
    return {"the published solution": solution} | right


def _solved(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if SOLUTION.begin not in line and SOLUTION.end not in line)


def _filled(master: Master, answers: Mapping[str, str]) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(json.dumps(source_notebook(master)))
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return notebook


def _loses(master: Master, program: Program, own: Restated) -> bool:
    """Whether a wrong program, written in the conventions of the master, loses a test."""
    names: dict[str, Any] = {"__name__": "__main__"}
    functions = _as_asked(master.assignment, program, own)
    others = {"forward": FORWARD_TESTS, "backward": BACKWARD_TESTS}[master.assignment].keys() - functions.keys()
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        for cell in master.cells:
            if cell.kind in ("given", "answer"):
                with contextlib.suppress(Exception):  # what only shows something may fail with a wrong program
                    exec(_solved(cell.source), names)  # noqa: S102  (the master's own)
                names |= functions
            elif cell.kind == "test" and _calls(cell.source, functions) and not _calls(cell.source, others):
                try:
                    exec(cell.source, names)  # noqa: S102
                except Exception:
                    return True
    return False


def _calls(source: str, functions: Iterable[str]) -> bool:
    return any(re.search(rf"\b{name}\b", source) for name in functions)


def _as_asked(assignment: str, program: Program, own: Restated) -> dict[str, Function]:
    """A program of the book's conventions, in those of the master."""

    def flat(values: Any) -> Any:
        return np.asarray(values).reshape(-1)

    def shaped(values: Any) -> Any:
        return np.asarray(values).reshape(-1, 1) if own.column else values

    def maps(values: Any) -> Any:
        return np.transpose(values, np.argsort(np.asarray(AXES[own.maps])))

    def own_maps(values: Any) -> Any:
        return np.transpose(np.asarray(values), AXES[own.maps])

    def rows(values: Any) -> Any:
        return np.asarray(values).T

    def forward(function: Function, there: Function = rows, back: Function = rows) -> Function:
        def asked(x: Any, gamma: Any, beta: Any, *, eps: float = 1e-5) -> Any:
            y, cache = function(there(x), flat(gamma), flat(beta), eps=eps)
            return (cache, back(y)) if own.cache_first else (back(y), cache)

        return asked

    def backward(function: Function, there: Function = rows, back: Function = rows) -> Function:
        def asked(dy: Any, cache: Any) -> Any:
            result = function(there(dy), cache)
            dx, dgamma, dbeta = (result[name] for name in GRADIENTS) if isinstance(result, dict) else result
            named = {"dx": back(dx), "dgamma": shaped(dgamma), "dbeta": shaped(dbeta)}
            return tuple(named[name] for name in own.gradients)

        return asked

    def inference(x: Any, gamma: Any, beta: Any, mean: Any, spread: Any, *, eps: float = 1e-5) -> Any:
        result = program.inference(rows(x), *map(flat, (gamma, beta, mean)), own.var_of(flat(spread)), eps=eps)
        return rows(result[0] if isinstance(result, tuple) else result)

    def given_inference(x: Any, *statistics: Any, eps: float = 1e-5) -> Any:
        y, cache = program.inference(rows(x), *map(flat, statistics), eps=eps)
        return rows(y), cache

    def running(mean: Any, spread: Any, x: Any, *, momentum: float = 0.1 if own.weighs == "new" else 0.9) -> Any:
        weight = momentum if own.weighs == "new" else 1 - momentum
        mean, var = program.running(flat(mean), own.var_of(flat(spread)), rows(x), momentum=weight)
        return shaped(mean), shaped(own.spread_of(var))

    if assignment == "forward":
        return {
            "batch_norm_forward": forward(program.forward if program.role == "forward" else program.reference_forward),
            "batch_norm_inference": inference,
            "update_running": running,
            "batch_norm_forward_conv": forward(program.maps_forward, maps, own_maps),
        }
    return {
        "batch_norm_forward": forward(program.forward),
        "batch_norm_backward": backward(program.backward),
        "batch_norm_inference": given_inference,
        "batch_norm_inference_backward": backward(program.inference_backward),
        "batch_norm_forward_conv": forward(program.maps_forward, maps, own_maps),
        "batch_norm_backward_conv": backward(program.maps_backward, maps, own_maps),
    }
