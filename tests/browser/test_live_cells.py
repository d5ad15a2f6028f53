"""What the reading of a page's cells says of them: live or not, why, and what they need."""

import ast
import builtins
import hashlib
import json
import symtable
import sys
from pathlib import Path

from tools.book import ROOT
from tools.book_pages import toc_pages

sys.path.insert(0, str(ROOT / "book" / "_ext"))

import jupytext
import pytest
from lite_notebooks import with_matplotlib
from live import on_board, with_packages
from live_cells import ON_BOARD, Cell, at_import, cells_of, live
from statements import statements
from text_numbers import without_text_numbers

LEAST = {
    "book/beyond/other_domains": 0.3,
    "book/beyond/recurrent": 0.2,
    "book/practice/training": 0.4,
    "book/why/covariate_shift": 0.05,
}
"""The pages that are mostly about PyTorch or scikit-learn, with the share of their cells that is live."""


def read(*sources: str, tags: tuple[str, ...] = ()) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.why, one.needs) for one in live([Cell(n, source, tags) for n, source in enumerate(sources)])]


def test_a_cell_needs_those_that_bind_its_names_and_those_that_touch_its_variables() -> None:
    cells = read(
        "import numpy as np", "rng = np.random.default_rng(0)", "x = rng.normal()", "y = np.ones(2)", "rng.normal()"
    )
    assert cells[4] == ("", (0, 1, 2)), "the draw above decides which number comes next"
    assert cells[3] == ("", (0,)), "y is no business of the random numbers"


def test_what_imports_pytorch_is_not_live_nor_what_stands_on_it() -> None:
    cells = read("import torch\nx = 3", "y = torch.ones(x)", "print(y)", "print(x)", "y = 2", "print(y)")
    assert [why for why, _ in cells] == [
        "needs PyTorch",
        "stands on a cell that needs PyTorch",
        "stands on a cell that needs PyTorch",
        "",
        "",
        "",
    ]


def test_the_statements_that_can_run_of_a_cell_that_cannot_are_kept_for_later_ones() -> None:
    found = live([Cell(0, "import torch\nx = 3\nz = torch.ones(x)", ()), Cell(1, "print(x)", ())])
    assert found[0].code == "x = 3"
    assert found[1].needs == (0,)


def test_a_function_counts_for_what_it_imports_when_it_is_called() -> None:
    assert read("from bncourse.experiments import recorded\nrecorded('cost')")[0][0] == ""
    assert read("from bncourse.experiments.data import load\nload('digits')")[0][0] == ""
    assert "PyTorch" in read("from bncourse.experiments.training import train")[0][0]
    assert "PyTorch" in read("from bncourse.experiments import training\nprint(training)")[0][0]


PICTURE = "import numpy as np\nfrom bncourse.plots.graph import computational_graph\n\nx = np.ones(3)\n"


def test_the_picture_of_a_hidden_cell_loads_nothing_for_the_cells_below() -> None:
    hidden = Cell(0, f"{PICTURE}computational_graph(x)", ("remove-input",))
    first, second = live([hidden, Cell(1, "np.mean(x)", ())])
    assert (first.code.splitlines()[-1], first.libraries) == ("x = np.ones(3)", ())
    assert second.needs == (0,)
    kept, _ = live([hidden, Cell(1, "np.mean(x)", ())], pictures=True)
    assert (kept.code, kept.libraries) == (hidden.source, ("matplotlib",))


def test_a_picture_is_not_drawn_for_the_cells_below_unless_it_draws_random_numbers() -> None:
    drawing = "from bncourse.plots import graph\ngraph.computational_graph(x)"
    assert live([Cell(0, "x = [3.0]", ()), Cell(1, drawing, ()), Cell(2, "print(x)", ())])[2].needs == (0,)
    cells = ["from numpy.random import default_rng\nx = default_rng(0)", drawing, "print(x.normal())"]
    assert live([Cell(n, source, ()) for n, source in enumerate(cells)])[2].needs == (0, 1)
    cells = ["x = [3.0]", "from bncourse.plots import graph\ngraph.computational_graph(x)\nx.append(1)", "print(x)"]
    assert live([Cell(n, source, ()) for n, source in enumerate(cells)])[2].needs == (0, 1)


@pytest.mark.parametrize("name", toc_pages())
def test_no_hidden_cell_of_a_page_loads_matplotlib(name: str) -> None:
    facts = live(cells_of(jupytext.read(ROOT / f"{name}.md")))
    assert [one.cell.index for one in facts if "matplotlib" in one.libraries and not one.cell.shown] == []


def test_a_notebook_names_matplotlib_where_it_is_first_needed() -> None:
    drawing = "from bncourse.plots.graph import computational_graph\ncomputational_graph()"
    facts = live([Cell(0, "x = 1", ()), Cell(1, drawing, ()), Cell(2, drawing, ())])
    codes = with_matplotlib({one.cell.index: one.cell.source for one in facts}, facts)
    assert codes == {0: "x = 1", 1: f"import matplotlib\n\n{drawing}", 2: drawing}


def test_a_package_is_listed_for_notebooks_with_its_digest_which_its_address_has_too(tmp_path: Path) -> None:
    wheel = tmp_path / "bncourse-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"the wheel")
    package = on_board("bncourse", wheel, ["bncourse"])
    told = json.loads(with_packages('{"packages": {}}', [package, {**package, "name": "digits"}]))["packages"]
    digest = hashlib.sha256(b"the wheel").hexdigest()
    assert (told["bncourse"]["version"], told["bncourse"]["sha256"]) == ("0.1.0", digest)
    assert told["bncourse"]["file_name"] == f"../{tmp_path.name}/{wheel.name}?{digest[:12]}.whl"
    assert (told["bncourse"]["depends"], told["digits"]["depends"]) == (["numpy", "digits"], ["numpy"])


