"""From the text of a script or a notebook to the code of its cells and to their statements."""

import ast
import json
import re


class UnreadableError(ValueError):
    """The file holds no Python that could be looked at; the message says why and what to do."""


def read_cells(text: str, name: str) -> list[str]:
    """Return the code of a file: one text for a script, one a cell for a notebook, without magics.

    Raises
    ------
    UnreadableError
        If it is no text of Python and no notebook.
    """
    if name.endswith(".ipynb") or text.lstrip().startswith("{"):
        try:
            notebook = json.loads(text)
            cells = notebook.get("cells") or [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableError(f"{name} is not a notebook that can be read: {error}. Save it again.") from error
        found = []
        for cell in cells:
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                source = cell.get("source", cell.get("input", ""))
                found.append("".join(source) if isinstance(source, list) else str(source))
    else:
        found = [text]
    if "\0" in text:
        raise UnreadableError(f"{name} holds no text. Expected Python or a notebook.")
    return [_without_magics(cell) for cell in found]


def _without_magics(cell: str) -> str:
    if re.match(r"\s*%%(?!time|capture|prun|writefile)", cell):
        return ""
    lines = []
    for line in cell.expandtabs(4).splitlines():
        magic = re.match(r"\s*[%!?]|.*\?\s*$|\s*get_ipython\(", line) and not re.match(r"\s*#", line)
        lines.append(re.sub(r"\S.*", "pass", line, count=1) if magic else line)
    return "\n".join(lines)


def statements_of(code: str, problems: dict[str, str]) -> list[ast.stmt]:
    """Parse a cell; where it does not parse as a whole, every definition that does by itself.

    Parameters
    ----------
    code : str
        Of the cell.
    problems : dict
        It is told of each definition that does not parse, and why.
    """
    try:
        return ast.parse(code).body
    except SyntaxError as error:
        whole = error
    starts = [match.start() for match in re.finditer(r"^(?=[^\s#)\]}])", code, re.M)]
    found: list[ast.stmt] = []
    for start, end in zip(starts, [*starts[1:], len(code)], strict=True):
        block, line = code[start:end], code.count("\n", 0, start)
        try:
            parsed = ast.parse("\n" * line + block).body
        except (SyntaxError, ValueError):
            named = re.match(r"(?:async\s+)?(?:def|class)\s+(\w+)", block)
            if named:
                problems[named.group(1)] = _syntax(block, whole)
            continue
        found += parsed
    return found


def _syntax(block: str, error: SyntaxError) -> str:
    if re.search(r"^\s*print\s+[\"'\w]", block, re.M):
        return "it is Python 2 (`print` without brackets); write print(...)"
    try:
        ast.parse(block)
    except SyntaxError as own:
        return f"line {own.lineno} of it is no Python: {own.msg}"
    return f"line {error.lineno} is no Python: {error.msg}"
