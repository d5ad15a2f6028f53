"""Search one change of a student's own source after which all that was looked at is right.

It runs where no belief explains what is wrong. Every change is tried on one batch, and what is right there is judged in
full, by the same judgment that found the mistake. The search is bounded by counts, never by a clock, so that it says
the same on every machine.
"""

import ast
import contextlib
import inspect
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from bncourse.diagnosis.conventions.find import find_units
from bncourse.diagnosis.conventions.judge import Judge
from bncourse.diagnosis.conventions.known import Convention
from bncourse.diagnosis.conventions.reach import uses_torch
from bncourse.diagnosis.conventions.repair.checks import Checks
from bncourse.diagnosis.conventions.repair.edit import Edit, Spot, repeated
from bncourse.diagnosis.conventions.repair.edits import edits, statements
from bncourse.diagnosis.conventions.repair.running import Counter, TooLongError, Written, written_functions
from bncourse.diagnosis.conventions.repair.telling import Verdicts, says_little, tell
from bncourse.diagnosis.conventions.repair.values import Scope
from bncourse.diagnosis.conventions.report import FunctionReport
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.units import Unit

TRIES = 1200
"""Changes that are tried for one file."""
EVENTS = 800_000
"""Calls, and lines of the student's file, that all of them may run."""
JUDGED = 6
"""Changes that are judged in full, for one function of a report."""


@dataclass
class Budget:
    """What the searches of one file have left."""

    tries: int = TRIES
    events: int = EVENTS


class Change(NamedTuple):
    """One edit, and the function that it is made in."""

    rank: int
    written: Written
    edit: Edit


def find_place(
    unit: Unit,
    convention: Convention,
    program: Program,
    reports: list[FunctionReport],
    budget: Budget,
    *,
    declared: bool,
) -> None:
    """Say of every report that says little in which place one change makes it right, if there is one.

    Parameters
    ----------
    unit, convention, program, declared
        As `Judge` takes them.
    reports : list of FunctionReport
        What is said of the unit's functions; those with such a place are given it.
    budget : Budget
        How much may be tried in this file yet; it is used up.
    """
    for report in reports:
        if says_little(report) and report.place is None:
            search = Search(unit.names, convention, program, budget, declared=declared)
            with contextlib.suppress(Exception):  # what is known of the mistake is said in any case
                search.look(report, reports)


