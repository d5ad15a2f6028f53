"""What `bncourse check` runs in a process of its own: the student's cells and the visible tests, as when it is graded.

A job comes in on the standard input; reports, the same as the oracle's, go out on the standard output, one a line.
"""

import ast
import builtins
import contextlib
import functools
import json
import linecache
import os
import re
import sys
import time
import traceback
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from bncourse.diagnosis.report import Misconception
from bncourse.grading.core.plain_text import inert
from bncourse.grading.core.records import Master, MasterCell, Verdict
from bncourse.grading.core.seeds import begin_anew, cell_seed
from bncourse.grading.oracle.compiled_master import CompiledMaster, quiet, test_file
from bncourse.grading.oracle.remote_errors import StudentError, StudentLate, error_class
from bncourse.grading.oracle.verdicts import judge, raised_by_student, what_stopped
from bncourse.grading.sandbox.inside import shell as shells
from bncourse.grading.sandbox.inside.cells import describe
from bncourse.grading.sandbox.inside.parsing import foreign, parse
from bncourse.grading.sandbox.inside.seen import worst
from bncourse.grading.sandbox.inside.statements import compiled, future_flags
from bncourse.grading.sandbox.inside.stubs import Stubs
from bncourse.grading.sandbox.inside.watching import HOW as MEASURING
from bncourse.grading.sandbox.inside.watching import measured_message, watched
from bncourse.grading.student.limits import in_time, limit_imports, limit_memory
from bncourse.grading.student.results import with_copies


class Space(dict[str, Any]):
    """The names of the test cells; what is missing among them is looked up among the student's."""

    def __init__(self, students: dict[str, Any], gradients: frozenset[str]) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins, get_ipython=lambda: shells.Nothing())
        self.students = students
        self.missing: set[str] = set()
        self.unwatched = set(gradients)
        self.measured: dict[str, str] = {}
        """Functions that were seen to measure their gradients, and how."""

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            raise KeyError(name)
        if name not in self.students:
            self.missing.add(name)
            raise KeyError(name)
        value = self.students[name]
        if not isinstance(value, types.FunctionType):
            return value
        return with_copies(self.watched(name, value) if name in self.unwatched else value)

    def watched(self, name: str, function: Any) -> Any:
        """The function, of which the first call is watched; the first of a hidden test is, when it is graded."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if name not in self.unwatched:
                return function(*args, **kwargs)
            self.unwatched.discard(name)
            value, seen = watched(function, args, kwargs)
            if worst(seen):
                self.measured[name] = worst(seen)
            return value

        return call


class Child:
    """Takes the steps of one pass."""

    def __init__(self, job: dict[str, Any], report: Any) -> None:
        self.master = Master.deserialized(job["master"])
        self.prepared = CompiledMaster(self.master)
        self.cells = {cell.grade_id: cell for cell in self.master.cells}
        self.seconds, self.allowed, self.steps = job["seconds"], set(job["allowed"]), job["steps"]
        self.report = report
        self.students = {name for step in self.steps for name in step.get("binds", ())}
        module = types.ModuleType("__main__")
        self.own = vars(module)
        self.own["__builtins__"] = builtins
        self.shell = shells.Shell(lambda code: exec(code, self.own))  # noqa: S102  (the student's own cell)
        shells.install(self.shell, self.own)
        sys.modules["__main__"] = module
        self.files: set[str] = set()
        self.space = Space(self.own, self.master.watched)
        self.output = shells.CappedText()
        self.stubs = Stubs()
        self.broken: list[str] = []
        self.flags = 0
        """What the student's cells have imported from `__future__`, which holds for those below as well."""

    def tell(self, **message: Any) -> None:
        """Report at once."""
        self.report.write(json.dumps(message) + "\n")
        self.report.flush()

    def run(self) -> None:
        """Take the steps in order."""
        limit_imports(self.allowed, self.own)
        sys.stdout = sys.stderr = self.output
        for step in self.steps:
            if step["do"] != "test":
                self.load(step)
            elif not step["judged"]:
                self.test(self.cells[step["cell"]], step["stubs"])
        self.tell(done="grade")

    def load(self, step: dict[str, Any]) -> None:
        """Run a cell statement by statement, so that a failing one costs only itself."""
        name, given, filename = step["cell"], step["do"] == "given", f"<{step['cell']}>"
        self.files.add(filename)
        source = step["source"]
        if not given:  # an exception is said with the last line of the student's own
            linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        seed = cell_seed(0, self.master.assignment, name)
        begin_anew(seed)
        self.shell.ignored = []
        self.output.take()
        problems: list[tuple[int, str, str]] = []
        before = dict(self.own)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trees = list(parse(source, problems))
        for index, tree in enumerate(trees):
            if index in step["skip"] or (given and foreign(tree)):
                continue
            self.tell(at=name, do=step["do"], statement=index)
            try:
                with in_time(self.seconds), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    self.flags |= future_flags(tree)
                    code = compiled(tree, filename, self.flags, last=index == len(trees) - 1)
                    eval(code, self.own)  # noqa: S307  (the student's own cell)
            except StudentLate:
                self.tell(dead="timeout", gone=False, secret=False, loading=True, cell=name, statement=index)
                raise SystemExit from None
            except BaseException as error:
                if given and isinstance(error, ImportError) and "pip install" in str(error):
                    self.tell(extra=str(error))
                names, message, _, line = describe(error)
                problems.append((line or tree.lineno, names[0], message))
        if step.get("stub"):
            self.stubs.note(name, before, self.own)
        elif given:
            self.stubs.note_given(before, self.own)
        self.output.take()
        with contextlib.suppress(BaseException):
            shells.no_figures()
        shown = [[line, inert(kind, 80), inert(text, 300)] for line, kind, text in problems[:50]]
        if shown or self.shell.ignored:
            self.tell(ran=name, problems=shown, text="", pictures=[], ignored=sorted(set(self.shell.ignored)))
        if name in self.cells:
            begin_anew(seed)
            self.own_side(self.cells[name])

    def own_side(self, cell: MasterCell) -> None:
        """Do for the tests what the master's cell does, except for what is the student's."""
        if cell.kind == "answer":
            for name in self.prepared.binds[cell.grade_id]:
                self.space.pop(name, None)
        with quiet():
            for statement in self.prepared.statements[cell.grade_id]:
                if any(name in self.students and name not in self.space for name in statement.reads):
                    continue
                with contextlib.suppress(Exception):
                    exec(statement.code, self.space)  # noqa: S102  (the master's)

    def test(self, cell: MasterCell, stubs: dict[str, list[str]]) -> None:
        """Run a test cell and report its verdict; `stubs`: the cells that it is about, if none has an answer."""
        self.tell(at=cell.grade_id, do="test", statement=0)
        self.space.missing.clear()
        begin_anew(cell_seed(0, self.master.assignment, cell.grade_id))
        start, error, filename = time.perf_counter(), None, test_file(cell)
        verdict = Verdict(cell.grade_id, "correct", cell.points, cell.points)
        try:
            with quiet(), in_time(self.seconds), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.prepared.run_test(cell, self.space)
            measuring = {name for name, how in self.space.measured.items() if how in MEASURING}
            measured = self.master.not_derived(cell.grade_id, measuring)
            if measured:
                text = measured_message(measured[0], self.space.measured[measured[0]])
                verdict = Verdict(cell.grade_id, "wrong", 0.0, cell.points, text)
        except BaseException as raised:
            error = self.as_students(raised)
            verdict = judge(cell, filename, error, secret=False).verdict
            if isinstance(raised, ImportError) and raised_by_student(error) is None:
                self.broken.append(f"{type(raised).__name__}: {raised}")
        self.tell(
            verdict=vars(verdict) | {"seconds": round(time.perf_counter() - start, 4)},
            withheld=False,
            gone=False,
            missing=sorted(self.space.missing),
            stopped=what_stopped(error),
            broken=self.broken[:3],
            measured=self.space.measured,
            untouched=error is not None and bool(stubs) and self.stubs.untouched(stubs, self.own),
        )
        if isinstance(error, StudentLate):
            self.tell(dead="timeout", gone=False, secret=False, loading=False, cell=cell.grade_id, statement=0)
            raise SystemExit

    def as_students(self, error: BaseException) -> BaseException:
        """The exception, marked as the student's where it arose in their code, as it arrives when it is graded."""
        if isinstance(error, StudentLate):
            return error
        if isinstance(error, Misconception):
            cause = error.__cause__ or error.__context__
            if cause is not None and cause is not error:
                error.__cause__ = self.as_students(cause)
            return error
        frames = traceback.extract_tb(error.__traceback__)
        if not (asked_of_students(error) or any(frame.filename in self.files for frame in frames)):
            return error
        names, message, cell, line = describe(error)
        known = [name for name in names if isinstance(getattr(builtins, name, None), type)]
        plain = [n for n in known if issubclass(getattr(builtins, n), Exception) and not n.startswith("Unicode")]
        made: StudentError = error_class(plain[0] if plain else "Exception")(message[:500])
        made.cell, made.line = cell, line
        return made.with_traceback(error.__traceback__)


