"""Student-like programs in the words of many courses: fragments of code, right and mistaken, and wrappers around them.

A fragment computes one thing from names that every wrapper provides; so a mistake is written once and tried in each.
"""

import textwrap
from collections.abc import Callable
from typing import NamedTuple

FORWARDS = {
    "plain": "mean = x.mean(axis=0)\nvar = x.var(axis=0)\nstd = np.sqrt(var + eps)\nx_hat = (x - mean) / std\ny = gamma * x_hat + beta",
    "sums": (
        "n = x.shape[0]\nmean = np.sum(x, axis=0) / n\ncentered = x - mean\nvar = np.sum(centered ** 2, axis=0) / n\n"
        "std = (var + eps) ** 0.5\nx_hat = centered / std\ny = x_hat * gamma + beta"
    ),
    "inverse": (
        "mean = np.mean(x, 0)\nvar = np.mean(np.square(x - mean), 0)\nivar = 1.0 / np.sqrt(var + eps)\nstd = 1 / ivar\n"
        "x_hat = (x - mean) * ivar\nout = gamma * x_hat\ny = out + beta"
    ),
    "two moments": (
        "mean = x.mean(0)\nvar = (x * x).mean(0) - mean ** 2\nstd = np.sqrt(var + eps)\nx_hat = (x - mean) / std\n"
        "y = np.multiply(gamma, x_hat) + beta"
    ),
    "loop": (
        "mean = np.zeros(x.shape[1])\nvar = np.zeros(x.shape[1])\nfor j in range(x.shape[1]):\n"
        "    mean[j] = sum(x[:, j]) / len(x)\n    var[j] = sum((x[:, j] - mean[j]) ** 2) / len(x)\n"
        "std = np.sqrt(var + eps)\nx_hat = (x - mean) / std\ny = gamma * x_hat + beta"
    ),
    "einsum": (
        "n = len(x)\nmean = np.einsum('nc->c', x) / n\nd = x - mean\nvar = np.einsum('nc,nc->c', d, d) / n\n"
        "std = np.power(var + eps, 0.5)\nx_hat = d / std\ny = x_hat * gamma + beta"
    ),
}
"""Right ways to normalize a table."""