class Search:
    """The search for one report."""

    def __init__(
        self, names: list[str], convention: Convention, program: Program, budget: Budget, *, declared: bool
    ) -> None:
        self.names, self.convention, self.program = list(names), convention, program
        self.budget, self.declared = budget, declared
        held = linecache.cache.get(program.label)
        self.text = [line.rstrip("\n") for line in held[2]] if held is not None and len(held) == 4 else []
        self.counter = Counter(program)
        self.judged = 0

    def _unit(self) -> Unit | None:
        """The same normalization, with nothing known of its runs."""
        return next((one for one in find_units(self.program) if one.names == self.names), None)

    def look(self, report: FunctionReport, reports: list[FunctionReport]) -> None:
        """Find the place for a report, and give it to every report that the same change makes right."""
        unit = self._unit()
        if unit is None or unit.problem or not self.text:
            return
        try:
            checks = Checks(unit, self.convention, self.program, report, self.counter, declared=self.declared)
            before = Judge(unit, self.convention, self.program, declared=self.declared).looked_at()
        except Exception:  # what cannot be called as it stands is not searched
            return
        if not checks.every:
            return
        written = written_functions(self.program, self.text)
        usual = self._seen(checks, written)
        best: tuple[Change, list[FunctionReport]] | None = None
        for change in self._changes(report, written, checks, usual):
            if best is not None and change.rank > best[0].rank:
                break
            if self.budget.tries <= 0 or self.counter.count >= self.budget.events or self.judged >= JUDGED:
                break
            judged = self._tried(change, checks, usual, report, reports, before)
            if judged is None:
                continue
            if all(one.status == "right" for one in judged):
                best = change, judged
                break
            best = best or (change, judged)
        self.budget.events -= self.counter.count
        if best is not None:
            tell(best[0].edit, self.program, self.text, Verdicts(report, reports, best[1]))

    def _seen(self, checks: Checks, written: list[Written]) -> int:
        """Learn which lines run, and what the names hold; return how much there is to count."""
        self.counter.lines = set()
        for one in written:
            torch = uses_torch(self.program.trees[one.owner or one.tree.name], self.program)
            modules = {name for name, value in self.program.namespace.items() if inspect.ismodule(value)}
            self.counter.scopes[one.key] = Scope(one.tree, modules, torch=torch)
        for check in (*checks.every, *checks.beside):
            try:
                with self.counter.counting(self.budget.events):
                    check.watched(self.counter)
            except (Exception, TooLongError):  # noqa: S112  (it is wrong, and may raise)
                continue
        usual, self.lines = self.counter.count, self.counter.lines
        self.counter.lines, self.counter.count = None, 0
        return usual

    def _changes(self, report: FunctionReport, written: list[Written], checks: Checks, usual: int) -> Iterator[Change]:
        """Every change, the likeliest first: those of the function itself before those of what it calls."""
        order = self.counter.order
        later = [one for one in written if one.key in order]
        name = report.name.split(",")[0].split(".")[-1]
        backward = "backward" in report.what
        later.sort(key=lambda one: (one.tree.name != name, (-1 if backward else 1) * order.index(one.key)))
        found = []
        for at, one in enumerate(later):
            shared, idle = self._reach(one, checks, usual)
            made = edits(one.tree, self.counter.scopes[one.key], self.lines - idle)
            alone = [edit for edit in made if getattr(edit.at, "lineno", 0) not in shared]
            for edit in (*made, *repeated(alone)):
                more = getattr(edit.at, "lineno", 0) in shared
                found.append(Change(edit.rank + min(at, 1) + more, one, edit))
        return iter(sorted(found, key=lambda one: one.rank))

    def _reach(self, written: Written, checks: Checks, usual: int) -> tuple[set[int], set[int]]:
        """Which lines of a function reach what is right too, and which reach nothing that is wrong.

        A line is tried with its value half as large again. What raises then, and what is no number, may reach anything.
        """
        shared, idle = set[int](), set[int]()
        try:
            usually, right = checks.seen(written.key)
        except Exception:
            return shared, idle
        for spot in statements(written.tree.body, self.lines):
            node = spot.node
            lines = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            if not isinstance(node, ast.Assign | ast.AugAssign) or isinstance(node.value, ast.Tuple | ast.Constant):
                continue
            value = ast.copy_location(ast.BinOp(node.value, ast.Mult(), ast.Constant(1.5)), node)
            ast.copy_location(value.right, node)
            with Edit(0, Spot(node, "value"), value, "", node).made():
                code = written.compiled()
            if code is None:
                continue
            try:
                with written.running(code), self.counter.counting(20 * usual + 1000):
                    given, _ = checks.seen(written.key)
            except (Exception, TooLongError):  # noqa: S112  (it reaches something)
                continue
            reached = {name for name in given.keys() | usually.keys() if given.get(name) != usually.get(name)}
            if not reached - right:
                idle |= lines
            elif reached & right:
                shared |= lines
        return shared, idle

    def _tried(
        self,
        change: Change,
        checks: Checks,
        usual: int,
        report: FunctionReport,
        reports: list[FunctionReport],
        before: Any,
    ) -> list[FunctionReport] | None:
        """What is said of the functions after a change, if that makes the report right."""
        self.budget.tries -= 1
        with change.edit.made():
            code = change.written.compiled()
            if code is None:
                return None
            try:
                with change.written.running(code):
                    with self.counter.counting(20 * usual + 1000):
                        if not checks.hold(change.written.key):
                            return None
                    self.judged += 1
                    with self.counter.counting(2000 * usual + 100_000):
                        return self._judged(report, reports, before)
            except (Exception, TooLongError):
                return None

    def _judged(
        self, report: FunctionReport, reports: list[FunctionReport], before: Any
    ) -> list[FunctionReport] | None:
        spent = self.counter.count
        unit = self._unit()
        if unit is None:
            return None
        judge = Judge(unit, self.convention, self.program, declared=self.declared)
        if judge.looked_at() != before:  # a change that hides a part from the judgment makes nothing right
            return None
        found = judge.reports()
        self.counter.count = spent
        if not _is_better(found, reports, report):
            return None
        return found


def _is_better(found: list[FunctionReport], before: list[FunctionReport], report: FunctionReport) -> bool:
    """Whether one report is right now, and nothing that was right is wrong."""
    known = {(one.name, one.what): one for one in found}
    for old in before:
        new = known.get((old.name, old.what))
        if new is None:
            if "on feature maps" not in old.what:
                return False
            continue
        if new.status != "right" and (old is report or new.status != old.status):
            return False
    every = {(one.name, one.what) for one in before}
    return all((one.name, one.what) in every or one.status == "right" for one in found)
