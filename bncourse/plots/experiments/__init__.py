"""One file for each experiment, of the same name: `draw(result)` shows what it measured."""

import importlib
from typing import cast

from bncourse.experiments.result import Result
from bncourse.plots.style import Drawing


def draw(result: Result) -> Drawing:
    """Draw a Result, recorded or of your own.

    Raises
    ------
    ValueError
        If the experiment has no figure.
    """
    name = f"{__name__}.{result.experiment}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ValueError(f"there is no figure for the experiment {result.experiment!r}.") from error
    return cast(Drawing, module.draw(result))