def asked_of_students(error: BaseException) -> bool:
    """Whether a test has asked an object of the student's for what it does not have: that is their code's error.

    Arrays, numbers, texts and plain containers are copies when it is graded; what fails with these fails in the test.
    """
    if isinstance(error, AttributeError) and error.obj is not None:
        return type(error.obj).__name__ not in COPIED
    lacking = _LACKING.match(str(error)) if isinstance(error, TypeError) else None
    return lacking is not None and lacking[1] not in COPIED


COPIED = {"NoneType", "bool", "int", "float", "complex", "str", "bytes", "list", "tuple", "dict", "set", "slice"}
COPIED |= {"ndarray", "Tensor", "module", *(kind.__name__ for kind in np.sctypeDict.values())}
"""Kinds of values that cross as copies, by the names that Python's errors say."""
_LACKING = re.compile(
    r"(?:'|object of type '|cannot unpack non-iterable )(?:\w+\.)*(\w+)'?"
    r" (?:object is not (?:subscriptable|iterable)|object does not support item|has no len|object$)"
)


def main() -> None:
    """Read the job, and run it."""
    job = json.loads(sys.stdin.buffer.read())
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123  (lives as long as the process)
    folder = str(Path.cwd())
    sys.path[:] = [path for path in sys.path if path not in ("", folder)] + [folder]
    child = Child(job, report)
    for cell in child.master.cells:
        if cell.kind == "test":  # loaded before the clock runs
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bncourse"):
                    with contextlib.suppress(ImportError):
                        __import__(node.module or "")
    limit_memory()
    child.run()


if __name__ == "__main__":
    main()
