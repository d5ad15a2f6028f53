"""Which cells of a page can run in the reader's browser, and which earlier cells each of them needs.

The browser has Python's standard library, NumPy, Matplotlib and this package. Of hidden cells, what only puts numbers
into the text, or only draws a picture, is left out. A statement can run there if neither it
nor what it calls imports anything else, and if no name that it uses was last bound by one that cannot. A cell is live
if all its statements can run. Modules are read and never imported: what a module imports at its top counts for everyone
who imports it, what a function imports counts for those who call it.
"""

import ast
import sys
from functools import cache
from typing import Any, NamedTuple

from page_dependencies import file_of
from statements import names, statements
from text_numbers import draws, imported_plots, random_names, without_text_numbers

LIBRARIES = {"matplotlib", "digits"}
"""What is loaded only for cells that need it; `digits` is the data set that scikit-learn's load_digits returns."""

ON_BOARD = {"numpy", "cycler", "PIL", "bncourse", "myst_nb", "IPython", *LIBRARIES, *sys.stdlib_module_names}
"""What can be imported in the browser; of myst_nb and IPython, what pages use of them (see runner.py)."""

ABSENT = {"timeit", "subprocess"}
"""Of the standard library: what does not work there, or measures the machine."""

NAMES = {"torch": "PyTorch", "sklearn": "scikit-learn", "nbgrader": "nbgrader", "scipy": "SciPy"}
"""How a page calls what is missing."""

STATIC = "static"
"""A cell with this tag is never live, because it takes too long."""

TEXT = "Markdown"
"""What a page imports from IPython to write text that the book sets; a notebook shows it, a live page cannot."""


class Cell(NamedTuple):
    """A code cell: its place among all cells of the page, its code, and what its tags hide."""

    index: int
    source: str
    tags: tuple[str, ...]

    @property
    def shown(self) -> bool:
        """Whether its code stands on the page."""
        return not {"remove-cell", "remove-input"} & set(self.tags)


class Live(NamedTuple):
    """What the page needs to know of a cell.

    `why` says why it cannot run as a whole, `code` is what of it can (all of it, or the statements that later cells may
    need), `needs` are the cells that have to run before it, and `libraries` is what has to be loaded for it.
    """

    cell: Cell
    why: str
    code: str
    needs: tuple[int, ...]
    libraries: tuple[str, ...]


class Module(NamedTuple):
    """A module of the package as its text has it."""

    name: str
    required: frozenset[str]
    imported: dict[str, tuple[str, str]]
    defined: dict[str, ast.AST]


@cache
def module(name: str) -> Module | None:
    """Read a module of the package; None where there is none of that name."""
    path = file_of(name)
    if path is None:
        return None
    tree = ast.parse(path.read_text("utf-8"))
    required: set[str] = set()
    imported: dict[str, tuple[str, str]] = {}
    defined: dict[str, ast.AST] = {}
    for node in tree.body:
        note_imports(node, required, imported)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return Module(name, frozenset(required), imported, defined)


