"""A small network in the style of Inception, with the paper's seven changes as switches (section 4.2.1)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn


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


class Block(nn.Module):
    """Four branches side by side: 1 x 1, 3 x 3, two times 3 x 3, and pooling; their maps are concatenated."""

    def __init__(self, inputs: int, width: int, unit: Callable[[int, int, int], nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [
                unit(inputs, width, 1),
                nn.Sequential(unit(inputs, width // 2, 1), unit(width // 2, width, 3)),
                nn.Sequential(
                    unit(inputs, width // 2, 1), unit(width // 2, width // 2, 3), unit(width // 2, width // 2, 3)
                ),
                nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), unit(inputs, width // 2, 1)),
            ]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the branches and join their maps."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def network(how: Recipe, width: int, side: int) -> nn.Sequential:
    """Return stem, two blocks with pooling between them, mean over the picture, dropout, read-out."""

    def unit(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Module:
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=not how.norm)
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        norm: nn.Module = nn.BatchNorm2d(outputs) if how.norm else nn.Identity()
        return nn.Sequential(convolution, norm, nn.Sigmoid() if how.sigmoid else nn.ReLU())

    response: list[nn.Module] = [nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)] if how.response_norm else []
    return nn.Sequential(
        unit(1, width, 3, 2 if side > 16 else 1),
        nn.MaxPool2d(3, stride=2, padding=1),
        *response,
        Block(width, width, unit),
        nn.MaxPool2d(3, stride=2, padding=1),
        Block(3 * width, 2 * width, unit),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(how.dropout),
        nn.Linear(6 * width, 10),
    )
