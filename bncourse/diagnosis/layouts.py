"""Which values share a mean and a variance: batch, layer, group, instance and RMS norm as one form.

Every normalization takes the entries of x in sets, each with a mean and a variance of its own. Written as a matrix with
one set a column, all of them are the same formula; only the way into the matrix and back differs.
"""

from typing import Any, Literal, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
Kind = Literal["batch", "layer", "group", "instance", "rms"]


class Layout(NamedTuple):
    """One of the normalizations."""

    kind: str = "batch"
    groups: int = 1
    """Of channels, for group norm."""

    @property
    def centered(self) -> bool:
        """Whether a mean is subtracted; RMS norm has none."""
        return self.kind != "rms"

    def rows(self, array: Array) -> Array:
        """(N, C, *places) as a matrix with one set of values a column."""
        if self.kind == "batch":
            return array if array.ndim == 2 else np.moveaxis(array, 1, -1).reshape(-1, array.shape[1])
        sets = {"group": self.groups, "instance": array.shape[1]}.get(self.kind, 1) * array.shape[0]
        return np.ascontiguousarray(array.reshape(sets, -1).T)

    def back(self, matrix: Array, shape: tuple[int, ...]) -> Array:
        """Undo `rows`."""
        if self.kind == "batch":
            if len(shape) == 2:
                return matrix.reshape(shape)
            return np.moveaxis(matrix.reshape(shape[0], *shape[2:], shape[1]), -1, 1)
        return matrix.T.reshape(shape)

    def across(self, vector: Array, ndim: int) -> Array:
        """One number a channel, to broadcast against x."""
        return vector.reshape(1, -1, *[1] * (ndim - 2))

    def normalize(self, x: Array, eps: float) -> tuple[Array, Array]:
        """Return x_hat and 1 / sqrt(var + eps), both of the shape of x."""
        matrix = self.rows(x)
        centered = matrix - matrix.mean(axis=0) if self.centered else matrix
        inv_std = np.broadcast_to(1 / np.sqrt((centered * centered).mean(axis=0) + eps), matrix.shape)
        return self.back(centered * inv_std, x.shape), self.back(inv_std, x.shape)

    def forward(self, x: Array, gamma: Array, beta: Array, eps: float) -> Array:
        """Return the right y."""
        x_hat, _ = self.normalize(x, eps)
        return self.across(gamma, x.ndim) * x_hat + self.across(beta, x.ndim)

    def gradients(self, x: Array, gamma: Array, dy: Array, eps: float) -> tuple[Array, Array, Array]:
        """Return the right dx, dgamma and dbeta."""
        x_hat, inv_std = self.normalize(x, eps)
        inside, normalized = self.rows(self.across(gamma, x.ndim) * dy), self.rows(x_hat)
        bracket = inside - normalized * (inside * normalized).mean(axis=0)
        if self.centered:
            bracket = bracket - inside.mean(axis=0)
        axes = (0, *range(2, x.ndim))
        return self.back(bracket, x.shape) * inv_std, (dy * x_hat).sum(axis=axes), dy.sum(axis=axes)


BATCH = Layout()
