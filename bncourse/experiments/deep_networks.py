"""Deep networks as a stem, blocks of two linear layers, and a read-out: plain or residual, normalized in five ways.

A block's branch is normalization, ReLU, linear, and the same once more. A residual block adds its branch to its input;
a plain block hands on the branch alone. Without normalization, a residual block may have one scalar that starts at 0
and multiplies the branch (SkipInit, De and Smith 2020), or a start in the manner of Fixup (Zhang et al. 2019): last
layer at zero, first layer smaller with depth, a scalar bias before each layer and a scalar multiplier.
"""

from typing import NamedTuple

import torch
from torch import nn

from bncourse.experiments.networks import linear, normalization

NORMS = ("none", "batch", "layer", "skipinit", "fixup")
"""The last two only make sense in a residual block."""


class Block(nn.Module):
    """One block; keeps nothing but its layers."""

    def __init__(self, width: int, *, residual: bool, norm: str, depth: int) -> None:
        super().__init__()
        if norm in ("skipinit", "fixup") and not residual:
            raise ValueError(f"norm is {norm!r}, which starts a branch at zero. Expected residual=True with it.")
        self.residual = residual
        self.norms = nn.ModuleList([self.normalization(width, norm) for _ in range(2)])
        first, last = (self.layer(width, norm) for _ in range(2))
        self.layers = nn.ModuleList([first, last])
        self.scale = nn.Parameter(torch.tensor(0.0 if norm == "skipinit" else 1.0), norm in ("skipinit", "fixup"))
        self.shifts = nn.Parameter(torch.zeros(3), requires_grad=norm == "fixup")
        if norm == "fixup":
            with torch.no_grad():  # two layers in a branch: the first by depth^(-1/2), the last at zero
                first.weight *= depth**-0.5
                last.weight.zero_()

    def normalization(self, width: int, norm: str) -> nn.Module:
        """Make one normalization of the branch; the starts that need none get the identity."""
        return normalization(norm if norm in ("batch", "layer") else "none", width)

    def layer(self, width: int, norm: str) -> nn.Linear | nn.Conv2d:
        """Make one layer of the branch."""
        return linear(width, width, bias=norm != "fixup")

    def branch(self, h: torch.Tensor) -> torch.Tensor:
        """Compute what the block adds."""
        for position, (norm, layer) in enumerate(zip(self.norms, self.layers, strict=True)):
            h = layer(torch.relu(norm(h) + self.shifts[position]))
        return self.scale * h + self.shifts[2]

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """Add the branch, or hand it on alone."""
        return h + self.branch(h) if self.residual else self.branch(h)


class Seen(NamedTuple):
    """The signal after the stem and after every block, and every block's branch; each (N, width)."""

    signals: list[torch.Tensor]
    branches: list[torch.Tensor]
    logits: torch.Tensor


class DeepNetwork(nn.Module):
    """Stem, blocks, read-out."""

    def __init__(self, inputs: int, width: int, depth: int, *, residual: bool, norm: str, classes: int = 10) -> None:
        super().__init__()
        self.stem = linear(inputs, width)
        self.blocks = nn.ModuleList([Block(width, residual=residual, norm=norm, depth=depth) for _ in range(depth)])
        kind = norm if norm in ("batch", "layer") else "none"
        self.norm = normalization(kind, width)
        self.read_out = linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits for pictures of shape (N, 1, side, side) or vectors."""
        return self.look(x).logits

    def look(self, x: torch.Tensor) -> Seen:
        """Return all that is seen on the way."""
        signals, branches = [self.stem(x.flatten(1))], []
        for block in self.blocks:
            branches.append(block.branch(signals[-1]))  # type: ignore[operator]
            signals.append(signals[-1] + branches[-1] if block.residual else branches[-1])
        return Seen(signals, branches, self.read_out(torch.relu(self.norm(signals[-1]))))