def note_imports(node: ast.AST, required: set[str], imported: dict[str, tuple[str, str]]) -> None:
    """Note what a statement imports when executed; imports that may fail, or are for the type checker, do not count."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
        return
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return
    if isinstance(node, ast.Try) and any("ImportError" in ast.dump(handler) for handler in node.handlers):
        return
    if isinstance(node, ast.Import):
        for alias in node.names:
            required.add(alias.name)
            imported[alias.asname or alias.name.partition(".")[0]] = (alias.name, "")
    elif isinstance(node, ast.ImportFrom) and node.module == "sklearn.datasets":
        required.update("digits" if alias.name == "load_digits" else "sklearn" for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            submodule = f"{node.module}.{alias.name}"
            is_module = node.module.split(".")[0] == "bncourse" and file_of(submodule) is not None
            required.add(submodule if is_module else node.module)
            imported[alias.asname or alias.name] = (submodule, "") if is_module else (node.module, alias.name)
    else:
        for child in ast.iter_child_nodes(node):
            note_imports(child, required, imported)


@cache
def at_import(name: str) -> frozenset[str]:
    """What importing a module brings in from outside the package, at any depth."""
    outside, seen, waiting = set(), set(), [name]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if "." in one:
            waiting.append(one.rpartition(".")[0])
        found = module(one) if one.split(".")[0] == "bncourse" else None
        if found is not None:
            waiting += found.required
        elif "." not in one:
            outside.add(one)
    return frozenset(outside)


def at_call(start: list[tuple[str, str]]) -> set[str]:
    """What the things of these names (module, name) bring in from outside the package when they are called."""
    outside: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = list(start)
    while waiting:
        place = waiting.pop()
        if place not in seen:
            seen.add(place)
            own, mentioned = stands_on(*place)
            outside |= own
            waiting += mentioned
    return outside


@cache
def stands_on(where: str, name: str) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """What a thing of a module imports itself when it is called, and the things (module, name) that it mentions."""
    found = module(where)
    if found is None:
        return frozenset(), frozenset()
    mentioned = {found.imported[name]} if name in found.imported else set()
    node = found.defined.get(name)
    if node is None:
        return frozenset(), frozenset(mentioned)
    required: set[str] = set()
    inner: dict[str, tuple[str, str]] = {}
    for statement in getattr(node, "body", []) if isinstance(node, ast.FunctionDef | ast.ClassDef) else [node]:
        for each in [statement] if not isinstance(statement, ast.FunctionDef) else statement.body:
            note_imports(each, required, inner)
    outside = frozenset(one for name in required for one in at_import(name))
    return outside, frozenset(mentioned | set(uses(node, where, found.imported | inner)))


def uses(node: ast.AST, where: str, imported: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """The things (module, name) that a piece of code mentions; an attribute of a module is a thing of that module."""
    found = []
    for child in ast.walk(node):
        if isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name):
            target = imported.get(child.value.id)
            if target is not None and not target[1]:
                found.append((target[0], child.attr))
        if isinstance(child, ast.Name):
            found.append(imported.get(child.id, (where, child.id)))
    return found


class Names(NamedTuple):
    """The names that a cell binds, those of them that never vary, those that it uses, and those it may change."""

    bound: set[str]
    fixed: set[str]
    used: set[str]
    touched: set[str]


def live(cells: list[Cell], *, pictures: bool = False) -> list[Live]:
    """Say of each code cell of a page whether it is live, which cells it needs, and what of it runs in the browser.

    With `pictures`, as in a notebook, what a hidden cell draws counts too; on a page it is there already.
    """
    imported: dict[str, tuple[str, str]] = {}
    lost: dict[str, str] = {}
    found: list[Live] = []
    facts: list[Names] = []
    hidden = [not cell.shown for cell in cells]
    sources = without_text_numbers([cell.source for cell in cells], hidden, pictures=pictures)
    read = [statements(source) for source in sources]
    plots, random = imported_plots(read), random_names(read)
    for cell, rest in zip(cells, sources, strict=True):
        source = cell.source if cell.shown else rest
        kept, whys, changing = [], [], []
        libraries: set[str] = set()
        for one in statements(source):
            outside = brought_in(one.node, imported)
            why = "takes minutes" if STATIC in cell.tags else reason(outside, one.used, lost)
            if why:
                whys.append(why)
                lost |= dict.fromkeys(one.bound | one.changed, why)
            else:
                kept.append(one.text)
                if one.used & random or not draws(one.node, plots):
                    changing.append(one.text)
                libraries |= outside & LIBRARIES
                for name in one.bound:
                    lost.pop(name, None)
        rest = "\n".join(kept)
        facts.append(Names(*names(rest), touched=names("\n".join(changing))[2]))
        why = min(whys, key=lambda one: one.startswith("stands"), default="")
        found.append(Live(cell, why, source if not why else rest, (), tuple(sorted(libraries))))
    variables = set().union(*(one.bound - one.fixed for one in facts))
    return [one._replace(needs=slice_of(place, facts, variables, found)) for place, one in enumerate(found)]


def brought_in(statement: ast.stmt, imported: dict[str, tuple[str, str]]) -> set[str]:
    """What a statement imports and calls from outside the package; `imported` learns its imports."""
    required: set[str] = set()
    note_imports(statement, required, imported)
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef):
            for inner in node.body:
                note_imports(inner, required, imported)
    outside = set().union(*(at_import(name) for name in required)) if required else set()
    return outside | at_call(uses(statement, "", imported))


def reason(outside: set[str], used: frozenset[str], lost: dict[str, str]) -> str:
    """Why a statement cannot run in the browser; nothing if it can."""
    if TEXT in used:
        return "writes text, which only the book can set"
    missing = sorted((outside - ON_BOARD) | (outside & ABSENT))
    if missing:
        return "needs " + " and ".join(dict.fromkeys(NAMES.get(name, name) for name in missing))
    stands_on = [lost[name] for name in sorted(used) if name in lost]
    if stands_on:
        return stands_on[0] if stands_on[0].startswith("stands") else f"stands on a cell that {stands_on[0]}"
    return ""


def slice_of(place: int, facts: list[Names], variables: set[str], found: list[Live]) -> tuple[int, ...]:
    """The cells above that bind a name of this cell's, or that may change a variable of its, at any remove."""
    relevant, needs = set(facts[place].used), []
    for earlier in range(place - 1, -1, -1):
        one = facts[earlier]
        if found[earlier].code and relevant & (one.bound | (one.touched & variables)):
            needs.append(found[earlier].cell.index)
            relevant |= one.used
    return tuple(reversed(needs))


def cells_of(notebook: dict[str, Any]) -> list[Cell]:
    """The code cells of a notebook."""
    return [
        Cell(index, "".join(cell["source"]), tuple(cell["metadata"].get("tags", ())))
        for index, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code"
    ]