DX_HAT = "dx_hat = dy * gamma\n"
PARAMETERS = "dgamma = np.sum(dy * x_hat, axis=0)\ndbeta = np.sum(dy, axis=0)\n"
BACKWARDS = {
    "three equations": (
        "n = dy.shape[0]\n"
        + DX_HAT
        + PARAMETERS
        + "dvar = np.sum(dx_hat * (x - mean) * -0.5 * (var + eps) ** -1.5, axis=0)\n"
        "dmean = np.sum(-dx_hat / std, axis=0) + dvar * np.mean(-2 * (x - mean), axis=0)\n"
        "dx = dx_hat / std + dvar * 2 * (x - mean) / n + dmean / n"
    ),
    "closed form": ("n = len(dy)\n" + PARAMETERS + "dx = gamma / (n * std) * (n * dy - dbeta - x_hat * dgamma)"),
    "bracket": (
        "m = x.shape[0]\n"
        + DX_HAT
        + PARAMETERS
        + "bracket = m * dx_hat - np.sum(dx_hat, axis=0) - x_hat * np.sum(dx_hat * x_hat, axis=0)\n"
        "dx = (1.0 / m) * (1.0 / std) * bracket"
    ),
    "staged": (
        "n, d = dy.shape\n"
        + PARAMETERS
        + DX_HAT
        + "xmu = x - mean\nivar = 1 / std\ndivar = np.sum(dx_hat * xmu, axis=0)\n"
        "dxmu1 = dx_hat * ivar\ndsqrt = -1.0 / (std ** 2) * divar\ndvar = 0.5 * 1.0 / std * dsqrt\n"
        "dsq = 1.0 / n * np.ones((n, d)) * dvar\ndxmu2 = 2 * xmu * dsq\ndx1 = dxmu1 + dxmu2\n"
        "dmu = -1 * np.sum(dx1, axis=0)\ndx2 = 1.0 / n * np.ones((n, d)) * dmu\ndx = dx1 + dx2"
    ),
    "means": (
        PARAMETERS + DX_HAT + "dx = (dx_hat - dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)) / std"
    ),
    "zero term left out": (
        "n = len(x)\n"
        + PARAMETERS
        + DX_HAT
        + "dvar = -0.5 * np.sum(dx_hat * (x - mean), axis=0) * (var + eps) ** (-3 / 2)\n"
        "dmean = -np.sum(dx_hat, axis=0) / std\ndx = dx_hat / std + 2 * dvar * (x - mean) / n + dmean / n"
    ),
    "jacobian": (
        "n = len(dy)\n" + PARAMETERS + "dx = np.zeros_like(dy)\nfor j in range(dy.shape[1]):\n"
        "    h = x_hat[:, j]\n    J = (np.eye(n) - 1 / n - np.outer(h, h) / n) * gamma[j] / std[j]\n    dx[:, j] = J.T @ dy[:, j]"
    ),
    "loops": (
        "n, d = dy.shape\ndgamma = np.zeros(d)\ndbeta = np.zeros(d)\ndx = np.zeros((n, d))\nfor j in range(d):\n"
        "    for i in range(n):\n        dbeta[j] += dy[i, j]\n        dgamma[j] += dy[i, j] * x_hat[i, j]\n"
        "    for i in range(n):\n"
        "        dx[i, j] = gamma[j] / std[j] * (dy[i, j] - dbeta[j] / n - x_hat[i, j] * dgamma[j] / n)"
    ),
    "projection": (PARAMETERS + "g = dy * gamma\ng = g - g.mean(0)\ndx = (g - x_hat * np.mean(g * x_hat, 0)) / std"),
    "centering matrix": (
        "n = len(dy)\n" + PARAMETERS + "P = np.eye(n) - np.ones((n, n)) / n\n"
        "g = dy * gamma / std\ndx = P @ (g - x_hat * (g * x_hat).mean(axis=0))"
    ),
}
"""Right ways back."""

INFERENCE = "y = gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta"


def _in(code: str, depth: int) -> str:
    return textwrap.indent(code, "    " * depth)


class Parts(NamedTuple):
    """The fragments of one program."""

    forward: str = FORWARDS["plain"]
    backward: str = BACKWARDS["three equations"]
    inference: str = INFERENCE
    new_mean: str = "mean"
    new_var: str = "var"
    keep: str = "momentum"
    take: str = "(1 - momentum)"


def settings(parts: Parts) -> str:
    """Functions with a dict of settings."""
    return f"""import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param['mode']
    eps = bn_param.get('eps', 1e-5)
    momentum = bn_param.get('momentum', 0.9)
    N, D = x.shape
    running_mean = bn_param.get('running_mean', np.zeros(D, dtype=x.dtype))
    running_var = bn_param.get('running_var', np.zeros(D, dtype=x.dtype))
    y, cache = None, None
    if mode == 'train':
{_in(parts.forward, 2)}
        cache = (x, mean, var, std, x_hat, gamma, eps)
        running_mean = {parts.keep} * running_mean + {parts.take} * {parts.new_mean}
        running_var = {parts.keep} * running_var + {parts.take} * {parts.new_var}
    elif mode == 'test':
{_in(parts.inference, 2)}
    else:
        raise ValueError('Invalid forward batchnorm mode "%s"' % mode)
    bn_param['running_mean'] = running_mean
    bn_param['running_var'] = running_var
    return y, cache


def batchnorm_backward(dout, cache):
    x, mean, var, std, x_hat, gamma, eps = cache
    dy = dout
{_in(parts.backward, 1)}
    return dx, dgamma, dbeta
"""


def ours(parts: Parts) -> str:
    """Functions of this course."""
    return f"""import numpy as np


def batch_norm_forward(x, gamma, beta, eps=1e-5):
{_in(parts.forward, 1)}
    return y, dict(x=x, mean=mean, var=var, std=std, x_hat=x_hat, gamma=gamma, eps=eps)


def batch_norm_backward(dy, cache):
    x, mean, var, std, x_hat, gamma, eps = (cache[k] for k in ('x', 'mean', 'var', 'std', 'x_hat', 'gamma', 'eps'))
{_in(parts.backward, 1)}
    return dx, dgamma, dbeta


def batch_norm_inference(x, gamma, beta, running_mean, running_var, eps=1e-5):
{_in(parts.inference, 1)}
    return y
"""


