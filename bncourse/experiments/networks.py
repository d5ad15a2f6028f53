"""The small networks that the experiments train, with the normalization as a switch.

Normalization is PyTorch's own here, for speed: the tests of `torch_bn` show ours equal to it. Where writing it by
hand is the point, an experiment takes ours.
"""

from collections.abc import Callable, Sequence

import torch
from torch import nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh}


def normalization(kind: str, features: int) -> nn.Module:
    """One normalization layer for vectors of that many features.

    Parameters
    ----------
    kind : {"none", "batch", "layer", "group", "instance"}
        `group` takes groups of ten features.
    features : int
        Size of axis 1.
    """
    kinds: dict[str, Callable[[], nn.Module]] = {
        "none": nn.Identity,
        "batch": lambda: nn.BatchNorm1d(features),
        "layer": lambda: nn.LayerNorm(features),
        "group": lambda: nn.GroupNorm(features // 10, features),
    }
    if kind not in kinds:
        raise ValueError(f"norm is {kind!r}. Expected one of: {', '.join(kinds)}.")
    return kinds[kind]()


def mlp(
    inputs: int,
    hidden: Sequence[int],
    *,
    norm: str | Callable[[int], nn.Module] = "none",
    activation: str = "relu",
    scale: float = 1.0,
    classes: int = 10,
) -> nn.Sequential:
    """Linear, normalization, nonlinearity, and again; a linear read-out at the end.

    Parameters
    ----------
    inputs, hidden, classes : int, sequence of int, int
        Widths.
    norm : str or callable
        A kind of `normalization`, or a function from the number of features to a layer.
    activation : {"relu", "sigmoid", "tanh"}
        The nonlinearity.
    scale : float
        Factor on every initial weight; 1 is He's choice, a standard deviation of sqrt(2 / inputs).
    """
    layers: list[nn.Module] = [nn.Flatten()]
    for width in hidden:
        # a bias before a normalization would cancel (section 3.2 of the paper)
        layers += [linear(inputs, width, scale=scale, bias=norm == "none")]
        layers += [normalization(norm, width) if isinstance(norm, str) else norm(width)]
        layers += [ACTIVATIONS[activation]()]
        inputs = width
    return nn.Sequential(*layers, linear(inputs, classes, scale=scale))


def linear(inputs: int, outputs: int, *, scale: float = 1.0, bias: bool = True) -> nn.Linear:
    """Return a linear layer with He's normal weights times `scale` and a bias of zero."""
    layer = nn.Linear(inputs, outputs, bias=bias)
    with torch.no_grad():
        layer.weight.normal_(0.0, scale * (2.0 / inputs) ** 0.5)
        if bias:
            layer.bias.zero_()
    return layer


def normalizations(model: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    """Return the batch-normalizing layers of a model, from input to output."""
    return [layer for layer in model.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]


def linear_layers(model: nn.Module) -> list[nn.Linear]:
    """Return the linear layers of a model, from input to output."""
    return [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
