"""The digits as scikit-learn returns them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from . import ON_BOARD


def load_digits(*, return_X_y: bool = False) -> Any:  # noqa: N803 - scikit-learn's name
    """Return the 1,797 digits as scikit-learn's function of this name does."""
    table = np.loadtxt(Path(__file__).with_name("digits.csv.gz"), delimiter=",")
    data, target = table[:, :-1], table[:, -1].astype(int)
    if return_X_y:
        return data, target
    return SimpleNamespace(data=data, target=target, images=data.reshape(-1, 8, 8))


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(f"{name} is not here: {ON_BOARD}")