def layer(parts: Parts) -> str:
    """A class with forward(Z, eval) and backward(dLdBN)."""
    return f"""import numpy as np


class BatchNorm1d:

    def __init__(self, num_features, alpha=0.9):
        self.alpha = alpha
        self.eps = 1e-8
        self.BW = np.ones((1, num_features))
        self.Bb = np.zeros((1, num_features))
        self.dLdBW = np.zeros((1, num_features))
        self.dLdBb = np.zeros((1, num_features))
        self.running_M = np.zeros((1, num_features))
        self.running_V = np.ones((1, num_features))

    def forward(self, Z, eval=False):
        x, gamma, beta, eps, momentum = Z, self.BW, self.Bb, self.eps, self.alpha
        if eval:
            running_mean, running_var = self.running_M, self.running_V
{_in(parts.inference, 3)}
            return y
{_in(parts.forward, 2)}
        self.saved = x, mean, var, std, x_hat
        self.running_M = {parts.keep} * self.running_M + {parts.take} * {parts.new_mean}
        self.running_V = {parts.keep} * self.running_V + {parts.take} * {parts.new_var}
        return y

    def backward(self, dLdBZ):
        x, mean, var, std, x_hat = self.saved
        dy, gamma, eps = dLdBZ, self.BW.reshape(-1), self.eps
{_in(parts.backward, 2)}
        self.dLdBW = dgamma.reshape(1, -1)
        self.dLdBb = dbeta.reshape(1, -1)
        return dx
"""


def moving(parts: Parts) -> str:
    """A function with moving statistics and a flag, which returns them, and a backward pass with many arguments."""
    return f"""import numpy as np


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    x, running_mean, running_var = X, moving_mean, moving_var
    if not training:
{_in(parts.inference, 2)}
        return y, None, moving_mean, moving_var
{_in(parts.forward, 1)}
    moving_mean = {parts.keep} * moving_mean + {parts.take} * {parts.new_mean}
    moving_var = {parts.keep} * moving_var + {parts.take} * {parts.new_var}
    cache = [x, mean, var, std, x_hat, gamma, eps]
    return y, cache, moving_mean, moving_var


def batch_norm_grad(dY, cache):
    x, mean, var, std, x_hat, gamma, eps = cache
    dy = dY
{_in(parts.backward, 1)}
    return dx, dgamma, dbeta
"""


def keras(parts: Parts) -> str:
    """A class with the names of Keras."""
    return f"""import numpy as np


class BatchNormalization:

    def __init__(self, momentum=0.99, epsilon=1e-3):
        self.momentum = momentum
        self.epsilon = epsilon
        self.gamma = None

    def build(self, input_shape):
        dim = input_shape[-1]
        self.gamma = np.ones(dim)
        self.beta = np.zeros(dim)
        self.moving_mean = np.zeros(dim)
        self.moving_variance = np.ones(dim)

    def call(self, inputs, training=None):
        if self.gamma is None:
            self.build(inputs.shape)
        x, gamma, beta, eps, momentum = inputs, self.gamma, self.beta, self.epsilon, self.momentum
        if training:
{_in(parts.forward, 3)}
            self.moving_mean = {parts.keep} * self.moving_mean + {parts.take} * {parts.new_mean}
            self.moving_variance = {parts.keep} * self.moving_variance + {parts.take} * {parts.new_var}
            self.kept = x, mean, var, std, x_hat
            return y
        running_mean, running_var = self.moving_mean, self.moving_variance
{_in(parts.inference, 2)}
        return y

    def backward(self, grad):
        (x, mean, var, std, x_hat), gamma, eps, dy = self.kept, self.gamma, self.epsilon, grad
{_in(parts.backward, 2)}
        self.grad_gamma, self.grad_beta = dgamma, dbeta
        return dx
"""


