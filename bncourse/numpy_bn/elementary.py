"""The other layers of a network to train by hand: each a forward rule with its derivative beside it, in NumPy."""

from typing import Any

import numpy as np

from bncourse.numpy_bn.network import Layer

Array = np.ndarray[Any, np.dtype[Any]]


class Linear(Layer):
    r"""Affine map :math:`y = x W^T + b`, with W of shape (out_features, in_features), as in PyTorch.

    Parameters
    ----------
    in_features, out_features : int
        Numbers of inputs and outputs.
    rng : numpy.random.Generator
        Source of the initial weights.
    scale : float, optional
        Standard deviation of the initial weights; by default 1 / sqrt(in_features). The bias starts at 0.
    bias : bool
        Add a bias. Before batch normalization it is of no use: the mean takes it out again.
    dtype : dtype
        Of weight and bias.
    """

    parameter_names = ("weight", "bias")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        rng: np.random.Generator,
        *,
        scale: float | None = None,
        bias: bool = True,
        dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        scale = in_features**-0.5 if scale is None else scale
        self.weight = (scale * rng.standard_normal((out_features, in_features))).astype(dtype)
        self.bias = np.zeros(out_features, dtype) if bias else None

    def forward(self, x: Array) -> Array:
        """Multiply by the weights' transpose and add the bias."""
        self._x = x
        y: Array = x @ self.weight.T
        return y if self.bias is None else y + self.bias

    def backward(self, dy: Array) -> Array:
        """Send dy back through the weights; each weight's gradient sums over the batch."""
        self.gradients = {"weight": dy.T @ self._x}
        if self.bias is not None:
            self.gradients["bias"] = dy.sum(axis=0)
        dx: Array = dy @ self.weight
        return dx


class Sigmoid(Layer):
    """The logistic function 1 / (1 + exp(-x)), the nonlinearity of the paper's MNIST network."""

    def forward(self, x: Array) -> Array:
        """Squash to (0, 1); written with tanh, which does not overflow."""
        self._y = 0.5 * (np.tanh(0.5 * x) + 1.0)
        return self._y

    def backward(self, dy: Array) -> Array:
        """Multiply by the slope y (1 - y), which is at most 1/4, and vanishes where the unit is saturated."""
        return dy * self._y * (1.0 - self._y)


class ReLU(Layer):
    """The rectifier max(x, 0)."""

    def forward(self, x: Array) -> Array:
        """Keep positive values."""
        self._positive = x > 0
        return x * self._positive

    def backward(self, dy: Array) -> Array:
        """Pass dy where x was positive."""
        return dy * self._positive


class Dropout(Layer):
    """Set each value to 0 with probability p in training, and divide the others by 1 - p; nothing in inference.

    Parameters
    ----------
    p : float
        Probability of dropping a value, in [0, 1).
    rng : numpy.random.Generator
        Source of the choices.
    """

    def __init__(self, p: float, rng: np.random.Generator) -> None:
        super().__init__()
        if not (0.0 <= p < 1.0):
            raise ValueError(f"p is {p}, the probability of dropping a value. Expected a number in [0, 1).")
        self.p = p
        self._rng = rng

    def forward(self, x: Array) -> Array:
        """Drop values, in training mode."""
        self._mask: Array | None = None
        if self.training:
            kept = np.asarray(self._rng.random(x.shape) >= self.p)
            self._mask = kept.astype(x.dtype) / x.dtype.type(1.0 - self.p)
        return x if self._mask is None else x * self._mask

    def backward(self, dy: Array) -> Array:
        """Apply the same mask."""
        return dy if self._mask is None else dy * self._mask
