"""The arrays or tensors of a call in, a clear error out where they cannot be computed with together.

`conventions` holds the checks of shapes and numbers. Imports neither NumPy nor PyTorch, and asks an array or tensor
only for its `shape`, `dtype` and `device`.
"""

from typing import Any

from bncourse.conventions import CHANNEL_AXIS, EPS, Shape, check_eps, check_input, check_like, check_per_channel

HALF = ("float16", "bfloat16")
"""Too narrow for sums: statistics of such input are float32, and parameters may be."""

REAL = {"complex64": "float32", "complex128": "float64"}
"""Precision of the parts of a complex number, which a derivative by complex step needs."""


def check_arguments(x: Any, *, training: bool, eps: float = EPS, **per_channel: Any) -> None:
    """Refuse a call of the transform whose arguments do not fit together.

    Parameters
    ----------
    x : array or tensor
        The input.
    training : bool
        Whether the batch's own statistics are taken.
    eps : float
        Added to the variance.
    **per_channel : array or tensor
        Parameters and statistics of shape (C,), under the names that the caller knows.

    Raises
    ------
    TypeError
        If an argument is no array, not of a floating type, of another type or on another device than x.
    ValueError
        If a shape does not fit, the batch is empty, training has one value per channel, or eps is negative.
    """
    check_floating("x", x)
    check_input(x.shape, training=training)
    channels = (x.shape[CHANNEL_AXIS],)
    for name, value in per_channel.items():
        if not agrees(value, x, channels):
            check_floating(name, value)
            check_per_channel(name, value.shape, x.shape)
            check_together(name, value, "x", x)
    check_eps(eps)


def check_gradient(dy: Any, x_hat: Any) -> None:
    """Refuse an upstream gradient that does not belong to the forward pass whose cache holds x_hat.

    Raises
    ------
    TypeError
        If dy is no array, or its type or device is another.
    ValueError
        If its shape is another.
    """
    if not agrees(dy, x_hat, x_hat.shape):
        check_floating("dy", dy)
        check_like("dy", dy.shape, "the forward pass's output", x_hat.shape)
        check_together("x_hat in the cache", x_hat, "dy", dy)


def agrees(value: Any, reference: Any, shape: Shape) -> bool:
    """Whether `value` has this shape and the reference's dtype and device: then nothing is left to find wrong with it.

    Each library has one object for each of its dtypes, so that the same dtype also means the same library.
    """
    return (
        getattr(value, "dtype", None) is reference.dtype
        and value.shape == shape
        and not is_masked(value)
        and getattr(value, "device", None) == getattr(reference, "device", None)
    )


def is_masked(value: Any) -> bool:
    """Whether some values of an array are marked as invalid, which sums and means would not respect everywhere."""
    return hasattr(value, "mask") and hasattr(value, "filled")


def dtype_name(array: Any) -> str:
    """Name of an array's or tensor's dtype: "float32" in either library."""
    return str(array.dtype).removeprefix("torch.")


def check_floating(name: str, value: Any) -> None:
    """Refuse what is no array or tensor, or does not hold floating numbers.

    Raises
    ------
    TypeError
        Naming the argument, what it is, and how to convert it.
    """
    if not (hasattr(value, "dtype") and hasattr(value, "shape")):
        raise TypeError(
            f"{name} is a {type(value).__name__}. Expected an array or a tensor of floating numbers: use "
            "np.asarray(..., dtype=np.float32) or torch.as_tensor(..., dtype=torch.float32)."
        )
    if is_masked(value):
        raise TypeError(
            f"{name} is a {type(value).__name__}, whose masked values would enter the mean and the variance. Expected "
            f"a plain array. Leave the masked samples out, or fill them: {name}.filled(0.0)."
        )
    dtype = value.dtype
    floating = dtype.kind in "fc" if hasattr(dtype, "kind") else dtype.is_floating_point or dtype.is_complex
    if not floating:
        raise TypeError(
            f"{name} has dtype {dtype_name(value)}, which cannot hold normalized values. Expected a floating type. "
            "Convert it first: .astype(np.float32) in NumPy, .float() in PyTorch."
        )


def check_together(name: str, value: Any, reference_name: str, reference: Any) -> None:
    """Refuse two arrays of different libraries, devices or precisions; float32 goes with narrower input.

    Raises
    ------
    TypeError
        Naming both arguments, what they are, and how to convert one.
    """
    if hasattr(value, "requires_grad") != hasattr(reference, "requires_grad"):
        raise TypeError(
            f"{name} is a {type(value).__name__}, but {reference_name} is a {type(reference).__name__}. Expected both "
            "from one library. Use numpy_bn with arrays and torch_bn with tensors."
        )
    device, expected = getattr(value, "device", None), getattr(reference, "device", None)
    if device != expected:
        raise TypeError(
            f"{name} is on device {device}, but {reference_name} is on {expected}. Expected the same. "
            f"Move one of them: {name}.to({str(expected)!r})."
        )
    if value.dtype == reference.dtype:
        return
    dtype, wanted = dtype_name(value), dtype_name(reference)
    if REAL.get(dtype, dtype) != REAL.get(wanted, wanted) and not (wanted in HALF and dtype == "float32"):
        also = " or float32" if wanted in HALF else ""
        raise TypeError(
            f"{name} has dtype {dtype}, but {reference_name} has dtype {wanted}. Expected {wanted}{also}. "
            "Convert one of them: .astype(...) in NumPy, .to(...) in PyTorch."
        )