def retained(parts: Parts) -> str:
    """A class with forward(X, retain_derived) and backward(dLdy), parameters and gradients in dicts."""
    return f"""import numpy as np
from .base import LayerBase


class BatchNorm1D:

    def __init__(self, momentum=0.9, epsilon=1e-5):
        self.momentum = momentum
        self.epsilon = epsilon
        self.trainable = True
        self.X = []
        self.parameters = dict(scaler=None, intercept=None, running_mean=None, running_var=None)
        self.gradients = dict()

    def _init_params(self, n_in):
        self.parameters = dict(scaler=np.random.rand(n_in), intercept=np.zeros(n_in),
                               running_mean=np.zeros(n_in), running_var=np.ones(n_in))
        self.gradients = dict(scaler=np.zeros(n_in), intercept=np.zeros(n_in))

    def forward(self, X, retain_derived=True):
        if self.parameters['scaler'] is None:
            self._init_params(X.shape[1])
        x, eps, momentum = X, self.epsilon, self.momentum
        gamma, beta = self.parameters['scaler'], self.parameters['intercept']
        running_mean, running_var = self.parameters['running_mean'], self.parameters['running_var']
        if self.trainable and retain_derived:
{_in(parts.forward, 3)}
            self.parameters['running_mean'] = {parts.keep} * running_mean + {parts.take} * {parts.new_mean}
            self.parameters['running_var'] = {parts.keep} * running_var + {parts.take} * {parts.new_var}
            self.X.append((x, mean, var, std, x_hat))
        else:
{_in(parts.inference, 3)}
        return y

    def backward(self, dLdy, retain_grads=True):
        (x, mean, var, std, x_hat), eps, gamma, dy = self.X[-1], self.epsilon, self.parameters['scaler'], dLdy
{_in(parts.backward, 2)}
        if retain_grads:
            self.gradients['scaler'] += dgamma
            self.gradients['intercept'] += dbeta
        return dx
"""


def module(parts: Parts) -> str:
    """A torch.nn.Module."""
    return f"""import torch
from torch import nn


class MyBatchNorm(nn.Module):

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.gamma = nn.Parameter(torch.ones(num_features))
        self.beta = nn.Parameter(torch.zeros(num_features))
        self.register_buffer('running_mean', torch.zeros(num_features))
        self.register_buffer('running_var', torch.ones(num_features))

    def forward(self, x):
        gamma, beta, eps, momentum = self.gamma, self.beta, self.eps, self.momentum
        if not self.training:
            running_mean, running_var = self.running_mean, self.running_var
{_in(parts.inference.replace("np.sqrt", "torch.sqrt"), 3)}
            return y
{_in(parts.forward.replace("np.sqrt", "torch.sqrt").replace("x.var(axis=0)", "x.var(axis=0, unbiased=False)"), 2)}
        with torch.no_grad():
            self.running_mean = {parts.take} * self.running_mean + {parts.keep} * {parts.new_mean}
            self.running_var = {parts.take} * self.running_var + {parts.keep} * {parts.new_var}
        return y
"""


def columns(parts: Parts) -> str:
    """Functions for samples in columns, as in courses that write W x + b."""
    return f"""import numpy as np

epsilon = 1e-8


def batchnorm_forward(Z, gamma, beta):
    x, eps = Z.T, epsilon
    gamma, beta = gamma.reshape(-1), beta.reshape(-1)
{_in(parts.forward, 1)}
    return y.T, (x, mean, var, std, x_hat, gamma, eps)


def batchnorm_backward(dZ, cache):
    x, mean, var, std, x_hat, gamma, eps = cache
    dy = dZ.T
{_in(parts.backward, 1)}
    return dx.T, dgamma.reshape(-1, 1), dbeta.reshape(-1, 1)
"""


WRAPPERS: dict[str, Callable[[Parts], str]] = {
    "settings": settings,
    "ours": ours,
    "layer": layer,
    "moving": moving,
    "keras": keras,
    "retained": retained,
}
"""With NumPy, on tables, the whole task."""
EXPECTED = {
    "settings": "cs231n",
    "ours": "bncourse",
    "layer": "cmu",
    "moving": "d2l",
    "keras": "keras",
    "retained": "numpy-ml",
}


