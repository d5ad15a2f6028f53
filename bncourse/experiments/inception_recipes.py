"""The rows of the paper's Figure 3: what was published of each, and its recipe, with the seven changes as switches.

The changes are those of section 4.2.1. PyTorch is not needed to read or to draw them.
"""

from dataclasses import dataclass

import numpy as np

ROWS = ("Inception", "BN-Baseline", "BN-x5", "BN-x30", "BN-x5-Sigmoid")

PUBLISHED = {
    "Inception": (31.0, 0.722),
    "BN-Baseline": (13.3, 0.727),
    "BN-x5": (2.1, 0.730),
    "BN-x30": (2.7, 0.748),
    "BN-x5-Sigmoid": (np.nan, 0.698),
}
"""Millions of steps to 72.2 %, and best accuracy, on ImageNet: the table of Figure 3 of the paper."""


@dataclass(frozen=True)
class Recipe:
    """How a network is built and trained. The defaults are the baseline's."""

    norm: bool = False
    """Batch normalization before every nonlinearity."""
    sigmoid: bool = False
    """Sigmoids in place of rectified units."""
    rate_factor: float = 1.0
    dropout: float = 0.4
    weight_decay: float = 5e-4
    halvings: float = 1.0
    """How often the learning rate is halved in the course of training."""
    response_norm: bool = True
    reshuffle: bool = False
    """New batch-mates in every epoch, in place of the same batches again."""
    distortion: float = 0.5
    """Largest random change of brightness and contrast."""


CHANGES: dict[str, dict[str, float | bool]] = {
    "higher rate": {"rate_factor": 5.0},
    "no dropout": {"dropout": 0.0},
    "a fifth of L2": {"weight_decay": 1e-4},
    "faster decay": {"halvings": 6.0},
    "no response norm": {"response_norm": False},
    "reshuffling": {"reshuffle": True},
    "less distortion": {"distortion": 0.1},
}
"""The seven changes that the paper makes along with batch normalization."""

ALL_CHANGES = {name: value for change in CHANGES.values() for name, value in change.items()}


def recipe(variant: str) -> Recipe:
    """Return the recipe of a variant by its name.

    Parameters
    ----------
    variant : str
        A row of the paper's table; `BN-x` or `Changes-x` and a factor on the rate, for all seven changes with and
        without batch normalization; or `without ` and one of `CHANGES`, for BN-x5 with that change undone.

    Examples
    --------
    >>> recipe("Changes-x1").norm, recipe("Changes-x1").rate_factor, recipe("BN-x30").rate_factor
    (False, 1.0, 30.0)
    """
    fields: dict[str, float | bool]
    if variant in ("Inception", "BN-Baseline"):
        fields = {"norm": variant == "BN-Baseline"}
    elif variant == "BN-x5-Sigmoid":
        fields = {"norm": True, "sigmoid": True, **ALL_CHANGES}
    elif variant.startswith("without "):
        undone = CHANGES[variant.removeprefix("without ")]
        fields = {"norm": True, **{name: value for name, value in ALL_CHANGES.items() if name not in undone}}
    else:
        side, factor = variant.split("-x")
        fields = {"norm": {"BN": True, "Changes": False}[side], **ALL_CHANGES, "rate_factor": float(factor)}
    return Recipe(**fields)  # type: ignore[arg-type]
