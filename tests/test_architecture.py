"""The pages for engineers say what the contracts of import-linter say."""

import re
import tomllib
from pathlib import Path

import pytest

from tools.architecture import PAGE, layers, page, picture

ROOT = Path(__file__).resolve().parents[1]
INSIDE = "bncourse.grading.sandbox.inside"


def test_the_picture_is_that_of_the_contracts() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert picture() in text
    assert page(text) == text, "type: python -m tools.architecture"


def test_the_readme_lists_the_packages_in_the_order_of_the_contract() -> None:
    rows = re.findall(
        r"^\| `bncourse/(\w+)(?:/|\.py)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    contract = layers("bncourse")
    assert sorted(rows) == sorted(name for row in contract for name in row)
    level = {name: number for number, row in enumerate(contract) for name in row}
    assert [level[name] for name in rows] == sorted(level.values())


def test_every_package_and_module_stands_in_the_contract() -> None:
    there = {
        path.stem for path in (ROOT / "bncourse").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert there - {"__init__", "__main__"} == {name for row in layers("bncourse") for name in row}


def test_the_glossary_defines_25_words_in_alphabetical_order() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## Words")[2]
    words = re.findall(r"^\| ([a-z ]+) \|", text, re.MULTILINE)[1:]
    assert len(words) == 25
    assert words == sorted(words)


@pytest.mark.parametrize("name", ["belief", "chapter", "assignment", "experiment", "cluster"])
def test_it_is_said_how_to_add_one(name: str) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    steps = re.search(rf"^### An? {name}\n(.*?)(?=^###|\Z)", text, re.DOTALL | re.MULTILINE)
    assert steps is not None
    for path in re.findall(r"`((?:bncourse|book|assignments|tests)/[\w./]*)`", steps[1]):
        assert list(ROOT.glob(path.rstrip("/").replace("NAME", "*"))), path


def test_what_is_shipped_into_the_sandbox_may_import_nothing_else_of_bncourse() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (contract,) = (each for each in settings["contracts"] if each.get("source_modules") == [INSIDE])
    wanted = {f"bncourse.{name}" for row in layers("bncourse") for name in row} - {"bncourse.grading"}
    wanted |= {f"bncourse.grading.{name}" for row in layers("bncourse.grading") for name in row}
    sandbox = (ROOT / "bncourse/grading/sandbox").glob("*.py")
    wanted |= {f"bncourse.grading.sandbox.{path.stem}" for path in sandbox if path.stem != "__init__"}
    assert set(contract["forbidden_modules"]) == wanted - {"bncourse.grading.sandbox"}


TESTS = ROOT / "tests"
BESIDE = {
    "acceptance": "whole runs and properties of several packages: what only a whole run shows",
    "assignments": "the masters and their sample classes in assignments/",
    "book": "the pages in book/ and the built site",
    "browser": "the built site where its cells run",
}
"""Folders of tests that are not of one module of the package."""
OF_THE_REPOSITORY = {"architecture", "groups", "imports", "packaging", "twins", "twins_beyond"}


def named_after(path: Path) -> list[Path]:
    """The module, or the folder, that a file of tests is named after; a package's own module may bear its name."""
    folder, name = path.relative_to(TESTS).parent, path.stem.removeprefix("test_")
    there = ROOT / "bncourse" / folder
    named = [there / f"{name}.py", there / f"_{name}.py", there / name]
    return [each for each in [*named, *([there] if name == folder.name else [])] if each.exists()]


def test_tests_mirror_the_package_path_for_path() -> None:
    files = [path for path in TESTS.rglob("test_*.py") if path.relative_to(TESTS).parts[0] not in BESIDE]
    assert [str(p.relative_to(ROOT)) for p in files if not named_after(p) and p.parent != TESTS] == []
    assert {p.stem[5:] for p in files if not named_after(p)} == OF_THE_REPOSITORY
    assert all(any((TESTS / folder).glob("test_*.py")) for folder in BESIDE)


def test_every_package_has_its_folder_of_tests() -> None:
    for package in (ROOT / "bncourse").rglob("__init__.py"):
        folder = TESTS / package.parent.relative_to(ROOT / "bncourse")
        assert any(folder.rglob("test_*.py")), f"{folder.relative_to(ROOT)} has no tests"
