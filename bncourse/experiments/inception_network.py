"""A small network in the style of Inception, built by a recipe."""

from collections.abc import Callable

import torch
from torch import nn

from bncourse.experiments.inception_recipes import Recipe


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
