"""A student's notebook in; verdicts of its visible tests out, run in this process without a sandbox.

Nothing but NumPy is needed: a notebook is read as the JSON that it is.
"""

import ast
import contextlib
import io
import json
import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bncourse.diagnosis.report import STILL_MISSING, Misconception
from bncourse.grading.core.records import Verdict

_MAGIC = re.compile(r"^\s*[%!]")


class UnreadableNotebookError(ValueError):
    """A file that is not a notebook, and why."""


class MissingExtraError(ImportError):
    """A library that a notebook needs and that is not installed, and what to type."""


def read_notebook(path: Path) -> dict[str, Any]:
    """Read a notebook file.

    Raises
    ------
    UnreadableNotebookError
        If it is missing, a folder, or not a notebook.
    """
    if path.is_dir():
        raise UnreadableNotebookError(f"{path} is a folder. Expected a notebook, such as backward.ipynb.")
    try:
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UnreadableNotebookError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableNotebookError(f"{path} is not a notebook: its content is not JSON.") from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise UnreadableNotebookError(f"{path} is not a notebook of format 4: it has no list of cells.")
    if not any(_is_test(cell) for cell in cells):
        raise UnreadableNotebookError(f"{path} holds no tests. Is it a notebook of this course?")
    return dict(notebook)


def run_checks(notebook: Mapping[str, Any]) -> list[Verdict]:
    """Run the notebook's code cells in order, in one namespace; a verdict for each test cell."""
    return list(checks_in_turn(notebook))


def checks_in_turn(notebook: Mapping[str, Any]) -> Iterator[Verdict]:
    """Yield the same one by one, so that a caller who has seen enough can stop.

    A cell of the student's that fails is left at the failing statement, and the next statements run all
    the same, as they do when the notebook is graded.

    Raises
    ------
    MissingExtraError
        If a given cell says that a library must be installed first.
    """
    os.environ.setdefault("MPLBACKEND", "Agg")
    names: dict[str, Any] = {"__name__": "__main__", "display": lambda *_: None}
    untouched = False
    for cell in notebook["cells"]:
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        source = "".join(source) if isinstance(source, list) else str(source)
        if _is_test(cell):
            verdict = _verdict(cell["metadata"]["nbgrader"], source, names)
            yield _without_code(verdict) if untouched else verdict
            continue
        facts = _facts(cell)
        if facts.get("solution"):
            untouched = _is_untouched(source)
        given = bool(facts) and not facts.get("solution")
        _run_statements(source, names, given=given)


def _facts(cell: Mapping[str, Any]) -> dict[str, Any]:
    metadata = cell.get("metadata")
    facts = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return facts if isinstance(facts, dict) else {}


def _is_test(cell: Mapping[str, Any]) -> bool:
    facts = _facts(cell)
    return bool(facts.get("grade")) and not facts.get("solution") and "grade_id" in facts


def _is_untouched(source: str) -> bool:
    """Whether a cell for an answer holds nothing but the line that raises."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return False
    return all(isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node) for node in body)


def _without_code(verdict: Verdict) -> Verdict:
    """The verdict of a test below an untouched cell: what it says is said of the code that was given."""
    if verdict.outcome in ("correct", "not attempted"):
        return verdict
    return replace(verdict, outcome="not attempted", message=f"{STILL_MISSING} As it stands: {verdict.message}")


def _run_statements(source: str, names: dict[str, Any], *, given: bool) -> None:
    """Run what can be run; what fails shows itself in the tests that need it."""
    plain = "\n".join("" if _MAGIC.match(line) else line for line in source.split("\n"))
    try:
        tree = ast.parse(plain)
    except (SyntaxError, ValueError):
        return
    for statement in tree.body:
        try:
            with _quiet():
                exec(compile(ast.Module([statement], []), "<your notebook>", "exec"), names)  # noqa: S102 - the user's own code
        except (Exception, SystemExit) as error:
            if given and isinstance(error, ImportError) and "pip install" in str(error):
                raise MissingExtraError(str(error)) from error


def _verdict(facts: Mapping[str, Any], source: str, names: dict[str, Any]) -> Verdict:
    points = float(facts.get("points") or 0.0)
    name = str(facts["grade_id"])
    start = time.perf_counter()
    try:
        with _quiet():
            exec(compile(source, f"<{name}>", "exec"), names)  # noqa: S102 - the notebook's own test
    except Misconception as found:
        if isinstance(found.__cause__, NotImplementedError):
            return Verdict(name, "not attempted", 0.0, points, STILL_MISSING)
        return Verdict(name, "wrong", 0.0, points, str(found), found.belief, time.perf_counter() - start)
    except AssertionError as found:
        return Verdict(name, "wrong", 0.0, points, str(found), seconds=time.perf_counter() - start)
    except NotImplementedError:
        return Verdict(name, "not attempted", 0.0, points, STILL_MISSING)
    except NameError as found:
        message = f"{STILL_MISSING[:-1]}, or it raised before it defined {found.name}."
        return Verdict(name, "not attempted", 0.0, points, message, seconds=time.perf_counter() - start)
    except (Exception, SystemExit) as found:
        message = f"{type(found).__name__}: {found}"
        return Verdict(name, "crashed", 0.0, points, message, seconds=time.perf_counter() - start)
    return Verdict(name, "correct", points, points, seconds=time.perf_counter() - start)


@contextlib.contextmanager
def _quiet() -> Any:
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield
