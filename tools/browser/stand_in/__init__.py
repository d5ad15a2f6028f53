"""What is on board of scikit-learn in the browser: `sklearn.datasets.load_digits`. There it lies under that name."""

import sys
from importlib.abc import MetaPathFinder
from typing import Any

ON_BOARD = "of scikit-learn, a browser has only sklearn.datasets.load_digits; the rest needs a Python of your own"


class Absent(MetaPathFinder):
    """Says of each other part of the library that it is not here."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        """Find nothing, and say why where a part of this library was asked for."""
        if name.startswith(f"{__name__}."):
            raise ModuleNotFoundError(f"{name} is not here: {ON_BOARD}")


sys.meta_path.append(Absent())
