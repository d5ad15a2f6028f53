"""What a test cell raised in; a verdict out that shows no hidden test and no expected value.

Once a hidden test has called a student's code, that code knows its inputs, and may put them into whatever it is
free to choose: an exception's text or line, a shape, a class's name. From then on a verdict says only what stands in
a list that was written before: the outcome, a built-in exception's name, a belief of the catalogue.
"""

import ast
import math
import traceback
from functools import cache
from types import TracebackType
from typing import NamedTuple

from bncourse.diagnosis.catalogue import and_also, chapter_link, known_beliefs, task_beliefs
from bncourse.diagnosis.checks import STAGES_OF
from bncourse.diagnosis.raising import MEND_FIRST
from bncourse.diagnosis.report import Finding, Misconception, finding, unknown
from bncourse.diagnosis.wording import STATISTICS
from bncourse.grading.core.plain_text import inert
from bncourse.grading.core.records import MasterCell, Outcome, Verdict
from bncourse.grading.core.regions import hidden_lines
from bncourse.grading.oracle.remote_errors import (
    NoArray,
    StudentError,
    StudentGone,
    StudentLate,
    StudentRefused,
    TestLate,
)


def first_secret(source: str) -> float:
    """The number of the line from which on a test cell may know what students do not; infinite where nothing is hidden.

    A hidden region inside of a loop or a function makes a secret of the whole cell.
    """
    first = min(hidden_lines(source), default=None)
    if first is None:
        return math.inf
    return 1 if source.split("\n")[first - 1].startswith((" ", "\t")) else first


class Judged(NamedTuple):
    """A verdict, and whether its message says less than it would if no hidden test had run before."""

    verdict: Verdict
    withheld: bool


ELSEWHERE = "What the visible test asks is right; try other numbers and other shapes."
"""What a hidden test that failed says where its author has written nothing: the visible lines before it have passed."""


def judge(
    cell: MasterCell, filename: str, error: BaseException, *, secret: bool, answers: frozenset[str] = frozenset()
) -> Judged:
    """Return the verdict of a test cell that raised.

    Parameters
    ----------
    cell : MasterCell
        The test cell.
    filename : str
        Under which name it was compiled.
    error : BaseException
        What came out of it.
    secret : bool
        Whether the student's code may know what a hidden test asks.
    answers : frozenset of str
        What the assignment's answers bind: of these, a message names what the visible lines of the test ask.
    """
    asked = visible_names(cell.source) & answers
    lines = _lines(error.__traceback__, filename)
    hidden = bool(lines and lines[-1] in hidden_lines(cell.source))
    outcome, message, belief = _what(cell, error, hidden, lines, asked, discreet=secret or hidden)
    withheld = secret and not hidden and message != _what(cell, error, hidden, lines, asked, discreet=False)[1]
    return Judged(Verdict(cell.grade_id, outcome, 0.0, cell.points, inert(message, 1_500), belief), withheld)


def _what(
    cell: MasterCell, error: BaseException, hidden: bool, lines: list[int], asked: frozenset[str], *, discreet: bool
) -> tuple[Outcome, str, str | None]:
    where = _hidden_test(asked) if hidden else f"The test `{_line(cell, lines)}`"
    student = raised_by_student(error)
    if isinstance(error, StudentLate):
        return "timeout", f"{where} did not end in time.", None
    if isinstance(error, TestLate):
        return "timeout", f"{where} took too long with what your code returned.", None
    if isinstance(error, MemoryError) and student is None:
        return "out of memory", f"{where} needed more memory than there is for what your code returned.", None
    if isinstance(error, StudentGone):
        return "crashed", f"{where} ended the process in which your code ran.", None
    if student is not None and (student is error or isinstance(error, Misconception)):
        if isinstance(student, MemoryError):
            return "out of memory", f"{where} asked for more memory than there is.", None
        if student is error:
            more = f". {ELSEWHERE}" if hidden else ""
            return "crashed", f"{where} stopped{_headline(student, discreet=discreet)}{more}", None
    if isinstance(error, Misconception):
        text = _listed_text(error, visible_names(cell.source)) if discreet else str(error)
        return "crashed" if student is not None or error.belief == "raised" else "wrong", text, error.belief
    if isinstance(error, StudentRefused):
        why = "" if discreet else f": {error}"
        return "wrong", f"{where} got something that cannot be graded{why}.", None
    if isinstance(error, AssertionError):
        return "wrong", _assertion(cell, error, hidden, lines, asked, discreet=discreet), None
    return "wrong", f"{where} could not use what your code returned ({type(error).__name__}).", None


def _hidden_test(asked: frozenset[str]) -> str:
    """A hidden test by what its visible lines ask of the student."""
    return f"A hidden test of {' and '.join(f'`{name}`' for name in sorted(asked))}" if asked else "A hidden test"


