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
from .codec import Decoder, Encoder
from .effects import only_binds
from .parsing import foreign, parse
from .progress import Progress
from .statements import GIVEN, UNSEEN, Statement, compiled, future_flags, one_definition
from .surroundings import Surroundings
from .watching import watched
from .wire_types import Handle, Parts, Tensor, WireError

PLAIN_KINDS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
PLAIN_OF: dict[type, Callable[[Any], Any]] = {str: str.__str__, int: int.__pos__, float: float.__pos__}
"""How a text or a number of the student's own kind, such as the member of an enumeration, becomes a plain one."""
MAX_ITEMS = 10_000
PRINT = builtins.print


class Worker(Decoder):
    """Answers the oracle's requests, one after the other, until the connection closes."""

    trusted = True

    def __init__(
        self, descriptor: int, place: Progress | None = None, surroundings: Surroundings | None = None
    ) -> None:
        self.channel = Channel(descriptor)
        self.place = place or Progress()
        self.kept: dict[int, Any] = {}
        self.numbers = 0
        self.leaves: list[Any] = []
        self.graphs: dict[int, list[Any]] = {}
        self.output = shells.CappedText()
        self.encoder = Encoder(self.leave)
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

    # --- what crosses ---

    def leave(self, value: Any) -> Any:
        """Say how a value that is not plain leaves: as its plain base, as parts, or as a handle."""
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            return self.leave_tensor(torch, value)
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufcUS":
            return np.array(value, subok=False)
        fields = getattr(type(value), "_fields", None)
        if isinstance(value, tuple) and isinstance(fields, tuple) and all(type(f) is str for f in fields):
            return Parts(self.keep(type(value)), type(value).__name__[:100], fields, tuple(tuple.__iter__(value)))
        for base, plain in PLAIN_OF.items():
            if isinstance(value, base):
                return plain(value)
        for base in (dict, list, tuple):
            if isinstance(value, base):
                return Parts(self.keep(value), f"={base.__name__}", ("value",), (base(value),))
        kind = "class" if isinstance(value, type) else "function" if isinstance(value, PLAIN_KINDS) else "object"
        if kind == "object" and callable(value):
            kind = "callable"
        name = getattr(value, "__name__", "") if kind in ("class", "function") else type(value).__name__
        return Handle(self.keep(value), kind, str(name)[:100])

    def leave_tensor(self, torch: Any, value: Any) -> Tensor:
        """Say how a tensor leaves: its values, and, if it wants gradients, a handle by which they can be asked for."""
        plain = value.detach().cpu()
        plain = plain.float() if plain.dtype == torch.bfloat16 else plain
        if not value.requires_grad:
            return Tensor(0, str(value.dtype), False, plain.numpy(), None)
        number = self.keep(value)
        self.graphs[number] = list(self.leaves)
        grad: Any = False
        if value.is_leaf:
            grad = None if value.grad is None else value.grad.detach().cpu().numpy()
        return Tensor(number, str(value.dtype), True, plain.numpy(), grad)

    def keep(self, value: Any) -> int:
        """Keep a value under a number."""
        self.numbers += 1
        self.kept[self.numbers] = value
        return self.numbers

    def handle(self, number: int, kind: str, name: str) -> Any:
        """Find what a handle stands for, or make a function that asks the other side."""
        if kind == "callback":
            return lambda *args, **kwargs: self.ask(number, args, kwargs)
        return self.kept[number]

    def parts(self, number: int, name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
        """Build a named tuple of the class it came from."""
        made = self.kept.get(number)
        return tuple.__new__(made, values) if made is not None else super().parts(0, name, fields, values)

    def tensor(self, number: int, dtype: str, wants_grad: bool, array: Any, grad: Any) -> Any:
        """Find the original of a leaf, or make a new tensor."""
        import torch

        if number in self.kept:
            return self.kept[number]
        made = torch.from_numpy(array).to(getattr(torch, dtype.removeprefix("torch.")))
        if wants_grad:
            self.leaves.append(made.requires_grad_(True))
        return made

    def ask(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function of the other side."""
        self.channel.send(self.encoder.encode(("callback", number, args, kwargs)))
        kind, value = self.decode(self.channel.receive())
        if kind == "raised":
            raise RuntimeError(value)
        return value

    # --- requests ---

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

    def do_get(self, name: str) -> Any:
        """Look a global name up."""
        return ("value", self.space[name], ()) if name in self.space else ("missing",)

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

    def do_pull(self, number: int, cotangent: Any) -> Any:
        """Take a cotangent back through the graph of a tensor; returns the gradients of the inputs it came from."""
        import torch

        leaves = self.graphs[number]
        for leaf in leaves:
            leaf.grad = None
        torch.autograd.backward(self.kept[number], cotangent.detach(), retain_graph=True)
        return "value", [leaf.grad for leaf in leaves], ()

    def do_attribute(self, target: Any, name: str) -> Any:
        """Get an attribute."""
        return "value", getattr(target, name), ()

    def do_set(self, target: Any, name: str, value: Any) -> Any:
        """Set an attribute."""
        setattr(target, name, value)
        return "value", None, ()

    def do_item(self, target: Any, key: Any) -> Any:
        """Get an item."""
        return "value", target[key], ()

    def do_put(self, target: Any, key: Any, value: Any) -> Any:
        """Set an item."""
        target[key] = value
        return "value", None, ()

    def do_length(self, target: Any) -> Any:
        """Take the length."""
        return "value", len(target), ()

    def do_items(self, target: Any) -> Any:
        """Iterate over something, not for ever."""
        return "value", [value for value, _ in zip(target, range(MAX_ITEMS), strict=False)], ()

    def do_instance(self, target: Any, kind: Any) -> Any:
        """Say whether one value is an instance of another."""
        return "value", bool(isinstance(target, kind)), ()

    def do_free(self, numbers: list[int]) -> Any:
        """Forget values that the other side has let go."""
        for number in numbers:
            self.kept.pop(number, None)
            self.graphs.pop(number, None)
        return "value", None, ()
