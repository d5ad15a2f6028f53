"""Shape, type and eigenvalues of a batch to be whitened in, a clear error out.

Imports neither NumPy nor PyTorch. It says when a batch has a covariance
whose inverse root can be computed.
"""

from bncourse.conventions import Shape


def check_samples(shape: Shape) -> None:
    """Refuse a batch without a covariance.

    Raises
    ------
    ValueError
        If `shape` has fewer than two axes or fewer than two samples.
    """
    if len(shape) != 2:
        raise ValueError(
            f"x has shape {tuple(shape)}. Expected (N, D), one sample per row. For feature maps "
            "move the channels last and flatten the rest: one row for each pixel."
        )
    if shape[0] < 2 or shape[1] < 1:
        raise ValueError(
            f"x has shape {tuple(shape)}: no covariance without at least two samples and one feature. "
            "Expected (N, D) with N > 1; use a larger batch."
        )


def check_decomposable(name: str, dtype: str) -> None:
    """Refuse a type of numbers for which no eigendecomposition exists.

    Raises
    ------
    TypeError
        If `dtype` is neither float32 nor float64.
    """
    if dtype.removeprefix("torch.") not in ("float32", "float64"):
        raise TypeError(
            f"{name} has dtype {dtype}, for which there is no eigendecomposition here. Expected float32 or float64; "
            "convert it first."
        )


def check_finite(name: str, finite: bool) -> None:
    """Refuse NaN and infinity where an eigendecomposition would hide or spread them.

    Raises
    ------
    ValueError
        If `finite` is False.
    """
    if not finite:
        raise ValueError(
            f"{name} holds NaN or infinity, of which no eigenvalues exist. Expected finite values; "
            f"look for the sample with isfinite({name}).all(1)."
        )


def check_spectrum(smallest: float, largest: float, eps: float, count: int, features: int, precision: float) -> None:
    """Refuse a covariance whose inverse root would be rounding error.

    An eigenvalue of a computed covariance is known to about `features * precision * largest`. A direction whose
    eigenvalue is no larger carries no variance that can be seen: dividing by its root blows rounding up to size 1.

    Raises
    ------
    ValueError
        If there is no variance at all, or a direction without visible variance and no eps to hold it up.
    """
    if largest + eps <= 0.0:
        raise ValueError(
            "x has no variance in any direction and eps is 0: its covariance cannot be inverted. "
            "Expected samples that differ, or eps > 0."
        )
    known_to = features * precision * largest
    if smallest + eps <= known_to:
        few = count <= features
        reason = (
            f"{count} samples span at most {count - 1} of {features} directions"
            if few
            else "some features are linear combinations of others"
        )
        remedy = f"use more than {features} samples" if few else "drop the dependent features"
        raise ValueError(
            f"x has a covariance that is singular to rounding ({reason}): its eigenvalues run from {smallest:.1e} to "
            f"{largest:.1e}, known to {known_to:.1e}, and eps is {eps}. Expected smallest + eps above that. "
            f"Set eps to {10 * known_to + 1e-5 * largest:.1e} or more, or {remedy}."
        )