@cache
def visible_names(source: str) -> frozenset[str]:
    """The names that the visible lines of a test read."""
    hidden = hidden_lines(source)
    found = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name) and node.lineno not in hidden)
    return frozenset(node.id for node in found if isinstance(node.ctx, ast.Load))


def _listed_text(error: Misconception, public: frozenset[str]) -> str:
    """Those lines of a diagnosis that are the same for everybody who holds the belief.

    They call the functions by the names that the test's visible lines read; any other may be of the student's choice.
    """
    part = error.part if error.part.isidentifier() and len(error.part) < 30 else "your code"
    entry = known_beliefs().get(error.belief or "")
    known: Finding = _finding(error, entry.id, part) if entry else unknown(part)
    pages = {known.page} | ({entry.page} if entry else set())
    listed = {known.message, known.experiment, *known.hints, MEND_FIRST, STAGES_OF, *map(_read_on, pages)}
    listed |= {entry.sentence} if entry else set()
    if entry and entry.id in task_beliefs():
        listed |= {and_also(other) for other in task_beliefs().values() if other.part == entry.part}
    first = [known.message, entry.sentence if entry else ""]
    student = raised_by_student(error)
    if student is not None:
        first.insert(0, f"Your function raised {_usual(student)}.")
    kept = [line for line in str(error.args[0]).split("\n") if line in listed]
    text = "\n".join(kept if kept and kept[0] in first else [first[0], *kept])
    return error.with_names(text) if public.issuperset(error.names.values()) else text


def _finding(error: Misconception, belief: str, part: str) -> Finding:
    """The same diagnosis in the words of the normalization that was spoken of."""
    said = list[Finding]()
    lines = str(error.args[0]).split("\n")
    for kind, maps in (*((kind, False) for kind in ("batch", *STATISTICS)), ("batch", True)):
        said.append(finding(belief, part, kind=kind, maps=maps))
        if said[-1].message == lines[0] and said[-1].experiment in lines:
            return said[-1]
    return next((one for one in said if one.message == lines[0]), said[0])


def _read_on(page: str) -> str:
    return f"Read on: {chapter_link(page)}"


def raised_by_student(error: BaseException | None) -> StudentError | None:
    """What the student's code raised, if that is behind an exception."""
    for _ in range(6):
        if error is None or isinstance(error, StudentError):
            return error
        error = error.__cause__ or error.__context__
    return None


def what_stopped(error: BaseException | None) -> str:
    """Name the built-in exception that ended a test before there was an answer to judge; empty where there was one."""
    student = raised_by_student(error)
    if student is not None:
        return type(student).__name__
    if isinstance(error, NoArray):
        return TypeError.__name__
    judged = isinstance(error, AssertionError | StudentRefused) or not isinstance(error, Exception)
    return "" if judged else type(error).__name__


def _assertion(
    cell: MasterCell, error: AssertionError, hidden: bool, lines: list[int], asked: frozenset[str], *, discreet: bool
) -> str:
    """Return the author's own words if the assertion stands in the cell; library texts may hold expected values."""
    own = _raised_by_assert(cell, error, lines)
    if own is not None and error.args and (not discreet or isinstance(own.msg, ast.Constant)):
        return str(error.args[0])
    return f"{_hidden_test(asked)} failed. {ELSEWHERE}" if hidden else f"This test failed: `{_line(cell, lines)}`"


def _raised_by_assert(cell: MasterCell, error: AssertionError, lines: list[int]) -> ast.Assert | None:
    """The statement of the cell that raised, if one did."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or not lines or last.tb_lineno != lines[-1] or not last.tb_frame.f_code.co_filename.startswith("<"):
        return None
    found = (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert))
    return next((node for node in found if node.lineno <= lines[-1] <= (node.end_lineno or node.lineno)), None)


def _lines(trace: TracebackType | None, filename: str) -> list[int]:
    return [frame.lineno or 0 for frame in traceback.extract_tb(trace) if frame.filename == filename]


def _line(cell: MasterCell, lines: list[int]) -> str:
    source = cell.source.split("\n")
    seen = [number for number in lines if number not in hidden_lines(cell.source)]
    return source[seen[-1] - 1].strip()[:120] if seen and seen[-1] <= len(source) else cell.grade_id


USUAL = (
    *("TypeError", "ValueError", "IndexError", "KeyError", "AttributeError", "NameError", "ZeroDivisionError"),
    "NotImplementedError",
)
"""What code that computes raises; any other name could be a message."""


def _usual(error: StudentError) -> str:
    """The name of an exception, where it is one of a few."""
    return next((kind.__name__ for kind in type(error).__mro__ if kind.__name__ in USUAL), "an exception")


def _headline(error: StudentError, *, discreet: bool) -> str:
    name = type(error).__name__
    if discreet:
        return f": {_usual(error)}"
    place = f" in line {error.line} of cell {error.cell}" if error.line else ""
    text = str(error).strip().split("\n")[0]
    return f"{place}: {name}: {text}" if text else f"{place}: {name}"
