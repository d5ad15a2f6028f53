"""The paper's MNIST network (section 4.1), by hand in NumPy and again in PyTorch.

The two classes have the same methods, so that one loop trains either; the batch-normalizing layer is ours in both.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from bncourse import numpy_bn
from bncourse.torch_bn.layer import BatchNorm1d

Array = np.ndarray[Any, Any]


def start(widths: Sequence[int], std: float, seed: int) -> list[Array]:
    """Draw the initial weights: Gaussian, small, in float64, one matrix (outputs, inputs) a layer."""
    rng = np.random.default_rng([seed, 1])
    return [std * rng.standard_normal((after, before)) for before, after in pairwise(widths)]


class ByHand:
    """In NumPy: forward and backward passes as `numpy_bn` writes them.

    Parameters
    ----------
    weights : list of arrays
        From `start`.
    normalized : bool
        Batch normalization before each sigmoid, in place of the bias.
    rate : float
        Learning rate.
    """

    def __init__(self, weights: Sequence[Array], *, normalized: bool, rate: float) -> None:
        layers: list[numpy_bn.Layer] = []
        for weight in weights[:-1]:
            layers.append(_numpy_linear(weight, bias=not normalized))
            if normalized:
                layers.append(numpy_bn.BatchNorm(len(weight), dtype=np.float64))
            layers.append(numpy_bn.Sigmoid())
        layers.append(_numpy_linear(weights[-1], bias=True))
        self.network = numpy_bn.Sequential(*layers)
        self.optimizer = numpy_bn.SGD(self.network, rate)

    def step(self, x: Array, labels: Array) -> float:
        """Do one step of gradient descent and return the loss before it."""
        self.network.train()
        loss, dlogits = numpy_bn.softmax_cross_entropy(self.network(x), labels)
        self.network.backward(dlogits)
        self.optimizer.step()
        return loss

    def predict(self, x: Array) -> Array:
        """Return the logits in inference mode."""
        self.network.eval()
        return self.network(x)

    def last_sigmoid_inputs(self, x: Array) -> Array:
        """Return what the last hidden layer's sigmoids are given, in inference mode: (N, units)."""
        self.network.eval()
        for layer in self.network.layers[:-2]:
            x = layer(x)
        return x


class InTorch:
    """In PyTorch, with automatic differentiation around the hand-written batch normalization.

    Parameters
    ----------
    weights : list of arrays
        From `start`.
    normalized : bool
        Batch normalization before each sigmoid, in place of the bias.
    rate : float
        Learning rate.
    """

    def __init__(self, weights: Sequence[Array], *, normalized: bool, rate: float) -> None:
        layers: list[nn.Module] = []
        for weight in weights[:-1]:
            layers.append(_torch_linear(weight, bias=not normalized))
            if normalized:
                layers.append(BatchNorm1d(len(weight), dtype=torch.float64))
            layers.append(nn.Sigmoid())
        layers.append(_torch_linear(weights[-1], bias=True))
        self.network = nn.Sequential(*layers)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=rate)

    def step(self, x: Array, labels: Array) -> float:
        """Do one step of gradient descent and return the loss before it."""
        self.network.train()
        loss = nn.functional.cross_entropy(self.network(torch.from_numpy(x)), torch.from_numpy(labels))
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.item()

    @torch.no_grad()
    def predict(self, x: Array) -> Array:
        """Return the logits in inference mode."""
        self.network.eval()
        logits: Array = self.network(torch.from_numpy(x)).numpy()
        return logits

    @torch.no_grad()
    def last_sigmoid_inputs(self, x: Array) -> Array:
        """Return what the last hidden layer's sigmoids are given, in inference mode: (N, units)."""
        self.network.eval()
        inputs: Array = self.network[:-2](torch.from_numpy(x)).numpy()
        return inputs


def _numpy_linear(weight: Array, *, bias: bool) -> numpy_bn.Linear:
    outputs, inputs = weight.shape
    layer = numpy_bn.Linear(inputs, outputs, np.random.default_rng(0), bias=bias, dtype=np.float64)
    layer.load_state_dict({"weight": weight} | ({"bias": np.zeros(outputs)} if bias else {}))
    return layer


def _torch_linear(weight: Array, *, bias: bool) -> nn.Linear:
    outputs, inputs = weight.shape
    layer = nn.Linear(inputs, outputs, bias=bias, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        if bias:
            layer.bias.zero_()
    return layer
