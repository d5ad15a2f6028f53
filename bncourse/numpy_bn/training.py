"""A loss and two optimizers: what is left to train a network by hand, in NumPy.

Conventions are PyTorch's, so that a run can be compared step by step.
"""

from typing import Any

import numpy as np

from bncourse.numpy_bn.network import Layer

Array = np.ndarray[Any, np.dtype[Any]]


def softmax_cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    r"""Mean of :math:`-\log \mathrm{softmax}(z)_{\text{label}}` over a batch, and its gradient for the logits.

    Parameters
    ----------
    logits : array of shape (N, K)
        Scores z of K classes.
    labels : integer array of shape (N,)
        The right class of each sample.

    Returns
    -------
    loss : float
    dlogits : array of shape (N, K)
        (softmax(z) - one-hot) / N.

    Examples
    --------
    Two classes with equal scores: the loss is log 2.

    >>> loss, dlogits = softmax_cross_entropy(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 4), dlogits.tolist()
    (0.6931, [[-0.5, 0.5]])
    """
    rows = np.arange(len(logits))
    # Subtracting the largest score changes nothing, and keeps exp finite.
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dlogits = np.exp(log_softmax)
    dlogits[rows, labels] -= 1.0
    return float(-log_softmax[rows, labels].mean()), dlogits / len(logits)


class SGD:
    r"""Stochastic gradient descent with momentum, :math:`v \leftarrow \mu v + g,\; w \leftarrow w - \eta v`.

    Parameters
    ----------
    network : Layer
        Whose parameters are changed, in place, by the gradients of its last backward pass.
    lr : float
        The learning rate.
    momentum : float
        Weight of the old velocity; nothing to do with the momentum of batch normalization.
    weight_decay : float
        Adds this multiple of a parameter to its gradient.
    """

    def __init__(self, network: Layer, lr: float, *, momentum: float = 0.0, weight_decay: float = 0.0) -> None:
        self.network = network
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self._velocity = {name: np.zeros_like(value) for name, value in network.parameters().items()}

    def step(self) -> None:
        """Move every parameter once."""
        for name, parameter in self.network.parameters().items():
            gradient = self.network.gradients[name] + self.weight_decay * parameter
            self._velocity[name] = self.momentum * self._velocity[name] + gradient
            parameter -= self.lr * self._velocity[name]


class Adam:
    r"""Adam: steps of the gradient's running mean over the root of its running mean square, both unbiased.

    Parameters
    ----------
    network : Layer
        Whose parameters are changed, in place, by the gradients of its last backward pass.
    lr : float
        The learning rate.
    betas : pair of float
        Weights of the old values in the two running means.
    eps : float
        Added to the root.
    """

    def __init__(
        self, network: Layer, lr: float = 1e-3, *, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        self.network = network
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self._step = 0
        self._mean = {name: np.zeros_like(value) for name, value in network.parameters().items()}
        self._square = {name: np.zeros_like(value) for name, value in network.parameters().items()}

    def step(self) -> None:
        """Move every parameter once."""
        self._step += 1
        first, second = self.betas
        for name, parameter in self.network.parameters().items():
            gradient = self.network.gradients[name]
            self._mean[name] = first * self._mean[name] + (1.0 - first) * gradient
            self._square[name] = second * self._square[name] + (1.0 - second) * gradient * gradient
            mean = self._mean[name] / (1.0 - first**self._step)
            square = self._square[name] / (1.0 - second**self._step)
            parameter -= self.lr * mean / (np.sqrt(square) + self.eps)
