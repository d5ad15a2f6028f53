"""Walk over large tensors in pieces that stay in the processor's cache, in PyTorch.

Eager PyTorch fetches and stores a whole tensor once per operation, and batch normalization is little else. The
same chain over one piece after the other fetches it once. On a GPU, and under `torch.compile`, which fuses the
operations itself, whole tensors are better. Nothing here knows batch norm.
"""

from collections.abc import Iterator, Sequence

import torch

Tensors = Sequence[torch.Tensor]

BLOCK = 1 << 17
"""Values in a piece: 512 KiB of float32, so that a few pieces fit into a second-level cache."""

SHORT, LONG = 1 << 9, 1 << 12
"""Rows of fewer values show what PyTorch spends on each row; samples of few channels are joined to this length."""


def blockwise_pays(x: torch.Tensor) -> bool:
    """Whether x is on the CPU, in eager mode, and laid out so that pieces of it are views."""
    return not torch.compiler.is_compiling() and x.device.type == "cpu" and is_dense(x)


def is_dense(x: torch.Tensor) -> bool:
    """Whether x is contiguous with its channels second, or with its channels last."""
    return x.is_contiguous() or x.movedim(1, -1).is_contiguous()


def blocks(
    tensors: Tensors, vectors: Tensors = (), totals: Tensors = (), *, backwards: bool = False
) -> Iterator[Tensors]:
    """Yield the tensors piece by piece, and with each piece what belongs to its channels.

    Parameters
    ----------
    tensors : sequence of tensors of one shape (N, C, ...) and one dense layout
        To read or to write.
    vectors : sequence of tensors of shape (C,)
        One value per channel, to compute with.
    totals : sequence of tensors of shape (C,)
        One value per channel, to add to.
    backwards : bool
        Begin with the last piece, which the walk before this one has left in the cache.

    Yields
    ------
    *pieces : tensors of shape (n, k * c) or (n, c, s)
        A view of each tensor: n rows of k samples with their channels one after another; or n samples, c neighboring
        channels, and their s values.
    *values : tensors of shape (k * c,) or (c, s)
        Each vector's values, repeated as in a row of the pieces.
    *totals : tensors of shape (c,)
        A view of each, of these channels.

    Examples
    --------
    >>> [(x, mean)] = blocks([torch.zeros(5, 2, 3)], [torch.tensor([7.0, 8.0])])
    >>> x.shape, mean.tolist()
    (torch.Size([5, 2, 3]), [[7.0, 7.0, 7.0], [8.0, 8.0, 8.0]])
    """
    tensors = [flat(tensor) for tensor in tensors]
    walk = (_rows if tensors[0].ndim == 2 else _maps)(tensors, vectors, totals)
    return reversed(list(walk)) if backwards else walk


def _rows(tensors: Tensors, vectors: Tensors, totals: Tensors) -> Iterator[Tensors]:
    """Pieces of tensors (N, C); where C is small, a row holds k samples, and the last piece is a shorter row."""
    samples, channels = tensors[0].shape
    k = min(samples, LONG // channels) if channels < SHORT else 1
    rows = max(1, BLOCK // (k * channels))
    even = samples - samples % k
    lines = [tensor[:even].view(-1, k * channels) for tensor in tensors] if k > 1 else tensors
    values = [vector.repeat(k) for vector in vectors] if k > 1 else vectors
    for pieces in _split(lines, rows):
        yield [*pieces, *values, *totals]
    if even < samples:
        rest = [tensor[even:].view(1, -1) for tensor in tensors]
        yield [*rest, *[value[: rest[0].numel()] for value in values], *totals]


def _maps(tensors: Tensors, vectors: Tensors, totals: Tensors) -> Iterator[Tensors]:
    """Pieces of tensors (N, C, S): whole samples, or, where these are large, neighboring channels of a sample."""
    _, channels, size = tensors[0].shape
    together = min(channels, max(1, BLOCK // size))
    rows = max(1, BLOCK // (together * size))
    for first in range(0, channels, together):
        part = slice(first, min(first + together, channels))
        values = [vector[part, None].expand(-1, size).contiguous() for vector in vectors]
        parts = [total[part] for total in totals]
        for pieces in _split([tensor[:, part] for tensor in tensors], rows):
            yield [*pieces, *values, *parts]


def _split(tensors: Tensors, rows: int) -> Iterator[Tensors]:
    """Pieces of so many rows each."""
    if len(tensors[0]) <= rows:
        return iter([tensors])
    return zip(*[torch.split(tensor, rows) for tensor in tensors], strict=True)


def flat(tensor: torch.Tensor) -> torch.Tensor:
    """View (N, C, ...) as (N, C, S), and as (N * S, C) where channels are last in memory."""
    if not tensor.is_contiguous():
        return tensor.movedim(1, -1).reshape(-1, tensor.shape[1])
    return tensor if tensor.ndim == 2 else tensor.flatten(2)


def add_sums(total: torch.Tensor, piece: torch.Tensor, weight: float = 1.0) -> None:
    """Add each channel's sum, times `weight`, to `total` (c,)."""
    sums = piece.sum(dim=(0, 2) if piece.ndim == 3 else 0)
    if len(sums) != len(total):  # a row (k * c,)
        sums = sums.view(-1, len(total)).sum(dim=0)
    total.add_(sums, alpha=weight)
