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
