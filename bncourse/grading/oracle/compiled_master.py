"""A master in; its code compiled, and its imports loaded out, before the oracle forks."""

import ast
import contextlib
import io
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple

from bncourse.grading.core.names import imports_of, loaded_names, parse
from bncourse.grading.core.records import Master, MasterCell
from bncourse.grading.core.regions import hidden_lines
from bncourse.grading.sandbox.inside.statements import unprinted


class Statement(NamedTuple):
    """A statement of the master's own, and the names that it needs at once."""

    code: CodeType
    reads: set[str]


class CompiledMaster:
    """A master's code, compiled once; forks find it ready."""

    def __init__(self, master: Master) -> None:
        self.master = master
        self.binds = master.binds
        self.statements: dict[str, list[Statement]] = {}
        self.hidden_names: dict[str, set[str]] = {}
        """By test cell, the names that its hidden lines read."""
        self._tests: dict[str, tuple[CodeType, CodeType | None]] = {}
        self._visible: dict[str, tuple[CodeType, CodeType | None]] = {}
        printing = any("print" in names for names in self.binds.values())
        for cell in master.cells:
            if cell.kind == "test":
                self.hidden_names[cell.grade_id] = _names_in_hidden(cell.source)
                self._tests[cell.grade_id] = _compiled(cell, cell.source)
                with contextlib.suppress(SyntaxError):
                    self._visible[cell.grade_id] = _compiled(cell, _without_hidden(cell.source))
            elif cell.kind in ("given", "answer"):
                nodes = master.trees[cell.grade_id].body
                if cell.kind == "answer":
                    nodes = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
                if not printing:
                    nodes = [unprinted(node) for node in nodes]
                self.statements[cell.grade_id] = [_statement(node, cell) for node in nodes]

    def run_test(self, cell: MasterCell, space: dict[str, Any], *, visible: bool = False) -> Any:
        """Run a test cell, or the part that students see; returns the last line's value if that is an expression."""
        body, last = (self._visible if visible else self._tests)[cell.grade_id]
        exec(body, space)  # noqa: S102  (the instructor's test cell)
        return None if last is None else eval(last, space)  # noqa: S307  (the same)

    def load_libraries(self) -> None:
        """Import what the master imports, and read what a diagnosis needs from disk."""
        from bncourse.diagnosis import checks

        _ = self.master.loads, self.master.gradients
        for tree in self.master.trees.values():
            for name in imports_of(tree):
                with contextlib.suppress(ImportError):
                    __import__(name)
        with contextlib.suppress(Exception):
            checks.check_forward(lambda *_, **__: None)


def test_file(cell: MasterCell) -> str:
    """Under which name a test cell is compiled."""
    return f"<test {cell.grade_id}>"


class _Nowhere(io.TextIOBase):
    """A stream that keeps nothing."""

    def writable(self) -> bool:
        """A stream to write to."""
        return True

    def write(self, text: str) -> int:
        """Say that all was written."""
        return len(text)


NOWHERE = _Nowhere()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Throw away what is printed."""
    before = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = NOWHERE
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _without_hidden(source: str) -> str:
    """The source with its hidden lines left blank, so that the others keep their numbers."""
    hidden = hidden_lines(source)
    return "\n".join("" if n in hidden else line for n, line in enumerate(source.split("\n"), start=1))


def _names_in_hidden(source: str) -> set[str]:
    """The names that the hidden lines of a test cell read."""
    hidden = hidden_lines(source)
    return {node.id for node in ast.walk(parse(source)) if isinstance(node, ast.Name) and node.lineno in hidden}


def _compiled(cell: MasterCell, source: str) -> tuple[CodeType, CodeType | None]:
    *body, last = parse(source).body or [ast.Pass()]
    rest = [] if isinstance(last, ast.Expr) else [last]
    code = compile(ast.Module([*body, *rest], []), test_file(cell), "exec")
    return code, compile(ast.Expression(last.value), test_file(cell), "eval") if isinstance(last, ast.Expr) else None


def _statement(node: ast.stmt, cell: MasterCell) -> Statement:
    code = compile(ast.Module([node], []), f"<{cell.grade_id}>", "exec")
    later = isinstance(node, ast.FunctionDef | ast.ClassDef)
    return Statement(code, set() if later else loaded_names(node))
