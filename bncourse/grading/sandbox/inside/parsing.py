"""A cell's text in; its statements out, as many of them as can be parsed."""

import ast
import contextlib
from collections.abc import Iterator


def parse(source: str, problems: list[tuple[int, str, str]]) -> Iterator[ast.stmt]:
    """Parse a cell; where it does not parse, keep the top-level blocks that do."""
    for text in (source, source.expandtabs(8)):
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            yield from ast.parse(text).body
            return
    block: list[str] = []
    start = 0
    lines = [*source.expandtabs(8).splitlines(), ""]
    for number, line in enumerate([*lines, "end"]):
        if line[:1] in ("", " ", "#", ")", "]", "}") or not block:
            if block or line.strip():
                start = start if block else number
                block.append(line)
            continue
        if line.split(" ")[0].rstrip(":") in ("else", "elif", "except", "finally") or block[-1].startswith("@"):
            block.append(line)
            continue
        try:
            tree = ast.increment_lineno(ast.parse("\n".join(block)), start)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            problems.append((start + (getattr(error, "lineno", None) or 1), type(error).__name__, str(error)[:200]))
        else:
            yield from tree.body
        block, start = [line], number


def foreign(statement: ast.stmt) -> bool:
    """Whether a given cell's statement imports the reference package, which does not exist here."""
    if isinstance(statement, ast.ImportFrom):
        return (statement.module or "").split(".")[0] == "bncourse"
    return isinstance(statement, ast.Import) and any(a.name.split(".")[0] == "bncourse" for a in statement.names)
