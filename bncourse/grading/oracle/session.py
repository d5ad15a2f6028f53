"""The steps of one pass in; a verdict for each test cell out, found on proxies of the student's objects."""

import base64
import contextlib
import json
import math
import re
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from bncourse.grading.core.plain_text import inert, picture
from bncourse.grading.core.records import MasterCell, Verdict
from bncourse.grading.core.seeds import begin_anew, cell_seed
from bncourse.grading.oracle.compiled_master import CompiledMaster, quiet, test_file
from bncourse.grading.oracle.connection import Connection
from bncourse.grading.oracle.namespace import Namespace
from bncourse.grading.oracle.patience import LEAST, OWN_SECONDS, OWN_TIMES
from bncourse.grading.oracle.remote_errors import StudentGone, StudentLate, TestLate
from bncourse.grading.oracle.verdicts import first_secret, judge, raised_by_student, what_stopped
from bncourse.grading.sandbox.inside.channel import Channel
from bncourse.grading.sandbox.inside.progress import read_place
from bncourse.grading.sandbox.inside.watching import HOW as MEASURING
from bncourse.grading.sandbox.inside.watching import measured_message


class Session:
    """One submission's pass through the steps of an assignment."""

    def __init__(
        self,
        prepared: CompiledMaster,
        job: dict[str, Any],
        part: dict[str, Any],
        connection: Connection,
        report: Channel,
        place: int | None = None,
    ) -> None:
        self.prepared, self.master = prepared, prepared.master
        self.cells = {cell.grade_id: cell for cell in self.master.cells}
        self.job, self.connection, self.report, self.place = job, connection, report, place
        self.phase, self.steps = part["phase"], part["steps"]
        self.space = Namespace(connection)
        if self.phase == "grade":
            connection.watched.of(self.master.watched)
        self.students = {name for step in self.steps for name in step.get("binds", ())}
        """The names that the answers bind."""
        self.answers = frozenset(
            name for cell in self.master.cells if cell.kind == "answer" for name in prepared.binds[cell.grade_id]
        )
        """The names that the master's answers bind."""
        self.waiting: list[dict[str, Any]] = []
        """What is to be reported."""
        self.broken: list[str] = []
        """What the master's own cells could not import on this side."""
        self.own_most, self.own_until = OWN_TIMES * part["seconds"] + OWN_SECONDS, math.inf
        """Seconds of this process's own time for all cells, and when the present one must have ended."""
        self.own_left = self.own_most
        self.sound = True
        """Whether no test was broken off, so that this process can take another submission."""

    def tell(self, **message: Any) -> None:
        """Report to the supervisor: the beginning and the end at once, the rest some at a time."""
        self.waiting.append(message)
        if {"pid", "done", "dead"} & message.keys():
            self.send_waiting()

    def on_timer(self, *_: Any) -> None:
        """Send what is to be reported, and break off what takes too long."""
        self.send_waiting()
        if time.process_time() > self.own_until:
            self.own_until, self.sound = math.inf, False
            raise TestLate

    def send_waiting(self) -> None:
        """Send what is to be reported."""
        with self.undisturbed():
            if self.waiting:
                self.report.send(json.dumps(self.waiting).encode())
                self.waiting.clear()

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Hold the timer back."""
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])

    def run(self, *, followed: bool = False) -> bool:
        """Take the steps in order; returns False where no other pass can be run in the student's process."""
        for step in self.steps:
            try:
                if step["do"] == "test":
                    self.test(self.cells[step["cell"]], step)
                else:
                    self.load(step)
            except (StudentLate, StudentGone) as error:
                why = "timeout" if isinstance(error, StudentLate) else "crashed"
                loading = step["do"] != "test"
                statement = read_place(self.place) if loading and self.place is not None else 0
                in_all = {"in_all": True} if min(self.connection.in_all.left, self.own_left) <= LEAST else {}
                self.tell(
                    dead=why,
                    gone=isinstance(error, StudentGone),
                    loading=loading,
                    cell=step["cell"],
                    statement=statement,
                    spent=self.spent(),
                    secret=self.connection.secret,
                    **in_all,
                )
                return False
        on = followed and self.ready_for_another()
        self.tell(done=self.phase, alone=followed and not on)
        return on or not followed

    def spent(self) -> float:
        """Seconds of the submission's that this pass has used, on the student's side or on this one."""
        own = (self.own_most - self.own_left - OWN_SECONDS) / OWN_TIMES
        return float(max(self.connection.in_all.charged(), own))

    @contextlib.contextmanager
    def own_time(self) -> Iterator[None]:
        """Count what this side uses, and break it off where that is too much, whatever the answer is that it reads."""
        begun = time.process_time()
        self.own_until = begun + min(self.own_left, OWN_TIMES * self.job["seconds"] + OWN_SECONDS)
        try:
            yield
        except TestLate:
            raise StudentLate from None
        finally:
            self.own_until = math.inf
            self.own_left -= time.process_time() - begun
        if self.own_left <= LEAST:
            raise StudentLate

    def ready_for_another(self) -> bool:
        """Have the student's process begin anew; False where that is not as good as a new process."""
        # whatever it answers, another one is there
        with contextlib.suppress(StudentLate, StudentGone, Exception), self.own_time():
            return self.connection.request("anew")[1] is True
        return False

    def load(self, step: dict[str, Any]) -> None:
        """Run one of the student's cells, or a given cell on both sides."""
        name, given = step["cell"], step["do"] == "given"
        self.connection.begin(self.job["seconds"])
        self.connection.asks_secrets = lambda: False
        seed = cell_seed(self.job["seed"], self.master.assignment, name)
        show = self.phase == "preview"
        seen = {"problems": [], "text": "", "pictures": [], "ignored": []}
        with self.own_time(), contextlib.suppress(Exception):
            how = "stub" if step.get("stub") else "run"
            seen = _seen(self.connection.request(how, name, step["source"], given, step["skip"], seed, show))
        if show:  # no test runs here, so this side needs no names
            if any(seen.values()):
                self.tell(ran=name, **seen)
        elif name in self.cells:
            begin_anew(seed)
            self.own_side(self.cells[name])

    def own_side(self, cell: MasterCell) -> None:
        """Do on the trusted side what the master's cell does, except for what is the student's."""
        self.space.borrowed.clear()
        if cell.kind == "answer":
            for name in self.prepared.binds[cell.grade_id]:
                self.space.pop(name, None)
        with quiet():
            for statement in self.prepared.statements[cell.grade_id]:
                if any(name in self.students and name not in self.space for name in statement.reads):
                    continue
                try:
                    exec(statement.code, self.space)  # noqa: S102  (the master's)
                except ImportError as error:
                    self.broken.append(one_line(error))
                except Exception:  # noqa: S112  (what is missing shows in the test that needs it)
                    continue

    def test(self, cell: MasterCell, step: dict[str, Any]) -> None:
        """Run a test cell and report its verdict; cells that were judged before are passed over."""
        if step["judged"]:
            return
        filename, first, visible = test_file(cell), first_secret(cell.source), self.phase == "explain"
        if first < math.inf and not visible:
            self.connection.asks_secrets = lambda: _running_line(filename) >= first
        self.space.borrowed.clear()
        self.space.missing.clear()
        self.connection.begin(self.job["seconds"], hidden=self.prepared.hidden_names[cell.grade_id])
        begin_anew(cell_seed(self.job["seed"], self.job["key"], cell.grade_id))  # the key holds the course's secret
        start, own = time.perf_counter(), time.process_time()
        error: BaseException | None = None
        points, withheld = cell.points, False
        try:
            self.own_until = own + min(self.own_left, OWN_TIMES * self.job["seconds"] + OWN_SECONDS)
            with quiet():
                points = _points(self.prepared.run_test(cell, self.space, visible=visible), cell.points)
            verdict = Verdict(cell.grade_id, "correct", points, cell.points)
            measuring = {name for name, how in self.connection.watched.measured.items() if how in MEASURING}
            measured = self.master.not_derived(cell.grade_id, measuring)
            if measured:
                text = measured_message(measured[0], self.connection.watched.measured[measured[0]])
                verdict = Verdict(cell.grade_id, "wrong", 0.0, cell.points, text)
        except BaseException as raised:
            self.own_until, error = math.inf, raised
            verdict, withheld = judge(cell, filename, raised, secret=self.connection.secret, answers=self.answers)
            if isinstance(raised, ImportError) and raised_by_student(raised) is None:
                self.broken.append(one_line(raised))
        self.own_until = math.inf
        self.own_left -= time.process_time() - own
        with contextlib.suppress(StudentLate, StudentGone, Exception):  # whose process has ended needs nothing back
            self.space.show_hidden()
        self.tell(
            verdict=vars(verdict) | {"seconds": round(time.perf_counter() - start, 4)},
            withheld=withheld,
            gone=self.connection.ended is StudentGone,
            measured=dict(self.connection.watched.measured),
            missing=sorted(self.space.missing),
            stopped=what_stopped(error),
            untouched=error is not None and self.is_untouched(step["stubs"]),
            broken=self.broken[:3],
        )
        if isinstance(error, StudentLate | StudentGone):
            raise error
        if isinstance(error, TestLate):  # the other side may be waiting for an answer
            raise StudentLate
        if self.connection.ended is not None:
            raise self.connection.ended
        if self.own_left <= LEAST:
            raise StudentLate

    def is_untouched(self, stubs: dict[str, list[str]]) -> bool:
        """Whether no code has given the names of these cells another value, or changed their functions and classes."""
        with contextlib.suppress(StudentLate, StudentGone, Exception):  # of a process that has ended nobody can tell
            return bool(stubs) and self.connection.request("untouched", stubs)[1] is True
        return False


def _seen(answer: tuple[Any, ...]) -> dict[str, Any]:
    """What a student's cell showed, made inert; raises where the answer is malformed."""
    problems, text, pictures, ignored = answer[1:5]
    return {
        "problems": [
            [int(line), inert(str(kind), 80), inert(str(message), 300)] for line, kind, message in problems[:50]
        ],
        "text": inert(str(text), 21_000),
        "pictures": [base64.b64encode(p).decode() for p in pictures[:4] if type(p) is bytes and picture(p)],
        "ignored": [inert(str(word), 40) for word in ignored[:20]],
    }


def _points(value: Any, most: float) -> float:
    """Partial credit as nbgrader reads it: a number as the cell's value, here kept within its bounds."""
    if type(value) not in (int, float):
        return most
    if math.isnan(value):
        return 0.0
    return min(max(float(value), 0.0), most)


def one_line(error: BaseException) -> str:
    """An exception in one line of some length."""
    return re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")[:500]


def _running_line(filename: str) -> int:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == filename and frame.f_code.co_name == "<module>":
            return frame.f_lineno
        frame = frame.f_back
    return 0
