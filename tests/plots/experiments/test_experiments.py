import sys

import pytest

from bncourse.experiments.result import Result
from bncourse.plots.experiments import draw


def test_an_experiment_without_a_figure_is_named() -> None:
    with pytest.raises(ValueError, match="no figure for the experiment 'made_up'"):
        draw(Result("made_up", "?", {}, {}, ()))


def test_a_figure_that_lacks_a_package_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bncourse.plots.experiments.sync", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"matplotlib\.figure"):
        draw(Result("sync", "?", {}, {}, ()))
