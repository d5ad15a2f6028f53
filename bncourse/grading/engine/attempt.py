"""A master and a submission in; what to run next, and in the end verdicts, notes and outputs, out."""

import base64
from collections.abc import Collection, Sequence
from typing import Any, Literal

from bncourse.grading.core.records import CellOutput, Master, MasterCell, Verdict
from bncourse.grading.engine.cell_outputs import CellOutputs
from bncourse.grading.engine.outcomes import ENDED, OUTCOMES, STOPPED, ending, zero
from bncourse.grading.engine.steps import plain, steps_of, with_another
from bncourse.grading.submissions.read import Reading

Phase = Literal["preview", "grade", "explain"]
"""preview: the cells without any test, for what they print and draw. grade: cells and tests. explain: cells and the
visible parts of tests, for what an exception says. What cells show is reported before the first test is run; from a
process in which a hidden test has run, no output and no message is taken. So nothing that students get to see has been
near a hidden test."""


class Attempt:
    """The steps of one submission, its verdicts and outputs so far, and the statements that must be left out."""

    def __init__(self, master: Master, reading: Reading) -> None:
        self.master, self.reading = master, reading
        self.reason = ""
        self.put_in: dict[str, tuple[str, ...]] = {}
        self.repeated: frozenset[str] = frozenset()
        """Names that the answers lacked and that were put in, as code."""
        self.spent = 0.0
        """Seconds that its passes have taken."""
        self._answers = {cell.grade_id: cell for cell in master.cells if cell.kind == "answer"}
        self._binds = {name: master.binds[name] for name in self._answers}
        self._loads = master.loads
        self._stubs = (reading.stubs & self._answers.keys()) - reading.elsewhere
        self._skip: dict[str, list[int]] = {}
        """Statements that are left out, because they ended a process."""
        self._skip_ungraded: dict[str, list[int]] = {}
        """Those among them that did it where no hidden test had run: which others do may tell what was hidden."""
        self._cut: dict[str, str] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._previewed = False
        self._unexplained: set[str] = set()
        self._shown = CellOutputs(self._stubs)
        self.measured: dict[str, str] = {}
        """Functions that measure the derivatives that they return, and how."""
        self.broken: list[str] = []
        """What the oracle could not import for the tests: no fault of any answer."""
        self.stopped: dict[str, str] = {}
        """By test, the exception that ended it before there was an answer to judge."""
        self._answered = set[str]()
        """Tests that were stopped, and answered in another attempt."""
        self._tests = [cell for cell in master.cells if cell.kind == "test"]
        self._template = steps_of(master, reading, self._stubs)

    # --- what to do ---

    @property
    def text(self) -> str:
        """All of the student's code."""
        own = (extra.source for extra in (*self.reading.extras, *self.reading.moved))
        return "\n".join([*self.reading.answers.values(), *own])

    @property
    def given(self) -> dict[str, str]:
        """The cells that every student is given, as they are run."""
        return {step["cell"]: step["source"] for step in self._template if step["do"] == "given"}

    def open_tests(self) -> list[str]:
        """Test cells without a verdict."""
        return [cell.grade_id for cell in self._tests if cell.grade_id not in self._verdicts]

    def unpreviewed(self) -> list[str]:
        """Test cells to be judged, as long as it is open what the cells show."""
        return [] if self._previewed else self.open_tests()

    def unexplained(self) -> list[str]:
        """Test cells whose message says less than it may, because hidden tests had run before.

        None where names were put in: of such an attempt only right answers count.
        """
        return [] if self.put_in else [cell.grade_id for cell in self._tests if cell.grade_id in self._unexplained]

    def steps(self, phase: Phase = "grade") -> list[dict[str, Any]]:
        """The steps of the next pass, up to its last test."""
        opened = set(self.unexplained() if phase == "explain" else self.open_tests())
        skip = self._skip if phase == "grade" else self._skip_ungraded
        steps = []
        for step in self._template:
            extra = (
                {"judged": step["cell"] not in opened} if step["do"] == "test" else {"skip": skip.get(step["cell"], [])}
            )
            steps.append(step | extra)
        if phase == "preview":
            return [step for step in steps if step["do"] != "test"]
        last = max((i for i, step in enumerate(steps) if step["do"] == "test" and not step["judged"]), default=-1)
        return steps[: last + 1]

    def job(self, seed: int, phases: Sequence[Phase] = ("grade",)) -> dict[str, Any]:
        """What the oracle is told of the next passes."""
        in_all = self.master.seconds_in_all
        left = [max(0.1, in_all - self.spent), *[in_all] * len(phases)]
        parts = zip(phases, left, strict=False)
        return {
            "key": self.master.key,
            "passes": [{"phase": each, "steps": self.steps(each), "seconds": seconds} for each, seconds in parts],
            "seed": seed,
            "seconds": self.master.seconds_per_test,
            "cpu_seconds": len(phases) * int(self.master.seconds_in_all) + 10,
        }

    @property
    def code(self) -> dict[str, str]:
        """The answers that are code and were written, as they are run."""
        written = self._answers.keys() & self.reading.answers.keys() - self._stubs
        return {name: plain(self.reading, self.reading.answers[name]) for name in self._answers if name in written}

    def stopped_by(self, *exceptions: str) -> set[str]:
        """The tests that one of these has ended; not those to which the code has given an answer, however wrong."""
        lost = {verdict.grade_id for verdict in self.all_verdicts() if verdict.outcome in STOPPED}
        return {test for test in lost if self.stopped.get(test) in exceptions}

    def has_stopped(self, test: str) -> bool:
        """Whether a test was lost without any answer to judge: an exception or its end came first."""
        outcome = self._verdicts[test].outcome
        stopped = outcome in ENDED or (outcome in STOPPED and bool(self.stopped.get(test)))
        return stopped and test not in self._answered

    def answered(self, again: "Attempt", test: str) -> None:
        """Keep that the code has given an answer to a test in another attempt, if it has: it gives no second one."""
        if not again.has_stopped(test):
            self._answered.add(test)

    def answers_behind(self, test: str) -> set[str]:
        """The answers whose names a test reads."""
        return self._related(next(cell for cell in self._tests if cell.grade_id == test))

    def _related(self, cell: MasterCell) -> set[str]:
        names = self._loads[cell.grade_id]
        return {answer for answer, binds in self._binds.items() if binds & names}

    # --- what was seen ---

    def take(self, message: dict[str, Any]) -> None:
        """Take one of the oracle's reports."""
        if "verdict" in message and message["verdict"]["grade_id"] in self._unexplained:
            self.take_words(message)
        elif "verdict" in message:
            self.take_verdict(message)
        elif "ran" in message:
            self._shown.take(message, [base64.b64decode(picture) for picture in message["pictures"]])

    def take_verdict(self, message: dict[str, Any]) -> None:
        """Take a verdict."""
        verdict = Verdict(**message["verdict"])
        self.broken += message["broken"]
        self.measured |= message["measured"]
        self.stopped[verdict.grade_id] = message["stopped"]
        cell = next(cell for cell in self._tests if cell.grade_id == verdict.grade_id)
        if verdict.outcome in ("wrong", "crashed"):
            explained = self._explained(cell, verdict, message)
            if message["withheld"] and explained is verdict:
                self._unexplained.add(verdict.grade_id)
            verdict = explained
        self._verdicts[verdict.grade_id] = verdict

    def take_words(self, message: dict[str, Any]) -> None:
        """Take a message from a pass that has seen no hidden test, where it says the same, but more."""
        told, before = Verdict(**message["verdict"]), self._verdicts[message["verdict"]["grade_id"]]
        self._unexplained.discard(before.grade_id)
        if (told.outcome, told.belief) == (before.outcome, before.belief):
            self._verdicts[before.grade_id] = Verdict(**{**vars(before), "message": told.message})

    def _explained(self, cell: MasterCell, verdict: Verdict, message: dict[str, Any]) -> Verdict:
        related = self._related(cell)
        if message["stopped"] == "NotImplementedError" and related & self._stubs:
            return zero(cell, "not attempted", "Your code is still missing.", verdict.seconds)
        for name in message["missing"]:
            homes = [answer for answer in related if name in self._binds[answer]]
            if not homes:
                continue
            if homes[0] in self._cut:
                outcome = OUTCOMES[self._cut[homes[0]]]
                return zero(
                    cell, outcome, f"`{name}` does not exist, because its cell did not get to its end.", verdict.seconds
                )
            if homes[0] in self._stubs:
                return zero(cell, "not attempted", "Your code is still missing.", verdict.seconds)
            why = "; ".join(self._shown.notes_of(homes[0])[:2])
            text = f"`{name}` does not exist after cell {homes[0]} has run." + (f" {why}" if why else "")
            return zero(cell, "wrong", text, verdict.seconds)
        if message["untouched"]:  # code that was given, and is to be mended, runs as it stands
            text = f"Your code is still missing. As it stands: {verdict.message}"
            return zero(cell, "not attempted", text, verdict.seconds)
        return verdict

    def run_instead(self, answer: str, source: str) -> None:
        """Run other code in the place of an answer."""
        self._template = with_another(self._template, answer, source)

    def repeat(self, before: "Attempt", tests: Collection[str]) -> None:
        """Leave open only certain tests of an attempt before, which showed what cells show."""
        self._verdicts = {name: one for name, one in before._verdicts.items() if name not in tests}
        self._previewed = True
        self.repeated = frozenset(tests)

    def end(self, phase: Phase) -> None:
        """A phase is over."""
        self.spent = 0.0
        if phase == "preview":
            self._previewed = True
        elif phase == "explain":
            self._unexplained.clear()

    def accept(self, cut: dict[str, Any], phase: Phase = "grade") -> None:
        """Count what ended a pass: the test, or the statement, is not tried again."""
        why = ending(cut.get("signal"))
        self.spent += cut.get("spent", 0.0)
        if phase != "grade" and ("overdue" in cut or "in_all" in cut or not cut["loading"]):
            self.end(phase)
        elif "in_all" in cut:
            self.give_up("timeout")
        elif "overdue" in cut:
            name = self.open_tests()[0]
            cell = next(cell for cell in self._tests if cell.grade_id == name)
            self._verdicts[name] = zero(cell, "needs review", "The test itself did not end.")
            if self.spent >= self.master.seconds_in_all:
                self.give_up("timeout")
        elif cut["loading"]:
            for skip in [self._skip] if phase == "grade" else [self._skip, self._skip_ungraded]:
                skip[cut["cell"]] = [*skip.get(cut["cell"], []), cut["statement"]]
            self._cut[cut["cell"]] = cut["dead"]
            text = "did not end in time" if cut["dead"] == "timeout" else f"ended the process{why}"
            if phase == "preview":
                note = f"statement {cut['statement'] + 1} {text} and was left out"
                self._shown.note(cut["cell"], note)
        elif cut["cell"] in self._verdicts and why and not cut["secret"]:
            verdict = self._verdicts[cut["cell"]]
            fields = {**vars(verdict), "message": verdict.message.rstrip(".") + why + "."}
            self._verdicts[cut["cell"]] = Verdict(**fields)

    def doubt(self, tests: list[str]) -> None:
        """Leave tests to a person that the master's own solution does not pass."""
        for cell in self._tests:
            if cell.grade_id in tests and cell.grade_id not in self._verdicts:
                text = "The master's own solution does not pass this test, so nobody is graded by it."
                self._verdicts[cell.grade_id] = zero(cell, "needs review", text)

    def give_up(self, outcome: str) -> None:
        """Leave what is open without points."""
        for cell in self._tests:
            if cell.grade_id not in self._verdicts:
                self._verdicts[cell.grade_id] = zero(
                    cell, OUTCOMES[outcome], "The time for all tests was used up before this one."
                )

    def trouble(self, text: str, *, last: bool) -> None:
        """Note that a process of the grader failed; at last, ask for a person."""
        if last:
            self.reason = f"the grader failed: {text.partition(':')[0]}"
            for cell in self._tests:
                if cell.grade_id not in self._verdicts:
                    self._verdicts[cell.grade_id] = zero(cell, "needs review", "This could not be graded by machine.")

    def put(self, verdict: Verdict) -> None:
        """Replace a verdict."""
        self._verdicts[verdict.grade_id] = verdict

    # --- what came of it ---

    def all_verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts in the master's order."""
        return tuple(self._verdicts[cell.grade_id] for cell in self._tests)

    def all_notes(self) -> tuple[str, ...]:
        """The notes in the order of the steps, the first of them where there are very many."""
        return self._shown.notes(step["cell"] for step in self._template)

    def all_outputs(self) -> tuple[CellOutput, ...]:
        """What the cells showed, in the order of the steps."""
        return self._shown.outputs(step["cell"] for step in self._template)
