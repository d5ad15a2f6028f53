"""Walk over large tensors in pieces that stay in the processor's cache, in PyTorch.

Eager PyTorch fetches and stores a whole tensor once per operation, and batch normalization is little else. The
same chain over one piece after the other fetches it once. On a GPU, and under `torch.compile`, which fuses the
operations itself, whole tensors are better. Nothing here knows batch norm.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

BLOCK = 1 << 17
"""Values in a piece: 512 KiB of float32, so that a few pieces fit into a second-level cache."""

ROW = 1 << 15
"""Values that a piece takes of one sample, where a sample holds more."""


def blockwise_pays(x: torch.Tensor) -> bool:
    """Whether x is on the CPU, in eager mode, and laid out so that pieces of it are views."""
    return not torch.compiler.is_compiling() and x.device.type == "cpu" and is_dense(x)


def is_dense(x: torch.Tensor) -> bool:
    """Whether x is contiguous with its channels second, or with its channels last."""
    return x.is_contiguous() or x.movedim(1, -1).is_contiguous()


def blocks(tensors: Sequence[torch.Tensor], vectors: Sequence[torch.Tensor] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the tensors piece by piece, and with each piece the values of its channels.

    Parameters
    ----------
    tensors : sequence of tensors of one shape (N, C, ...) and one dense layout
        To read or to write.
    vectors : sequence of tensors of shape (C,)
        One value per channel.

    Yields
    ------
    channels : slice
        The piece's channels.
    *pieces : tensors of shape (n, c) or (n, c, s)
        A view of each tensor: n samples, c neighboring channels, and their s values if they have several.
    *values : tensors of shape (c,) or (c, s)
        Each vector's values for these channels, repeated for each of a channel's s values.

    Examples
    --------
    >>> [(channels, x, mean)] = blocks([torch.zeros(5, 2, 3)], [torch.tensor([7.0, 8.0])])
    >>> x.shape, mean.tolist()
    (torch.Size([5, 2, 3]), [[7.0, 7.0, 7.0], [8.0, 8.0, 8.0]])
    """
    tensors = [flat(tensor) for tensor in tensors]
    samples, channels, *size = tensors[0].shape
    width = size[0] if size else 1
    together = min(channels, max(1, ROW // width)) if size else channels
    rows = max(1, BLOCK // (together * width))
    for first in range(0, channels, together):
        part = slice(first, min(first + together, channels))
        values = [spread(vector[part], size) for vector in vectors]
        for start in range(0, samples, rows):
            pieces = [tensor[start : start + rows, part] for tensor in tensors]
            yield part, *pieces, *values


def spread(vector: torch.Tensor, size: list[int]) -> torch.Tensor:
    """Repeat each channel's value for its s values: (c,) becomes (c, s), or stays where a channel has one value."""
    return vector[:, None].expand(-1, *size).contiguous() if size else vector


def flat(tensor: torch.Tensor) -> torch.Tensor:
    """View (N, C, ...) as (N, C, S), and as (N * S, C) where channels are last in memory or alone."""
    if tensor.ndim == 2 or not tensor.is_contiguous():
        return tensor.movedim(1, -1).reshape(-1, tensor.shape[1])
    return tensor.reshape(*tensor.shape[:2], -1)


def channel_sums(tensor: torch.Tensor) -> torch.Tensor:
    """Sum over every axis but the channels'."""
    return tensor.sum(dim=(0, 2) if tensor.ndim == 3 else 0)


def channel_dots(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Sum of products over every axis but the channels'."""
    return channel_sums(first * second)
