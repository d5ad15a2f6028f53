"""The modules of the package import each other in one direction: no circle, counted at module level."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "bncourse"


def module_names(package: Path) -> dict[str, Path]:
    """The modules of a package, and their files."""
    files = sorted(package.rglob("*.py"))
    return {
        ".".join(file.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files
    }


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """What runs when a module is imported; what is for type checkers only is left out."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in ("body", "orelse", "finalbody"):
                yield from statements(getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                yield from statements(handler.body)


def imported(name: str, file: Path, known: dict[str, Path]) -> set[str]:
    """The modules that one imports while it is imported."""
    found = set[str]()
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in statements(ast.parse(file.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{base}.{each.name}" if f"{base}.{each.name}" in known else base for each in node.names}
    return {each for each in found if each in known and each != name}


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """The groups of modules that import each other, directly or through others (Tarjan)."""
    number, low, stack, found = dict[str, int](), dict[str, int](), list[str](), list[set[str]]()

    def visit(name: str) -> None:
        number[name] = low[name] = len(number)
        stack.append(name)
        for other in sorted(graph[name]):
            if other not in number:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == number[name]:
            group = set[str]()
            while name not in group:
                group.add(stack.pop())
            if len(group) > 1:
                found.append(group)

    for name in sorted(graph):
        if name not in number:
            visit(name)
    return found


def test_no_modules_of_the_package_import_each_other_in_a_circle() -> None:
    known = module_names(PACKAGE)
    graph = {name: imported(name, file, known) for name, file in known.items()}
    assert sum(map(len, graph.values())) > len(known)
    assert circles(graph) == []


@pytest.mark.parametrize(
    ("b", "circle"),
    [
        ("from made.a import x", True),
        ("import made.a", True),
        ("from . import a", True),
        ("try:\n    from .a import x\nexcept ImportError:\n    pass", True),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from made.a import x", False),
        ("def late():\n    from made.a import x", False),
    ],
)
def test_a_circle_is_found_however_it_is_written(tmp_path: Path, b: str, circle: bool) -> None:
    (tmp_path / "made").mkdir()
    for name, text in {"__init__": "", "a": "from made.c import z\nx = 1", "b": b, "c": "from made.b import y"}.items():
        (tmp_path / "made" / f"{name}.py").write_text(text, encoding="utf-8")
    known = module_names(tmp_path / "made")
    graph = {name: imported(name, file, known) for name, file in known.items()}
    assert circles(graph) == ([{"made.a", "made.b", "made.c"}] if circle else [])


def private_names(name: str, file: Path) -> set[str]:
    """The private names that a module takes from another package of this repository."""
    package, found = name if file.name == "__init__.py" else name.rpartition(".")[0], set[str]()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith("bncourse."):
            full = [f"{node.module}.{each.name}" for each in node.names]
            found |= {each for each in full if not each.startswith(f"{package}.") and "._" in each}
    return found


def test_what_packages_take_from_each_other_is_public() -> None:
    taken = {name: private_names(name, file) for name, file in module_names(PACKAGE).items()}
    assert {name: found for name, found in taken.items() if found} == {}
