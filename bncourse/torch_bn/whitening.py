r"""Full whitening (ZCA), forward and backward, by hand in PyTorch: what batch norm does without.

Section 2 of the paper starts here. Whitening makes the features of a batch uncorrelated, each of variance 1, by
:math:`W = (S + \epsilon I)^{-1/2}` with the batch's covariance S; batch norm keeps the diagonal of S only.

Three things can go wrong, and are said rather than computed through:

* **m <= d.** The covariance of m samples in d dimensions has rank m - 1 at most. Without eps there is no inverse root:
  a ValueError that says so. With eps there is one, and `rank` in the cache tells how many directions the batch has.
* **Nearly singular.** A computed eigenvalue is wrong by about d u times the largest one (u: the rounding unit). What
  lies below has no right digit, and is refused; what lies above is right to about `condition` * u.
* **Equal eigenvalues.** Their eigenvectors are arbitrary, and whitening by PCA, which keeps the eigenvectors' axes,
  jumps there; its derivative divides by the eigenvalues' difference. ZCA rotates back, so it is smooth in S, and
  its derivative has sums of roots where PCA has differences: nothing special has to be done. (Autograd through
  `torch.linalg.eigh` does have the differences, and gives NaN there; `whiten_backward` does not.)
"""

from typing import NamedTuple

import torch

from bncourse.conventions import EPS, check_eps, check_like
from bncourse.shapes import Float
from bncourse.validation.spectrum import check_decomposable, check_finite, check_samples, check_spectrum


class WhiteningCache(NamedTuple):
    """What the backward pass needs, and how far the result can be trusted.

    `roots` are those of the eigenvalues of S + eps, from small to large; `vectors` are the eigenvectors, in columns;
    `condition` is the ratio of the largest to the smallest eigenvalue of S + eps; `rank` is the number of directions
    in which the batch varies by more than rounding.
    """

    centered: torch.Tensor
    whitener: torch.Tensor
    vectors: torch.Tensor
    roots: torch.Tensor
    condition: float
    rank: int


def whiten_forward(
    x: Float[torch.Tensor, "n d"], *, eps: float = EPS
) -> tuple[Float[torch.Tensor, "n d"], WhiteningCache]:
    r"""Whiten a batch: :math:`y = (x - \mu)\,(S + \epsilon I)^{-1/2}`, with the symmetric root (ZCA).

    Among all ways to whiten it is the one whose result stays closest to x.

    Equation :eq:`eq-zca`, chapter "Whitening, and why not".

    Parameters
    ----------
    x : tensor of shape (N, D)
        One sample per row.
    eps : float
        Added to every eigenvalue of the covariance.

    Returns
    -------
    y : tensor of shape (N, D)
    cache : WhiteningCache
        For `whiten_backward`; `cache.condition` and `cache.rank` say how well posed the batch was.

    Raises
    ------
    TypeError
        If x is neither float32 nor float64.
    ValueError
        If x is not (N, D) with N > 1, holds NaN or infinity, has a covariance that is singular to rounding without
        eps, or eps is negative.

    Examples
    --------
    Two uncorrelated features of variances 4 and 1:

    >>> y, cache = whiten_forward(torch.tensor([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]]), eps=0.0)
    >>> y.tolist()
    [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]
    >>> cache.condition, cache.rank
    (4.0, 2)
    """
    check_samples(x.shape)
    check_eps(eps)
    check_decomposable("x", str(x.dtype))
    check_finite("x", bool(torch.isfinite(x).all()))
    count, features = x.shape
    centered = x - x.mean(dim=0)
    centered = centered - centered.mean(dim=0)  # what rounding left in the mean, where it is large
    covariance = centered.T @ centered / count
    values, vectors = torch.linalg.eigh(covariance)
    smallest, largest = values[0].item(), values[-1].item()
    precision = float(torch.finfo(x.dtype).eps)
    check_spectrum(smallest, largest, eps, count, features, precision)
    roots = torch.sqrt(values + eps)
    whitener = (vectors / roots) @ vectors.T
    y = centered @ whitener
    rank = int((values > features * precision * largest).sum())
    return y, WhiteningCache(centered, whitener, vectors, roots, (largest + eps) / (smallest + eps), rank)


def whiten_backward(dy: Float[torch.Tensor, "n d"], cache: WhiteningCache) -> tuple[Float[torch.Tensor, "n d"]]:
    r"""Backward pass through the inverse root of the covariance.

    The derivative of :math:`W = T^{-1}`, :math:`T^2 = S + \epsilon I`, solves a Lyapunov equation,
    :math:`T\, dT + dT\, T = dS`. In the eigenvectors of S it is solved entry by entry: with the roots
    :math:`t_i`, an entry of :math:`dS` is divided by :math:`t_i + t_j`, and :math:`dW = -W\, dT\, W`. So

    .. math:: dS_{ij} \leftarrow -\frac{dW_{ij}}{t_i\, t_j\, (t_i + t_j)} ,

    which is finite wherever the forward pass is, also where eigenvalues are close or equal.

    Equation :eq:`eq-zca-derivative`, chapter "Whitening, and why not".

    Parameters
    ----------
    dy : tensor of shape (N, D)
    cache : WhiteningCache
        From `whiten_forward`.

    Returns
    -------
    dx : tuple of one tensor of shape (N, D)

    Raises
    ------
    ValueError
        If dy does not have the shape of the forward pass's output.
    """
    centered, whitener, vectors, roots, _, _ = cache
    check_like("dy", dy.shape, "the forward pass's output", centered.shape)
    count = dy.shape[0]
    dwhitener = centered.T @ dy
    # into the eigenvectors; the whitener is symmetric, so only the symmetric part of its gradient counts
    rotated = vectors.T @ (0.5 * (dwhitener + dwhitener.T)) @ vectors
    products, sums = torch.outer(roots, roots), roots[:, None] + roots[None, :]
    dcovariance = vectors @ (-rotated / (products * sums)) @ vectors.T
    dcentered = dy @ whitener + (2.0 / count) * centered @ dcovariance
    dx = dcentered - dcentered.mean(dim=0)
    return (dx,)
