"""What a page's cells stand on: the modules of the package that they import, and what those import.

The execution cache knows a page by its cells alone. A change in the package has to run the cells of the
pages that stand on it again, and of no others. So each page gets one more cell, which nobody sees: a comment with the
hash of all that its cells import.
"""

import ast
import hashlib
import re
from functools import cache
from pathlib import Path

import bncourse

PACKAGE = Path(bncourse.__file__).parent
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
IMPORT = re.compile(r"^\s*((?:from|import) bncourse[^\n(]*(?:\([^)]*\))?)", re.MULTILINE)
DATA = (".json", ".toml", ".npz")
BY_NAME = "bncourse.experiments"
"""The room that imports its files by name at run time: a page that imports from the room itself stands on all of it."""


def imported(code: str) -> frozenset[str]:
    """Names of the package's modules that this code imports, and of what might be a module.

    >>> sorted(imported("from bncourse.plots import graph"))
    ['bncourse.plots', 'bncourse.plots.graph']
    """
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(name for name in names if name.split(".")[0] == "bncourse")


@cache
def file_of(module: str) -> Path | None:
    """Return the file of a module of the package, or None where the name is something inside a module."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


@cache
def read(path: Path) -> tuple[bytes, frozenset[str]]:
    """Return a file's content, and what it imports."""
    content = path.read_bytes()
    return content, imported(content.decode()) if path.suffix == ".py" else frozenset()


@cache
def data_in(folder: Path) -> tuple[Path, ...]:
    """Return the data files of a folder."""
    return tuple(path for path in folder.iterdir() if path.suffix in DATA)


def read_anew() -> None:
    """Forget what was read, after files have changed."""
    for remembered in (file_of, read, data_in):
        remembered.cache_clear()


def stands_on(modules: frozenset[str]) -> list[Path]:
    """List the files of these modules and of all that they import, with the data files beside them."""
    waiting, files = list(modules), set()
    if BY_NAME in modules:
        folder = PACKAGE.joinpath(*BY_NAME.split(".")[1:])
        waiting += [f"{BY_NAME}.{path.stem}" for path in folder.glob("*.py")]
        files.update(path for path in folder.rglob("*") if path.suffix in DATA)
    while waiting:
        name = waiting.pop()
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        path = file_of(name)
        if path is not None and path not in files:
            files.add(path)
            files.update(data_in(path.parent))
            waiting += read(path)[1]
    return sorted(files)


def page_hash(source: str) -> str:
    """Return a short name for the state of everything that the page's cells stand on.

    >>> page_hash("no cells")
    ''
    """
    cells = "\n".join(CELL.findall(source))
    modules = imported("\n".join(IMPORT.findall(cells)))
    if not modules:
        return ""
    digest = hashlib.sha256()
    for path in stands_on(modules):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + read(path)[0] + b"\0")
    return digest.hexdigest()[:16]


def with_state(text: str) -> tuple[str, str]:
    """Return the page with a cell that changes whenever something on which its cells stand does, and that state."""
    state = page_hash(text)
    if state:
        text += f"\n\n```{{code-cell}} python\n:tags: [remove-cell]\n# stands on {state}\n```\n"
    return text, state
