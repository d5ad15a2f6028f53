"""What runs in a page's worker, tried outside one: what a cell prints and shows, and how much of it."""

import ast
import importlib.util
import json
import subprocess
import sys

import pytest

from tools.book import ROOT

TRY = """
import json, sys
sys.path.insert(0, sys.argv[1])
import runner
said = {}
for name, source in json.load(sys.stdin).items():
    pieces = said[name] = []
    pieces.append(runner.run_cell(source, "cell 3", False, lambda kind, text: pieces.append((kind, text))))
print(json.dumps(said), file=sys.__stdout__)
"""

CELLS = {
    "text": "print('a')\nx = 6\nx * 7",
    "silent": "x;",
    "error": "def f(x):\n    return 1 / x\nf(0)",
    "typing error": "x = 1\ny = = 2",
    "magic": "%timeit 1 + 1",
    "input": "name = input('your name? ')",
    "much text": "for n in range(100_000): print(n)",
    "much in one": "list(range(100_000))",
    "many things": "for n in range(5_000): display(n)",
    "no repr": "class A:\n    def __repr__(self): raise ValueError('no repr')\nA()",
    "the end": "print('still here')",
}


@pytest.fixture(scope="module")
def said() -> dict[str, list[tuple[str, str]]]:
    """What each cell gave, in pieces, in a process of its own: the module changes what `input` and IPython are."""
    live = str(ROOT / "book" / "_static" / "live")
    done = subprocess.run(
        [sys.executable, "-c", TRY, live], input=json.dumps(CELLS), capture_output=True, text=True, check=True
    )
    return {
        name: [tuple(piece) for piece in pieces if piece not in ("ok", "failed")]
        for name, pieces in json.loads(done.stdout).items()
    }


def text(pieces: list[tuple[str, str]], *kinds: str) -> str:
    return "".join(text for kind, text in pieces if kind in kinds)


def test_a_cell_prints_and_shows_its_last_value(said: dict[str, list[tuple[str, str]]]) -> None:
    assert text(said["text"], "stdout") == "a\n"
    assert text(said["text"], "text") == "42"
    assert said["silent"] == []


def test_an_error_is_told_from_the_cell_on(said: dict[str, list[tuple[str, str]]]) -> None:
    told = text(said["error"], "error")
    assert told.splitlines()[0] == "Traceback (most recent call last):"
    assert 'File "<cell 3>", line 3, in <module>' in told
    assert told.rstrip().endswith("ZeroDivisionError: division by zero")
    assert "runner.py" not in told
    assert "ValueError: no repr" in text(said["no repr"], "error")


def test_a_typing_error_shows_its_line_and_a_magic_where_it_works(said: dict[str, list[tuple[str, str]]]) -> None:
    assert "y = = 2" in text(said["typing error"], "error")
    assert "Jupyter" not in text(said["typing error"], "error")
    assert "is for Jupyter" in text(said["magic"], "error")


def test_a_page_cannot_ask(said: dict[str, list[tuple[str, str]]]) -> None:
    assert "EOFError: a page cannot ask for input; write the value into the code" in text(said["input"], "error")


@pytest.mark.parametrize("name", ["much text", "much in one", "many things"])
def test_what_fills_the_page_is_cut_and_says_so(said: dict[str, list[tuple[str, str]]], name: str) -> None:
    told = text(said[name], "stdout", "stderr", "text")
    assert len(told) < 210_000
    assert len(said[name]) < 2_000
    assert "(cut: " in told.splitlines()[-1]


def test_the_next_cell_runs_after_all_that(said: dict[str, list[tuple[str, str]]]) -> None:
    assert text(said["the end"], "stdout") == "still here\n"


def test_what_the_keeper_imports_first_is_in_the_standard_library() -> None:
    source = (ROOT / "book" / "_static" / "live" / "keep.py").read_text("utf-8")
    (named,) = [
        one.value for one in ast.parse(source).body if isinstance(one, ast.Assign) and one.targets[0].id == "STANDARD"
    ]
    names = ast.literal_eval(named).split()
    assert len(names) > 20
    assert [name for name in names if name.partition(".")[0] not in sys.stdlib_module_names] == []
    assert [name for name in names if importlib.util.find_spec(name) is None] == []
