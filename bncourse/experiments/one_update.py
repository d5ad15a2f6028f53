r"""What one update of all layers at once does, to first order and beyond (Goodfellow, Bengio, Courville 2016, 8.7.1).

A gradient says what happens if one layer moves and the others wait. An update moves all of them. `chain` is the book's
example, a chain of scalars :math:`y = x w_1 \cdots w_l`: the change of the product by an update is a polynomial in the
rate, whose terms of order 2 to l are products of several layers' updates. With batch normalization behind the chain,
the product drops out, gamma and beta are the only parameters that move the output, and terms of higher order vanish.
`network` measures the same on the deep networks of `depth`, before training: the change of the output and of the loss
by one step, beside what the first order promised, and what the second order adds to the loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from bncourse.conventions import EPS
from bncourse.experiments.deep_networks import DeepNetwork
from bncourse.experiments.depth import ARMS
from bncourse.experiments.result import Config, Unit, grid
from bncourse.experiments.runner import Finished
from bncourse.experiments.training import Array, tensors
from bncourse.numpy_bn import batch_norm_backward, batch_norm_forward

QUESTION = (
    "What does one update of all layers do to the output, to first order and beyond, with and without batch norm?"
)


@dataclass(frozen=True, kw_only=True)
class OneUpdateConfig(Config):
    """The chain needs no data; the networks see one batch."""

    chain_depths: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    chain_rate: float = 0.1
    count: int = 64
    arms: tuple[tuple[str, str], ...] = ARMS
    depths: tuple[int, ...] = (2, 8, 32, 64)
    rates: tuple[float, ...] = (0.01, 0.1)
    width: int = 64
    batch_size: int = 256


FULL = OneUpdateConfig(data="mnist", seeds=tuple(range(10)))
QUICK = OneUpdateConfig(
    seeds=(0, 1, 2),
    chain_depths=(2, 8),
    arms=(("plain", "none"), ("plain", "batch"), ("residual", "batch")),
    depths=(8,),
    rates=(0.1,),
    width=32,
    batch_size=128,
)


def units(config: OneUpdateConfig, finished: Finished) -> list[Unit]:
    """Plan the chains, then the networks."""
    planned = grid(config.seeds, part=["chain"], norm=["none", "batch"], depth=config.chain_depths)
    for shape, norm in config.arms:
        planned += grid(
            config.seeds, part=["network"], shape=[shape], norm=[norm], depth=config.depths, rate=config.rates
        )
    return planned


def measure(config: OneUpdateConfig, unit: Unit) -> dict[str, Any]:
    """Take one step, and take it apart by orders."""
    if unit["part"] == "chain":
        rng = np.random.default_rng([unit.seed, 91])
        x, weights = rng.standard_normal(config.count), 1.0 + 0.1 * rng.standard_normal(unit["depth"])
        return chain(x, weights, config.chain_rate, normalized=unit["norm"] == "batch")
    torch.manual_seed(unit.seed)
    data = tensors(config.data, device=config.device, train=config.batch_size)
    options = {"residual": unit["shape"] == "residual", "norm": unit["norm"]}
    model = DeepNetwork(data.x_train[0].numel(), config.width, unit["depth"], **options).to(config.device)
    return network(model, data.x_train, data.y_train, unit["rate"])


def chain(x: Array, weights: Array, rate: float, *, normalized: bool) -> dict[str, Any]:
    """Update a chain of scalars once toward y = 2 x, and split the change of the output by orders of the rate.

    Returns
    -------
    dict
        `first` and `higher`: size of the output's change to first order, and of the rest, relative to the output
        before (root mean squares over x). `orders`: the same, order by order.

    Examples
    --------
    Two weights of 1 and x^2 = 1 have the gradient -1 each: (1 + rate)^2 = 1 + 2 rate + rate^2.

    >>> found = chain(np.array([1.0, -1.0]), np.ones(2), 0.1, normalized=False)
    >>> round(found["first"], 6), round(found["higher"], 6)
    (0.2, 0.01)
    """
    product = weights.prod()
    if normalized:
        one, zero = np.ones(1), np.zeros(1)
        y, cache = batch_norm_forward((x * product)[:, None], one, zero)
        target = 2 * (x - x.mean())[:, None] / x.std()
        gradients = batch_norm_backward((y - target) / len(x), cache)
        slope = float((gradients.dx[:, 0] * x).sum())  # of the loss by the product
        moved = np.prod(weights - rate * slope * product / weights)
        gamma, beta = one - rate * gradients.dgamma, zero - rate * gradients.dbeta
        after, _ = batch_norm_forward((x * moved)[:, None], gamma, beta)
        first = -rate * (gradients.dgamma * y + gradients.dbeta)
        size = float(np.sqrt((y**2).mean()))
        sizes = [float(np.sqrt((part**2).mean())) / size for part in (first, after - y - first)]
        return {"first": sizes[0], "higher": sizes[1], "slope": abs(slope), "eps_share": EPS / float(x.var())}
    slope = float((x * (x * product - 2 * x)).mean())
    gradient = slope * product / weights
    # the coefficients of prod(w_i - rate g_i), by powers of the rate
    polynomial = np.ones(1)
    for weight, part in zip(weights, gradient, strict=True):
        polynomial = np.convolve(polynomial, [weight, -part])
    terms = polynomial * rate ** np.arange(len(polynomial)) / product
    return {
        "first": float(abs(terms[1])),
        "higher": float(abs(terms[2:].sum())),
        "slope": abs(slope),
        "orders": np.abs(terms[1:]),
    }


def network(model: DeepNetwork, x: torch.Tensor, y: torch.Tensor, rate: float) -> dict[str, Any]:
    """Compare the change of the output and of the loss by one step of gradient descent with its first order.

    Returns
    -------
    dict
        `output_first` and `output_higher`: size of the logits' change to first order, and of the rest, relative to the
        logits before (root mean squares). `first` and `second`: the loss's change to these orders; `change`: all of it;
        `kept` and `higher`: all of it, and all but the first order, relative to the first order.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    logits = model(x)
    loss = cross_entropy(logits, y)
    gradient = torch.autograd.grad(loss, parameters, create_graph=True)
    square = torch.stack([(g * g).sum() for g in gradient]).sum()
    bent = torch.autograd.grad(square, parameters, allow_unused=True, retain_graph=True)  # 2 H g
    pairs = [(h, g.detach()) for h, g in zip(bent, gradient, strict=True) if h is not None]
    along = sum(float((h * g).sum()) for h, g in pairs) / 2
    turned = -rate * _forward(logits, parameters, [g.detach() for g in gradient])
    with torch.no_grad():
        for parameter, part in zip(parameters, gradient, strict=True):
            parameter.sub_(part, alpha=rate)
        moved = model(x)
        change = float(cross_entropy(moved, y)) - float(loss.detach())
        rest, size = moved - logits - turned, float(logits.square().mean().sqrt())
    first, second = -rate * float(square.detach()), 0.5 * rate**2 * along
    return {
        "output_first": float(turned.square().mean().sqrt()) / size,
        "output_higher": float(rest.square().mean().sqrt()) / size,
        "first": first,
        "second": second,
        "change": change,
        "kept": change / first,
        "higher": abs(change - first) / abs(first),
    }


def _forward(y: torch.Tensor, parameters: Sequence[torch.Tensor], direction: Sequence[torch.Tensor]) -> torch.Tensor:
    """Differentiate y along a direction of the parameters, by differentiating its backward pass."""
    upstream = torch.zeros_like(y, requires_grad=True)
    back = torch.autograd.grad(y, parameters, upstream, create_graph=True)
    return torch.autograd.grad(back, upstream, direction)[0].detach()
