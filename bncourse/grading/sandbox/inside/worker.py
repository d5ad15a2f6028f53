"""A student's cells and calls in; answers out: the untrusted compartment, without any test or expected value.

Whatever a cell does to this process, it can only change the values that this process returns, as any
other program in the cell could. It has no verdict to forge.
"""

import _thread
import builtins
import contextlib
import gc
import linecache
import os
import random
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.linalg
import numpy.random

from . import shell as shells
from .awaiting import Awaiting
from .cells import arrays, describe, mark, named
from .channel import Channel
from .codec import Encoder
from .effects import only_binds
from .kept_values import KeptValues
from .parsing import foreign, parse
from .progress import Progress
from .statements import GIVEN, UNSEEN, Statement, compiled, future_flags, one_definition
from .stubs import Stubs
from .surroundings import Surroundings
from .watching import watched
from .wire_types import WireError

PRINT = builtins.print


class Worker(KeptValues):
    """Answers the oracle's requests, one after the other, until the connection closes."""

    def __init__(
        self, descriptor: int, place: Progress | None = None, surroundings: Surroundings | None = None
    ) -> None:
        super().__init__(Channel(descriptor))
        self.place = place or Progress()
        self.output = shells.CappedText()
        self.plain = Encoder()
        self.parsed: dict[tuple[str, str], list[Statement]] = {}
        """Cells that have run before, by name and source."""
        self.surroundings = surroundings or Surroundings()
        self.folder = str(Path.cwd())
        self.begin()

    def begin(self) -> None:
        """Give cells a module to run in that nobody has used."""
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.space = vars(module)
        self.space["__builtins__"] = builtins
        self.hidden: dict[str, Any] = {}
        self.flags = 0
        self.awaiting, self.live = Awaiting(), False
        self.ran: list[types.CodeType] = []
        """What the student's own cells have run."""
        self.stubs = Stubs()
        self.shell = shells.Shell(lambda code: exec(code, self.space))  # noqa: S102  (a student's cell, in the sandbox)
        shells.install(self.shell, self.space)

    def serve(self) -> None:
        """Answer until the other side goes away."""
        sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123  (lives as long as the process)
        sys.stdout = sys.stderr = self.output
        self.channel.send(b"")  # hello: the kernel says with it which process this is
        while True:
            self.reply(self.channel.receive())

    def reply(self, request: bytes) -> None:
        """Run one request and send what came of it."""
        self.leaves = []
        try:
            operation, *arguments = self.decode(request)
            data = self.encoder.encode(getattr(self, f"do_{operation}")(*arguments))
        except WireError as error:
            data = self.plain.encode(("refused", str(error)))
        except BaseException as error:
            data = self.plain.encode(("raised", *describe(error), ()))
        self.channel.send(data)

    def do_run(self, cell: str, source: str, given: bool, skip: list[int], seed: int, show: bool) -> Any:
        """Run a cell statement by statement, so that a failing one costs only itself; say what it showed if asked."""
        filename = f"<{cell}>"
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002  (what students' code uses)
        if "torch" in sys.modules:
            sys.modules["torch"].default_generator.manual_seed(seed)
        if not given:  # an exception is said with the last line of the student's own
            linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        self.place.write(0)
        before = dict(self.space) if given else {}
        self.live = not given and any(word in source for word in ("await", "asyncio"))
        self.shell.ignored = []
        self.output.take()
        problems: list[tuple[int, str, str]] = []
        statements = self.parsed.get((cell, source), [])
        if given and not self.flags:
            learned = GIVEN if show or self.prints_otherwise() else UNSEEN
            statements = learned.get((cell, source), statements)
        if not statements:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                statements = one_definition(source, filename, self.flags)
                statements = statements or [Statement(tree, None) for tree in parse(source, problems)]
            self.parsed[cell, source] = statements
        for index, statement in enumerate(statements):
            if index in skip or (given and statement.tree and foreign(statement.tree)):
                continue
            self.place.write(index)
            try:
                self.execute(statements, index, filename, given)
            except BaseException as error:
                names, message, _, line = describe(error)
                problems.append((line or getattr(statement.tree, "lineno", 1), names[0], message))
        if given:
            self.stubs.note_given(before, self.space)
        pictures: list[bytes] = []
        with contextlib.suppress(BaseException):
            pictures = shells.figures() if show else shells.no_figures()
        return ("ran", problems, self.output.take(), pictures, sorted(set(self.shell.ignored))) if show else ("ran",)

    def prints_otherwise(self) -> bool:
        """Whether `print` may do something else here than to say what nobody sees."""
        return "print" in self.space or builtins.print is not PRINT or sys.stdout is not self.output

    def execute(self, statements: list[Statement], index: int, filename: str, given: bool) -> None:
        """Run one statement, compiled at its first turn; show the value of a last expression as a notebook does."""
        tree, code = statements[index]
        self.flags |= future_flags(tree)
        if code is None and tree is not None:
            code = compiled(tree, filename, self.flags, last=index == len(statements) - 1)
            statements[index] = Statement(tree, code)
        if code is not None and not given:
            self.ran.append(code)
        if self.live:
            value = self.awaiting.run(code or "", self.space)
        else:
            value = eval(code or "", self.space)  # noqa: S307  (a student's cell, in the sandbox)
        if value is not None:
            self.output.write(f"{value!r}\n")

    def do_anew(self) -> Any:
        """Forget all that cells have made; say whether they have changed nothing else, so that others may follow."""
        bound = set(self.space)
        harmless = all(only_binds(code, bound) for code in self.ran)
        self.space.clear()
        self.kept.clear()
        self.graphs.clear()
        if self.surroundings.grown():
            gc.collect()
        self.begin()
        return "value", harmless and self.surroundings.untouched(self.folder, self.output), ()

    def do_stub(self, cell: str, *arguments: Any) -> Any:
        """Run a cell in which the student has written nothing, and note what it binds."""
        before = dict(self.space)
        ran = self.do_run(cell, *arguments)
        self.stubs.note(cell, before, self.space)
        return ran

    def do_untouched(self, about: dict[str, list[str]]) -> Any:
        """Say whether the names of such cells are still what the cells have bound."""
        return "value", self.stubs.untouched(about, self.space), ()

    def do_get(self, name: str) -> Any:
        """Look a global name up, as code does: also among what the student has put beside the built-in functions."""
        found = next((names for names in (self.space, vars(builtins)) if name in names), None)
        return ("missing",) if found is None else ("value", found[name], ())

    def do_hide(self, name: str) -> Any:
        """Take a global name away from the student's code; say whether it was there."""
        if name not in self.space:
            return "value", False, ()
        self.hidden[name] = self.space.pop(name)
        return "value", True, ()

    def do_show(self, name: str) -> Any:
        """Give a name back that was hidden."""
        if name in self.hidden:
            self.space[name] = self.hidden.pop(name)
        return "value", None, ()

    def do_call(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call something; say also which array arguments it changed in place."""
        answer = self.called(target, args, kwargs, lambda: (target(*args, **kwargs), []))
        return answer[:3] if answer[0] == "value" else answer

    def do_watch(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], closely: bool) -> Any:
        """Call something, and say also how it was seen to measure what it returns."""
        others = ["unseen"] if _thread._count() else []

        def call() -> tuple[Any, list[str]]:
            value, seen = watched(target, args, kwargs, closely=closely)
            return value, seen + others

        return self.called(target, args, kwargs, call)

    def called(
        self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], call: Callable[[], tuple[Any, list[str]]]
    ) -> Any:
        """Run a call, and look at its array arguments before and after."""
        before = list(arrays(args, kwargs))
        marks = [mark(array) for _, array in before]
        try:
            value, seen = call()
        except BaseException as error:
            return "raised", *describe(error), ()
        changed = [label for (label, array), old in zip(before, marks, strict=True) if mark(array) != old]
        return "value", value, tuple(named(target, changed)) if changed else (), seen