def test_every_figure_can_be_drawn_in_a_browser() -> None:
    plots = sorted((ROOT / "bncourse" / "plots").rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in plots]
    assert len(names) > 50
    assert {name: lacking for name in names if (lacking := at_import(name) - ON_BOARD)} == {}


def test_a_figure_says_that_it_needs_matplotlib() -> None:
    (found,) = live([Cell(0, "from bncourse.plots.graph import computational_graph\ncomputational_graph()", ())])
    assert (found.why, found.libraries) == ("", ("matplotlib",))


def test_the_digits_are_on_board_and_the_rest_of_scikit_learn_is_not() -> None:
    (found,) = live([Cell(0, "from sklearn.datasets import load_digits", ())])
    assert (found.why, found.libraries) == ("", ("digits",))
    assert read("from sklearn.linear_model import LogisticRegression")[0][0] == "needs scikit-learn"
    assert read("from sklearn.datasets import load_digits, load_iris")[0][0] == "needs scikit-learn"


def test_an_import_that_may_fail_is_not_needed() -> None:
    assert read("try:\n    import torch\nexcept ImportError:\n    torch = None")[0][0] == ""


def test_a_tag_keeps_a_cell_static() -> None:
    assert read("x = 1", tags=("static",))[0][0] == "takes minutes"


def test_a_change_that_cannot_be_made_is_lost_like_a_name() -> None:
    cells = read(
        "import torch\nfound = []\nfor n in range(3):\n    found.append(torch.ones(n))",
        "print(max(found))",
        "found = [1]",
        "print(max(found))",
    )
    assert [why for why, _ in cells] == ["needs PyTorch", "stands on a cell that needs PyTorch", "", ""]


def test_what_is_added_to_has_to_be_there() -> None:
    assert read("found = {}", "x = 1", "found |= {2: 3}")[2] == ("", (0,))
    assert read("import torch\ntotal = torch.ones(1)", "total += 1")[1][0] == "stands on a cell that needs PyTorch"


def test_a_loops_own_name_is_not_the_one_that_was_lost() -> None:
    assert read("import torch\nx = torch.ones(2)", "for x in range(3):\n    print(x)")[1] == ("", ())


def test_text_that_only_the_book_sets_is_not_written_by_a_page() -> None:
    assert read("from IPython.display import Markdown", "Markdown('| a |')")[1][0].startswith("writes text")


def left(*cells: str) -> list[str]:
    """What is left of cells, each hidden that begins with a space."""
    return without_text_numbers([cell.strip() for cell in cells], [cell.startswith(" ") for cell in cells])


def test_what_only_serves_the_text_is_left_out() -> None:
    assert left("x = 3", " half = x / 2\nglue('half', half)", "print(x)") == ["x = 3", "", "print(x)"]


def test_what_a_later_cell_needs_of_a_hidden_one_stays() -> None:
    assert (
        left(" half = 1\nglue('half', half)\nbest = {}\nbest['a'] = half", "print(best)")[0]
        == "half = 1\nbest = {}\nbest['a'] = half"
    )


def test_a_function_that_puts_numbers_into_the_text_goes_with_its_calls() -> None:
    hidden = " def put(name, x):\n    glue(name, x)\nput('a', 1)\nfor n in range(3):\n    put(str(n), n)"
    assert left(hidden, "n = 2\nprint(n)")[0] == ""


def test_numbers_that_are_drawn_for_the_text_change_those_that_come_after() -> None:
    cells = left("rng = default_rng(0)\ndef draw():\n    return rng.normal()", " glue('x', draw())", "print(draw())")
    assert cells[1] == "glue('x', draw())"


def test_a_shown_cell_keeps_what_it_computes() -> None:
    assert left("x = 3\nglue('x', x)") == ["x = 3"]


@pytest.mark.parametrize("name", toc_pages())
def test_what_a_cell_uses_is_bound_by_what_runs_before_it(name: str) -> None:
    facts = {one.cell.index: one for one in live(cells_of(jupytext.read(ROOT / f"{name}.md")))}
    known = {*dir(builtins), "display", "get_ipython"}
    for one in facts.values():
        if one.code:
            before = "\n".join(facts[index].code for index in (*one.needs, one.cell.index))
            top = symtable.symtable(before, "<cell>", "exec").get_symbols()  # a function's names may be bound later
            bound, used = set[str](), {each.get_name() for each in top if each.is_referenced()}
            for statement in statements(before):
                adds = isinstance(statement.node, ast.AugAssign)
                bound, used = (bound, used | statement.bound) if adds else (bound | statement.bound, used)
            assert used - bound - known == set(), f"cell {one.cell.index} with what it needs"


@pytest.mark.parametrize("name", toc_pages())
def test_no_page_stops_being_live(name: str) -> None:
    shown = [one for one in live(cells_of(jupytext.read(ROOT / f"{name}.md"))) if one.cell.shown]
    dead = [f"{one.cell.source.strip().splitlines()[0]}: {one.why}" for one in shown if one.why]
    assert len(shown) - len(dead) >= LEAST.get(name, 0.5) * len(shown), "\n".join(dead)
