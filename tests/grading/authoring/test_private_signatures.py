"""Arguments in another order: definitions, calls, text and tests follow."""

import random
from pathlib import Path
from typing import Any

import jupytext
import pytest

from bncourse.diagnosis.restated import reordered
from bncourse.grading.authoring.masters import load_master
from bncourse.grading.authoring.private import private_master
from bncourse.grading.authoring.private_signatures import drawn_signatures, turns_round, with_signatures
from bncourse.grading.core.render import source_notebook
from bncourse.grading.student.selfcheck import run_checks

MASTERS = Path(__file__).resolve().parents[3] / "assignments" / "masters"
PUBLISHED, OWN = {"f": ("x", "ü", "z")}, {"f": ("z", "x", "ü")}


def cell(source: str, kind: str = "answer", cell_type: str = "code") -> Any:
    return jupytext.reads("", fmt="md:myst").__class__(
        cell_type=cell_type, source=source, metadata={"nbgrader": {"kind": kind}}
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x, ü, z, *, eps=1):\n    return x", "def f(z, x, ü, *, eps=1):\n    return x"),
        ("f(1, 'ä', g(2, 3), eps=4)", "f(g(2, 3), 1, 'ä', eps=4)"),
        ("y = f(f(1, 2, 3), (4,\n 5), 6)  # f", "y = f(6, f(3, 1, 2), (4,\n 5))  # f"),
        ("f(x=1, ü=2, z=3); g(1, 2, 3); a.f(1, 2, 3)", "f(x=1, ü=2, z=3); g(1, 2, 3); a.f(1, 2, 3)"),
    ],
)
def test_code_follows(source: str, expected: str) -> None:
    assert with_signatures([cell(source)], PUBLISHED, OWN) == [expected]


def test_a_call_that_mixes_positions_and_names_is_refused() -> None:
    with pytest.raises(ValueError, match="2 positional arguments"):
        with_signatures([cell("f(1, 2, z=3)")], PUBLISHED, OWN)


def test_text_follows() -> None:
    text = cell("Write `f(x, ü, z)` and `g(x, ü)`; `f(x)` is short.", "text", "markdown")
    assert with_signatures([text], PUBLISHED, OWN) == ["Write `f(z, x, ü)` and `g(x, ü)`; `f(x)` is short."]


def test_a_test_turns_round_what_it_calls_and_not_what_it_binds() -> None:
    source = 'check("f", f, other=f)\nassert f(1, 2, 3)'
    (turned,) = with_signatures([cell(source, "test")], PUBLISHED, OWN)
    names: dict[str, Any] = {"f": lambda z, x, ü: (x, ü, z) == (1, 2, 3), "check": lambda *_, **named: named["other"]}
    exec(turned, names)
    assert turns_round(turned) and 'check("f", own_f, other=own_f)' in turned
    bound = "f = 3\nprint(f)"
    assert with_signatures([cell(bound, "test")], PUBLISHED, OWN) == [bound]


def test_signatures_are_drawn_of_functions_with_several_arguments_that_are_not_called_with_a_star() -> None:
    cells = [cell("def f(a, b, c=1): ...\ndef g(a): ...\ndef h(a, b): ..."), cell("h(*pair)", "given")]
    published, own = drawn_signatures(cells, random.Random(0))
    assert published == {"f": ("a", "b")} and own == {"f": ("b", "a")}


def test_a_function_takes_the_published_order() -> None:
    def own(c: int, a: int, b: int, *, d: int = 0) -> tuple[int, ...]:
        return a, b, c, d

    turned = reordered(own, ("a", "b", "c"), ("c", "a", "b"))
    assert turned(1, 2, 3, d=4) == (1, 2, 3, 4) and turned(1, b=2, c=3) == (1, 2, 3, 0)


@pytest.mark.parametrize(
    "assignment",
    [
        "shift",
        "beyond",
        pytest.param("training", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("secret", ["secret-1", "secret-2"])
def test_the_solution_passes_all_tests(assignment: str, secret: str, tmp_path: Path) -> None:
    path = tmp_path / f"{assignment}.md"
    path.write_text(private_master((MASTERS / path.name).read_text(encoding="utf-8"), assignment, secret), "utf-8")
    master = load_master(path)
    assert any(turns_round(each.source) for each in master.cells)
    verdicts = run_checks(source_notebook(master))
    assert [(each.grade_id, each.message) for each in verdicts if each.outcome != "correct"] == []
