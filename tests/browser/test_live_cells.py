"""What the reading of a page's cells says of them: live or not, why, and what they need."""

import sys

from tools.book import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))

from live_cells import Cell, live


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


def test_a_figure_says_that_it_needs_matplotlib() -> None:
    (found,) = live([Cell(0, "from bncourse.plots.graph import computational_graph\ncomputational_graph()", ())])
    assert (found.why, found.libraries) == ("", ("matplotlib",))


def test_the_digits_are_on_board_and_the_rest_of_scikit_learn_is_not() -> None:
    (found,) = live([Cell(0, "from sklearn.datasets import load_digits", ())])
    assert (found.why, found.libraries) == ("", ("digits",))
    assert read("from sklearn.linear_model import LogisticRegression")[0][0] == "needs scikit-learn"


def test_an_import_that_may_fail_is_not_needed() -> None:
    assert read("try:\n    import torch\nexcept ImportError:\n    torch = None")[0][0] == ""


def test_a_tag_keeps_a_cell_static() -> None:
    assert read("x = 1", tags=("static",))[0][0] == "is not run here"
