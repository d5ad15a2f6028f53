"""A compiled master in; this process after its tests out: what they load and work out once is there for all forks.

The tests run on the master's own solution, then on the same with a slip in every function, because most of the work
is in explaining a wrong answer. Both are the master's code, so they run here, without a student's process. Without
this, each fork works out again what a check compares with, which takes it some tenths of a second.
"""

import contextlib
import functools
import signal
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from bncourse.grading.core.records import MasterCell
from bncourse.grading.core.seeds import begin_anew, cell_seed
from bncourse.grading.oracle.compiled_master import CompiledMaster, quiet, test_file
from bncourse.grading.oracle.verdicts import judge

SECONDS = 2.0
"""Processor time that a rehearsal may take."""
SLIP = 1.25
"""By how much too large the first array is that a slipped function returns."""


class _EnoughError(BaseException):
    """The rehearsal has taken its time."""


def rehearse(prepared: CompiledMaster) -> None:
    """Take the master's own solution, right and slipped, through its tests; what comes of it is thrown away."""
    prepared.load_libraries()
    with contextlib.suppress(_EnoughError), _at_most(SECONDS), quiet():
        for slipped in (False, True):
            _take_through(prepared, slipped=slipped)
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


def _take_through(prepared: CompiledMaster, *, slipped: bool) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    for cell in prepared.master.cells:
        begin_anew(cell_seed(0, prepared.master.assignment, cell.grade_id))
        if cell.kind == "test":
            try:
                prepared.run_test(cell, space)
            except Exception as error:
                judge(cell, test_file(cell), error, secret=False)
        elif cell.kind in ("given", "answer"):
            with contextlib.suppress(Exception):  # a fault of the master's is said when it is tried
                exec(_code(cell), space)  # noqa: S102  (the master's)
            if slipped and cell.kind == "answer":
                found = {name: space[name] for name in prepared.binds[cell.grade_id] if name in space}
                space |= {name: _slip(value) for name, value in found.items() if type(value) is types.FunctionType}


def _code(cell: MasterCell) -> types.CodeType:
    return compile(cell.source, f"<{cell.grade_id}>", "exec")


def _slip(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def slip(*args: Any, **kwargs: Any) -> Any:
        return _slipped(function(*args, **kwargs))

    return slip


def _slipped(value: Any) -> Any:
    if isinstance(value, tuple) and value:
        return (_slipped(value[0]), *value[1:])
    return SLIP * value if hasattr(value, "dtype") else value


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Break off what takes more of this process's own time."""

    def enough(*_: Any) -> None:
        raise _EnoughError

    before = signal.signal(signal.SIGPROF, enough)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
