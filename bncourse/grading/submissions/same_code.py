"""Two texts of a cell in; whether they are the same code, and what a cell binds, out. What was released is kept."""

import ast
import contextlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from bncourse.grading.core.names import bound_names, parse
from bncourse.grading.core.records import MasterCell
from bncourse.grading.core.regions import released_source
from bncourse.grading.core.render import nbgrader_metadata
from bncourse.grading.submissions.magics import plain_python

MAX_PARSED = 60_000
"""Characters of a cell; a longer one is no stub, and is not known by the names that it binds."""
_UNNAMED = re.compile(r"given-\d+")
PROTECTED = ("grade", "solution", "locked", "points", "task", "cell_type")


def is_unnamed(cell: MasterCell) -> bool:
    """Whether a given cell has no name of its own: other courses leave such cells without nbgrader's metadata."""
    return cell.kind == "given" and _UNNAMED.fullmatch(cell.grade_id) is not None


def is_stub(cell: MasterCell, source: str) -> bool:
    """Whether an answer is still what the release says, comments, texts in quotes and blank lines aside."""
    as_released = released(cell).source
    if same(source, as_released) or not source.strip():
        return True
    if ("NotImplementedError" in as_released) != ("NotImplementedError" in source):
        return False
    tree = _work(source) if cell.cell_type == "code" else None
    return tree is not None and tree == _work(as_released)


class Released(NamedTuple):
    """A cell as it was released."""

    source: str
    flags: list[Any]


@lru_cache(maxsize=2_048)
def released(cell: MasterCell) -> Released:
    """A cell as it was released."""
    return Released(released_source(cell.source, cell.cell_type), flags(nbgrader_metadata(cell)))


def flags(facts: Mapping[str, Any]) -> list[Any]:
    """What nbgrader's metadata say of a cell that a student must not change."""
    return [facts.get(name) for name in PROTECTED]


def same(source: str, other: str) -> bool:
    """Whether two texts differ in nothing but white space at the end of lines, and around them."""
    return source == other or _plain(source) == _plain(other)


def same_code(source: str, other: str) -> bool:
    """Whether two cells are the same code, whatever a formatter made of its quotes and spaces, or magics of calls."""
    source, other = plain_python(source), plain_python(other)
    if same(source, other):
        return True
    tree = parsed(other)
    return tree is not None and tree == parsed(source)


def _plain(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().split("\n"))


def does_something(source: str) -> bool:
    """Whether a cell is a program, and not a comment, a text in quotes, or prose that no parser takes."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        body = parse(source).body
        return not all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)
    return bool(re.search(r"^[ \t]*(def|class|import|from|return|%|!)|[=(\[]", source, re.MULTILINE))


@lru_cache(maxsize=512)
def binds(source: str) -> frozenset[str]:
    """The names that code binds; none of code that cannot be parsed."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(bound_names(parse(source))) if len(source) <= MAX_PARSED else frozenset()
    return frozenset()


def spoken_of(source: str) -> frozenset[str]:
    """The names that code binds; of code that cannot be parsed, all its words."""
    return frozenset(re.findall(r"\w+", source)) if parsed(source) is None else binds(source)


@lru_cache(maxsize=2048)
def _work(source: str) -> str | None:
    """Parsed code without what does nothing, as text; None where it cannot be parsed, or is too long for a stub."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.dump(_WithoutConstants().visit(parse(source))) if len(source) <= MAX_PARSED else None
    return None


class _WithoutConstants(ast.NodeTransformer):
    """Leaves out statements that are a text or a number and nothing else."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node


@lru_cache(maxsize=2048)
def parsed(source: str) -> str | None:
    """Parsed code, as text; None where it cannot be parsed, or is too long for a stub."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.dump(parse(source)) if len(source) <= MAX_PARSED else None
    return None
