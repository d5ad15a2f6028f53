"""From what a test cell raised to a verdict that gives away no hidden test and no expected value."""

import ast
import traceback
from types import TracebackType

from bncourse.diagnosis.report import Misconception
from bncourse.grading.crossing import StudentError, StudentGone, StudentLate, StudentRefused
from bncourse.grading.inert import inert
from bncourse.grading.records import MasterCell, Outcome, Verdict
from bncourse.grading.regions import HIDDEN_TESTS


def hidden_lines(source: str) -> frozenset[int]:
    """Return the numbers of the lines that students do not see."""
    hidden: set[int] = set()
    inside = False
    for number, line in enumerate(source.split("\n"), start=1):
        inside = inside or HIDDEN_TESTS.begin in line
        if inside:
            hidden.add(number)
        inside = inside and HIDDEN_TESTS.end not in line
    return frozenset(hidden)


def judge(cell: MasterCell, filename: str, error: BaseException, seconds: float) -> Verdict:
    """Return the verdict of a test cell that raised.

    Parameters
    ----------
    cell : MasterCell
        The test cell.
    filename : str
        Under which name it was compiled.
    error : BaseException
        What came out of it.
    seconds : float
        How long it took.
    """
    lines = _lines(error.__traceback__, filename)
    hidden = bool(lines and lines[-1] in hidden_lines(cell.source))
    outcome, message, belief = _what(cell, error, hidden, lines)
    return Verdict(cell.grade_id, outcome, 0.0, cell.points, inert(message, 1_500), belief, seconds)


def _what(cell: MasterCell, error: BaseException, hidden: bool, lines: list[int]) -> tuple[Outcome, str, str | None]:
    where = "A hidden test" if hidden else f"The test `{_line(cell, lines)}`"
    student = raised_by_student(error)
    if isinstance(error, StudentLate):
        return "timeout", f"{where} did not end in time.", None
    if isinstance(error, StudentGone):
        return "crashed", f"{where} ended the process in which your code ran.", None
    if student is not None and (student is error or isinstance(error, Misconception)):
        if isinstance(student, MemoryError):
            return "out of memory", f"{where} asked for more memory than there is.", None
        if student is error:
            place = f" in line {student.line} of cell {student.cell}" if student.line else ""
            return "crashed", f"{where} stopped{place}: {_headline(student)}", None
    if isinstance(error, Misconception):
        return "crashed" if student is not None or error.belief == "raised" else "wrong", str(error), error.belief
    if isinstance(error, StudentRefused):
        return "wrong", f"{where} got something that cannot be graded: {error}.", None
    if isinstance(error, AssertionError):
        return "wrong", _assertion(cell, error, hidden, lines), None
    return "wrong", f"{where} could not use what your code returned ({type(error).__name__}).", None


def raised_by_student(error: BaseException | None) -> StudentError | None:
    """What the student's code raised, if that is behind an exception."""
    for _ in range(6):
        if error is None or isinstance(error, StudentError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _assertion(cell: MasterCell, error: AssertionError, hidden: bool, lines: list[int]) -> str:
    """Return the author's own words if the assertion stands in the cell; library texts may hold expected values."""
    own = len(traceback.extract_tb(error.__traceback__)) > 0 and _raised_by_assert(cell, error, lines)
    if own and error.args:
        return str(error.args[0])
    return "A hidden test failed." if hidden else f"This test failed: `{_line(cell, lines)}`"


def _raised_by_assert(cell: MasterCell, error: AssertionError, lines: list[int]) -> bool:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or not lines or last.tb_lineno != lines[-1] or not last.tb_frame.f_code.co_filename.startswith("<"):
        return False
    found = (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert))
    return any(node.lineno <= lines[-1] <= (node.end_lineno or node.lineno) for node in found)


def _lines(trace: TracebackType | None, filename: str) -> list[int]:
    return [frame.lineno or 0 for frame in traceback.extract_tb(trace) if frame.filename == filename]


def _line(cell: MasterCell, lines: list[int]) -> str:
    source = cell.source.split("\n")
    seen = [number for number in lines if number not in hidden_lines(cell.source)]
    return source[seen[-1] - 1].strip()[:120] if seen and seen[-1] <= len(source) else cell.grade_id


def _headline(error: StudentError) -> str:
    text = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
