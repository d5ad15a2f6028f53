"""From a file to its reports: every normalization found, translated, and diagnosed."""

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bncourse.diagnosis.conventions.cells import UnreadableError
from bncourse.diagnosis.conventions.definitions import is_wanted
from bncourse.diagnosis.conventions.find import find_units
from bncourse.diagnosis.conventions.judge import Judge
from bncourse.diagnosis.conventions.known import CONVENTIONS
from bncourse.diagnosis.conventions.recognition import convention_of
from bncourse.diagnosis.conventions.repair import Budget, find_place
from bncourse.diagnosis.conventions.report import FileReport, FunctionReport
from bncourse.diagnosis.conventions.source import Program, load
from bncourse.diagnosis.conventions.syntax import names_in

NOTHING = (
    "nothing in it looks like a normalization. Expected functions such as batchnorm_forward(x, gamma, beta, ...) or a "
    "class such as BatchNorm with a method forward"
)


def diagnose_file(path: str | Path, convention: str | None = None) -> FileReport:
    """Say what a student's file believes about batch, layer, group, instance or RMS norm.

    Parameters
    ----------
    path : path
        A .py file or a notebook.
    convention : str, optional
        Name of the course's convention, one of `CONVENTIONS`; by default it is told from the signatures, and what
        differs between courses is no mistake.

    Raises
    ------
    ValueError
        If no convention has this name.
    """
    path = Path(path)
    text = read_text(path)
    if isinstance(text, FileReport):
        return text
    return look_at_source(text, convention, path.name, folder=str(path.resolve().parent))


def read_text(path: Path) -> str | FileReport:
    """Read a file in whatever encoding it has; where it cannot be read, return a report that says why."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return FileReport(path.name, problem=f"it cannot be read: {error.strerror}.")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def diagnose_source(text: str, convention: str | None = None, name: str = "layers.py") -> dict[str, Any]:
    """Do the same for the text of a file, and return plain data.

    Parameters
    ----------
    text : str
        Python, or a notebook as JSON.
    convention : str, optional
        As in `diagnose_file`.
    name : str
        How the file is called in messages; `.ipynb` at its end makes it a notebook.

    Returns
    -------
    dict
        `status` ("right", "mistaken" or "unreadable"), `convention`, `problem`, and `functions`: a list with `name`,
        `what`, `status`, `findings`, `notes`, `differences`, `reason` and `place` of each; `place` is None, or where no
        belief explains a mistake says in which line one change makes it right.
    """
    return look_at_source(text, convention, name).data()


def look_at_source(
    text: str,
    convention: str | None = None,
    name: str = "layers.py",
    *,
    folder: str | None = None,
    stopped: Mapping[str, str] = MappingProxyType({}),
    tell: Callable[[list[str], FileReport], None] = lambda names, report: None,
) -> FileReport:
    """Find, translate and diagnose what a text defines.

    Parameters
    ----------
    text, convention, name
        As in `diagnose_source`.
    folder : str, optional
        Where the modules lie that it imports from beside it.
    stopped : mapping
        Names of functions that are not to be run, and why.
    tell : callable
        Called before each normalization with the names of its functions and what has been said so far.
    """
    if convention is not None and convention not in CONVENTIONS:
        raise ValueError(f"No convention is called {convention!r}. Expected one of {', '.join(CONVENTIONS)}.")
    try:
        program = load(text, name, is_wanted, folder)
        units = find_units(program)
    except UnreadableError as error:
        return FileReport(name, problem=str(error))
    if not units:
        return FileReport(name, problem=f"{NOTHING}.")
    first = next((unit for unit in units if unit.forward is not None), units[0])
    chosen = CONVENTIONS[convention or convention_of(first)]
    report = FileReport(name, chosen.name, chosen.title)
    budget = Budget()
    for unit in units:
        unit.problem = next((stopped[one] for one in unit.names if one in stopped), unit.problem)
        tell(unit.names, report)
        own = CONVENTIONS[convention or convention_of(unit)]
        judged = Judge(unit, own, program, declared=convention is not None).reports()
        for one in judged:
            report.functions.append(_once(one, report.functions, program))
        tell(unit.names, report)
        find_place(unit, own, program, judged, budget, declared=convention is not None)
    report.functions = [one for one in report.functions if not _is_part(one, report.functions, program)]
    return report


def _is_part(report: FunctionReport, every: list[FunctionReport], program: Program) -> bool:
    """Whether a class that cannot be used alone is the base, or a part, of another that can: that one is looked at."""
    if report.status != "unreadable" or not isinstance(program.trees.get(report.name.split(".")[0]), ast.ClassDef):
        return False
    whole = {other.name.split(".")[0] for other in every if other.status != "unreadable"}
    users = [program.trees[name] for name in whole & program.trees.keys()]
    return report.name in names_in(*users)


def _once(report: FunctionReport, before: list[FunctionReport], program: Program) -> FunctionReport:
    """Say a slip once that a function has from another one of the file, which it calls or inherits from."""
    tree = program.trees.get(report.name.split(".")[0])
    if tree is None or not report.findings:
        return report
    used = names_in(tree)
    said = {found.belief for found in report.findings}
    for other in before:
        name = other.name.split(".")[0]
        known = {one.belief for one in other.findings}
        if "forward" in {one.part for one in other.findings}:
            known.add("eps-hard-coded")  # what a class seems to do that hands on an eps of its own
        if name in used and name != tree.name and None not in said and said <= known:
            report.findings = ()
            report.reason = f"It uses {name}, whose mistake shows here too."
            break
    return report
