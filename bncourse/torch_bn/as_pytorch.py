"""What a layer does as PyTorch's own does, beside the numbers: what it refuses, and how a result lies in memory."""

from bncourse.torch_bn.results import Array


def check_axes(x: Array, dimensions: tuple[int, ...], name: str) -> None:
    """Refuse an input whose number of axes is not that of the class with this name; no dimensions allow any.

    Raises
    ------
    ValueError
    """
    if dimensions and x.dim() not in dimensions:
        expected = " or ".join(str(number) for number in dimensions)
        raise ValueError(
            f"x has shape {tuple(x.shape)}, which has {x.dim()} axes, but {name} "
            f"expects {expected}. Use BatchNorm1d for (N, C) and (N, C, L), BatchNorm2d for (N, C, H, W), "
            "BatchNorm3d for (N, C, D, H, W)."
        )


def check_statistics(x: Array, running_mean: Array | None, running_var: Array | None) -> None:
    """Refuse complex numbers, and a running mean without a running variance or the other way round.

    Raises
    ------
    TypeError, ValueError
    """
    if x.is_complex():
        raise TypeError(
            f"x has dtype {str(x.dtype).removeprefix('torch.')}, but the variance of a layer is that of real "
            "numbers. Normalize x.real and x.imag, or torch.view_as_real(x)."
        )
    if (running_mean is None) != (running_var is None):
        missing, there = ("mean", "var") if running_mean is None else ("var", "mean")
        raise ValueError(
            f"running_{missing} is None, but running_{there} is not. Expected both, or neither to normalize with "
            "the batch's statistics in both modes."
        )


def laid_out(y: Array, x: Array) -> Array:
    """Return the result as PyTorch lays it out: channels last if x is, else so that `y.view` can flatten it."""
    channels_last = x.dim() in (4, 5) and x.stride(1) == 1
    return y if channels_last else y.contiguous()
