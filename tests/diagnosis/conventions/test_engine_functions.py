"""Functions on tensors, or on lists of scalars, of an autograd engine that their file defines."""

import pytest

from bncourse.diagnosis.conventions import diagnose_source
from tests.diagnosis.conventions.test_scalars import MICROGRAD

TENSOR = """
import numpy as np
class Tensor:
    def __init__(self, data, parents=(), back=None):
        self.data = np.asarray(data, dtype=float)
        self.grad, self.parents, self.back = np.zeros_like(self.data), parents, back
    def __add__(self, o):
        o = o if isinstance(o, Tensor) else Tensor(o)
        return Tensor(self.data + o.data, (self, o), lambda g: (g, g))
    def __mul__(self, o):
        o = o if isinstance(o, Tensor) else Tensor(o)
        return Tensor(self.data * o.data, (self, o), lambda g: (g * o.data, g * self.data))
    def __sub__(self, o): return self + o * -1
    def __pow__(self, k): return Tensor(self.data ** k, (self,), lambda g: (g * k * self.data ** (k - 1),))
    def mean(self, axis):
        shape = self.data.shape
        back = lambda g: (np.broadcast_to(g, shape) / shape[axis],)
        return Tensor(self.data.mean(axis, keepdims=True), (self,), back)
    def backward(self, seed=None):
        order, seen = [], set()
        def visit(t):
            if id(t) in seen: return
            seen.add(id(t))
            for p in t.parents: visit(p)
            order.append(t)
        visit(self)
        self.grad = np.ones_like(self.data) if seed is None else seed
        for t in reversed(order):
            for p, g in zip(t.parents, t.back(t.grad) if t.back else ()):
                while g.ndim > p.data.ndim: g = g.sum(0)
                for axis, size in enumerate(p.data.shape):
                    if size == 1: g = g.sum(axis, keepdims=True)
                p.grad = p.grad + g

def batch_norm(x, gamma, beta, eps=1e-5):
    xc = x - x.mean(0)
    var = (xc ** 2).mean(0)
    return xc * (var + eps) ** -0.5 * gamma + beta
"""
LISTS = (
    MICROGRAD[: MICROGRAD.index("class BatchNorm")]
    + """
def batchnorm(batch, scale, shift, eps=1e-5):
    n, out = len(batch), [[] for _ in batch]
    for j, col in enumerate(zip(*batch)):
        mu = sum(col, Value(0.0)) * (1 / n)
        var = sum(((c - mu) ** 2 for c in col), Value(0.0)) * (1 / n)
        inv = (var + eps) ** -0.5
        for row, c in zip(out, col):
            row.append(scale[j] * (c - mu) * inv + shift[j])
    return out
"""
)


@pytest.mark.parametrize("source", [TENSOR, LISTS])
def test_a_right_function_and_its_engine_pass(source: str) -> None:
    report = diagnose_source(source)
    assert [one["status"] for one in report["functions"]] == ["right", "right"]
    assert report["functions"][1]["name"].endswith(", by its autograd")


@pytest.mark.parametrize(
    ("source", "old", "new", "belief"),
    [
        (TENSOR, "g * k * self", "g * self", "variance-path-flipped"),
        (TENSOR, "p.grad = p.grad + g", "p.grad = g", "gradient-not-accumulated"),
        (TENSOR, "x - x.mean(0)", "x - x.data.mean(0)", "mean-path-missing"),
        (LISTS, "        var = sum", "        mu = Value(mu.data)\n        var = sum", "mean-path-missing"),
        (LISTS, "inv = (var", "inv = (Value(var.data)", "variance-path-missing"),
    ],
)
def test_mistakes_in_the_function_or_in_the_engine_are_named(source: str, old: str, new: str, belief: str) -> None:
    assert old in source
    found = diagnose_source(source.replace(old, new))["functions"]
    assert [one["status"] for one in found] == ["right", "mistaken"]
    assert [each["belief"] for each in found[1]["findings"]] == [belief]


def test_a_function_of_arrays_beside_an_engine_is_called_with_arrays() -> None:
    source = TENSOR + (
        "\ndef layer_norm(x, gamma, beta, eps=1e-5):\n"
        "    mu, var = np.mean(x, 1, keepdims=True), np.var(x, 1, keepdims=True)\n"
        "    return gamma * (x - mu) / np.sqrt(var + eps) + beta\n"
    )
    report = diagnose_source(source)
    assert report["status"] == "right"
    assert [one["name"] for one in report["functions"]][-1] == "layer_norm"


def test_a_function_of_one_feature_is_called_feature_by_feature() -> None:
    one = LISTS[: LISTS.index("def batchnorm")] + (
        "def batchnorm(xs, gamma, beta, eps=1e-5):\n"
        "    mu = sum(xs, Value(0.0)) * (1 / len(xs))\n"
        "    var = sum(((x - mu) ** 2 for x in xs), Value(0.0)) * (1 / len(xs))\n"
        "    return [gamma * ((x - mu) * (var + eps) ** -0.5) + beta for x in xs]\n"
    )
    assert diagnose_source(one)["status"] == "right"
    wrong = diagnose_source(one.replace("(var + eps)", "(Value(var.data) + eps)"))
    assert [found["belief"] for found in wrong["functions"][1]["findings"]] == ["variance-path-missing"]


def test_a_switch_of_the_engines_class_says_whether_a_layer_trains() -> None:
    layer = TENSOR[: TENSOR.index("def batch_norm")].replace("class Tensor:", "class Tensor:\n    training = False") + (
        "class BatchNorm:\n"
        "    def __init__(self, n, m=0.1):\n"
        "        self.weight, self.bias = Tensor(np.ones(n)), Tensor(np.zeros(n))\n"
        "        self.running_mean, self.running_var, self.momentum = np.zeros(n), np.ones(n), m\n"
        "    def __call__(self, x):\n"
        "        mean, var = Tensor(self.running_mean), Tensor(self.running_var)\n"
        "        if Tensor.training:\n"
        "            mean = x.mean(0)\n"
        "            var, m, n = ((x - mean) ** 2).mean(0), self.momentum, len(x.data)\n"
        "            self.running_mean = (1 - m) * self.running_mean + m * mean.data[0]\n"
        "            self.running_var = (1 - m) * self.running_var + m * var.data[0] * n / (n - 1)\n"
        "        return (x - mean) * (var + 1e-5) ** -0.5 * self.weight + self.bias\n"
    )
    assert diagnose_source(layer)["status"] == "right"
    wrong = diagnose_source(layer.replace("Tensor(self.running_var)", "Tensor(self.running_var ** 2)"))
    assert [found["part"] for found in wrong["functions"][0]["findings"]] == ["inference"]