class Slip(NamedTuple):
    """A change of one fragment, and what it shows of the student."""

    belief: str
    part: str
    """forward, backward, inference, or the field of `Parts` that is replaced as a whole."""
    old: str
    new: str
    style: str = ""
    """Key of the fragment that is changed."""

    def apply(self) -> Parts:
        """The program with this slip."""
        if self.part in ("forward", "backward"):
            table = FORWARDS if self.part == "forward" else BACKWARDS
            text = table[self.style or next(iter(table))]
        else:
            text = getattr(Parts(), self.part)
        if self.old not in text:
            raise ValueError(f"{self.old!r} is not in {text!r}")
        return Parts()._replace(**{self.part: text.replace(self.old, self.new)})


SLIPS = (
    # eps
    Slip("eps-outside-root", "forward", "np.sqrt(var + eps)", "(np.sqrt(var) + eps)"),
    Slip("eps-ignored", "forward", "np.sqrt(var + eps)", "np.sqrt(var)"),
    Slip("eps-hard-coded", "forward", "np.sqrt(var + eps)", "np.sqrt(var + 3e-4)"),
    Slip("eps-hard-coded", "forward", "np.sqrt(var + eps)", "np.sqrt(var + 1e-6)"),
    Slip("eps-subtracted", "forward", "(var + eps) ** 0.5", "(var - eps) ** 0.5", "sums"),
    # the variance and the mean
    Slip("variance-unbiased", "forward", "x.var(axis=0)", "x.var(axis=0, ddof=1)"),
    Slip("variance-unbiased", "forward", "axis=0) / n\nstd", "axis=0) / (n - 1)\nstd", "sums"),
    Slip("variance-is-sum", "forward", "np.sum(centered ** 2, axis=0) / n", "np.sum(centered ** 2, axis=0)", "sums"),
    Slip("variance-about-zero", "forward", "np.square(x - mean)", "np.square(x)", "inverse"),
    Slip("variance-about-zero", "forward", " - mean ** 2", "", "two moments"),
    Slip("variance-shared", "forward", "np.sum(centered ** 2, axis=0) / n", "np.sum(centered ** 2) / n", "sums"),
    Slip("variance-shared", "forward", "np.mean(np.square(x - mean), 0)", "np.mean(np.square(x - mean))", "inverse"),
    Slip("mean-shared", "forward", "mean = x.mean(axis=0)", "mean = x.mean()"),
    Slip("variance-divided-by-features", "forward", "axis=0) / n\nstd", "axis=0) / x.shape[1]\nstd", "sums"),
    Slip("variance-without-root", "forward", "np.sqrt(var + eps)", "(var + eps)"),
    Slip("multiplied-by-std", "forward", "(x - mean) / std", "(x - mean) * std"),
    Slip("mean-not-subtracted", "forward", "(x - mean) / std", "x / std"),
    Slip("variance-not-divided", "forward", "(x - mean) / std", "(x - mean)"),
    # scale and shift
    Slip("gamma-missing", "forward", "gamma * x_hat + beta", "x_hat + beta"),
    Slip("gamma-one-plus", "forward", "gamma * x_hat + beta", "(1 + gamma) * x_hat + beta"),
    Slip("beta-missing", "forward", "gamma * x_hat + beta", "gamma * x_hat"),
    Slip("affine-order", "forward", "gamma * x_hat + beta", "gamma * (x_hat + beta)"),
    Slip("shift-subtracted", "forward", "gamma * x_hat + beta", "gamma * x_hat - beta"),
    Slip("shift-divided", "forward", "gamma * x_hat + beta", "(gamma * (x - mean) + beta) / std"),
    Slip("affine-missing", "forward", "gamma * x_hat + beta", "x_hat"),
    # dx: paths
    Slip("variance-path-missing", "backward", " + dvar * 2 * (x - mean) / n", ""),
    Slip("mean-path-missing", "backward", " + dmean / n", ""),
    Slip("mean-path-missing", "backward", "n * dy - dbeta - x_hat", "n * dy - x_hat", "closed form"),
    Slip("variance-path-missing", "backward", " - x_hat * dgamma", "", "closed form"),
    Slip("statistics-detached", "backward", "dx_hat / std + dvar * 2 * (x - mean) / n + dmean / n", "dx_hat / std"),
    Slip("direct-path-missing", "backward", "dx = dx_hat / std + dvar", "dx = dvar"),
    Slip("variance-path-flipped", "backward", "* -0.5 *", "* 0.5 *"),
    Slip("variance-path-flipped", "backward", "- x_hat * dgamma", "+ x_hat * dgamma", "closed form"),
    Slip("mean-path-flipped", "backward", "np.sum(-dx_hat / std", "np.sum(dx_hat / std"),
    Slip("mean-path-flipped", "backward", "dmean = -np.sum", "dmean = np.sum", "zero term left out"),
    Slip("dx-flipped", "backward", "dx = gamma / (n * std)", "dx = -gamma / (n * std)", "closed form"),
    # dx: factors
    Slip("variance-path-sum", "backward", "(x - mean) / n + dmean", "(x - mean) + dmean"),
    Slip("mean-path-sum", "backward", "+ dmean / n", "+ dmean"),
    Slip("factor-two-lost", "backward", "dvar * 2 * (x", "dvar * (x"),
    Slip("factor-half-lost", "backward", "* -0.5 *", "* -1 *"),
    Slip("dx-gamma-missing", "backward", "dx = gamma / (n * std)", "dx = 1 / (n * std)", "closed form"),
    Slip("dx-times-count", "backward", "gamma / (n * std)", "gamma / std", "closed form"),
    Slip("dx-divided-by-count", "backward", "x_hat).mean(axis=0)) / std", "x_hat).mean(axis=0)) / std / len(x)", "means"),
    Slip("inverse-std-missing", "backward", "x_hat).mean(axis=0)) / std", "x_hat).mean(axis=0))", "means"),
    Slip("inverse-std-doubled", "backward", "x_hat).mean(axis=0)) / std", "x_hat).mean(axis=0)) / std ** 2", "means"),
    Slip("direct-path-std-missing", "backward", "dx = dx_hat / std +", "dx = dx_hat +"),
    Slip("mean-path-std-missing", "backward", "dmean = -np.sum(dx_hat, axis=0) / std", "dmean = -np.sum(dx_hat, axis=0)", "zero term left out"),
    Slip("variance-path-root-lost", "backward", "** -1.5", "** -0.5"),
    Slip("variance-path-root-lost", "backward", "** -1.5", "** -1"),
    Slip("variance-path-root-gained", "backward", "** -1.5", "** -2"),
    Slip("count-of-features", "backward", "n = len(dy)\n", "n = dy.shape[1]\n", "closed form"),
    Slip("front-factor-partial", "backward", "(n * dy - dbeta - x_hat * dgamma)", "n * dy - dbeta - x_hat * dgamma", "closed form"),
    Slip("front-factor-partial", "backward", "(n * dy - dbeta - x_hat * dgamma)", "(n * dy - dbeta) - x_hat * dgamma", "closed form"),
    Slip("dy-passed-through", "backward", "dx = gamma / (n * std) * (n * dy - dbeta - x_hat * dgamma)", "dx = dy * 1.0", "closed form"),
    # dx: eps
    Slip("backward-eps-ignored", "backward", "(var + eps) ** -1.5", "var ** -1.5"),
    Slip("backward-eps-subtracted", "backward", "(var + eps) ** -1.5", "(var - eps) ** -1.5"),
    Slip("backward-eps-hard-coded", "backward", "(var + eps) ** -1.5", "(var + 1e-8) ** -1.5"),
    # dx: sums
    Slip("batch-sum-missing", "backward", "np.sum(dx_hat * (x - mean) * -0.5 * (var + eps) ** -1.5, axis=0)", "dx_hat * (x - mean) * -0.5 * (var + eps) ** -1.5"),
    Slip("backward-total-sum", "backward", "dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)", "dx_hat.mean() - x_hat * (dx_hat * x_hat).mean()", "means"),
    Slip("backward-wrong-axis", "backward", "dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)", "dx_hat.mean(axis=1, keepdims=True) - x_hat * (dx_hat * x_hat).mean(axis=1, keepdims=True)", "means"),
    Slip("deviation-lost", "backward", "dvar * 2 * (x - mean) / n", "dvar * 2 / n"),
    Slip("x-for-x-hat", "backward", "x_hat * (dx_hat * x_hat).mean(axis=0)", "x * (dx_hat * x).mean(axis=0)", "means"),
    Slip("summed-too-early", "backward", "(dx_hat * x_hat).mean(axis=0)", "(dx_hat.mean(axis=0) * x_hat)", "means"),
    # dgamma, dbeta
    Slip("dgamma-with-x", "backward", "np.sum(dy * x_hat, axis=0)", "np.sum(dy * x, axis=0)"),
    Slip("dgamma-with-centered", "backward", "np.sum(dy * x_hat, axis=0)", "np.sum(dy * (x - mean), axis=0)"),
    Slip("dgamma-without-x-hat", "backward", "np.sum(dy * x_hat, axis=0)", "np.sum(dy, axis=0)"),
    Slip("dgamma-mean", "backward", "np.sum(dy * x_hat, axis=0)", "np.mean(dy * x_hat, axis=0)"),
    Slip("dgamma-times-gamma", "backward", "np.sum(dy * x_hat, axis=0)", "np.sum(dx_hat * x_hat, axis=0)"),
    Slip("dbeta-mean", "backward", "dbeta = np.sum(dy, axis=0)", "dbeta = np.mean(dy, axis=0)"),
    Slip("dbeta-times-gamma", "backward", "dbeta = np.sum(dy, axis=0)", "dbeta = np.sum(dx_hat, axis=0)"),
    Slip("parameter-gradient-not-summed", "backward", "np.sum(dy * x_hat, axis=0)", "dy * x_hat"),
    Slip("parameter-gradient-total-sum", "backward", "dbeta = np.sum(dy, axis=0)", "dbeta = np.sum(dy)"),
    # inference
    Slip("inference-without-affine", "inference", INFERENCE, "y = (x - running_mean) / np.sqrt(running_var + eps)"),
    Slip("inference-running-var-is-std", "inference", "np.sqrt(running_var + eps)", "(running_var + eps)"),
    Slip("inference-eps-ignored", "inference", "running_var + eps", "running_var"),
    Slip("inference-eps-outside-root", "inference", "np.sqrt(running_var + eps)", "(np.sqrt(running_var) + eps)"),
    Slip("inference-precedence", "inference", "(x - running_mean) /", "x - running_mean /"),
    Slip("inference-batch-mean", "inference", "x - running_mean", "x - x.mean(axis=0)"),
    Slip("inference-shift-subtracted", "inference", " + beta", " - beta"),
    Slip("inference-shift-divided", "inference", INFERENCE, "y = (gamma * (x - running_mean) + beta) / np.sqrt(running_var + eps)"),
    Slip("inference-affine-order", "inference", INFERENCE, "y = gamma * ((x - running_mean) / np.sqrt(running_var + eps) + beta)"),
    # running statistics
    Slip("running-std-stored", "new_var", "var", "std0"),
    Slip("running-eps-stored", "new_var", "var", "(var + eps)"),
    Slip("running-var-of-mean", "new_var", "var", "mean"),
    Slip("running-overwritten", "keep", "momentum", "0"),
    Slip("running-not-decayed", "keep", "momentum", "1"),
    Slip("running-scalar", "new_var", "var", "x.var()"),
)  # fmt: skip


def program_of(slip: Slip) -> Parts:
    """The program with a slip, its names made whole."""
    parts = slip.apply()
    if slip.new == "std0":
        parts = parts._replace(new_var="np.sqrt(var)")
    if slip.belief == "running-overwritten":
        parts = parts._replace(take="1.0")
    return parts
