"""Layers on scalars of an engine of the file's own: micrograd's, or one with slots and a tape, for one feature."""

import pytest

from bncourse.diagnosis.conventions import diagnose_source

MICROGRAD = """
class Value:
    def __init__(self, data, _children=()):
        self.data, self.grad = data, 0.0
        self._backward, self._prev = lambda: None, set(_children)
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out
    def __pow__(self, k):
        out = Value(self.data ** k, (self,))
        def _backward():
            self.grad += k * self.data ** (k - 1) * out.grad
        out._backward = _backward
        return out
    def __neg__(self): return self * -1
    def __sub__(self, other): return self + (-other)
    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other
    def __truediv__(self, other): return self * other ** -1
    def backward(self):
        topo, seen = [], set()
        def build(v):
            if v not in seen:
                seen.add(v)
                for child in v._prev: build(child)
                topo.append(v)
        build(self)
        self.grad = 1.0
        for v in reversed(topo): v._backward()

class BatchNorm:
    def __init__(self, nfeat, eps=1e-5, momentum=0.1):
        self.gamma = [Value(1.0) for _ in range(nfeat)]
        self.beta = [Value(0.0) for _ in range(nfeat)]
        self.run_mean, self.run_var = [0.0] * nfeat, [1.0] * nfeat
        self.eps, self.momentum, self.training = eps, momentum, True
    def __call__(self, batch):
        n, cols = len(batch), []
        for j, col in enumerate(zip(*batch)):
            if self.training:
                mu = sum(col) * (1.0 / n)
                var = sum((v - mu) * (v - mu) for v in col) * (1.0 / n)
                self.run_mean[j] += self.momentum * (mu.data - self.run_mean[j])
                self.run_var[j] += self.momentum * (var.data * n / (n - 1) - self.run_var[j])
            else:
                mu, var = Value(self.run_mean[j]), Value(self.run_var[j])
            inv = (var + self.eps) ** -0.5
            cols.append([self.gamma[j] * ((v - mu) * inv) + self.beta[j] for v in col])
        return [list(r) for r in zip(*cols)]
"""
TAPE = """
import math
TAPE = []
class Num:
    __slots__ = ("val", "adj")
    def __init__(self, val): self.val, self.adj = float(val), 0.0
    def __add__(self, o):
        r = Num(self.val + o.val)
        TAPE.append((r, ((self, 1.0), (o, 1.0))))
        return r
    def __sub__(self, o):
        r = Num(self.val - o.val)
        TAPE.append((r, ((self, 1.0), (o, -1.0))))
        return r
    def __mul__(self, o):
        r = Num(self.val * o.val)
        TAPE.append((r, ((self, o.val), (o, self.val))))
        return r
    def inverse_root(self):
        r = Num(1 / math.sqrt(self.val))
        TAPE.append((r, ((self, -0.5 * r.val ** 3),)))
        return r

def backward(root):
    root.adj = 1.0
    for out, parents in reversed(TAPE):
        for parent, slope in parents:
            parent.adj += slope * out.adj
    TAPE.clear()

def average(nums):
    total = Num(0)
    for one in nums: total = total + one
    return total * Num(1 / len(nums))

class BN:
    def __init__(self, decay=0.9, eps=1e-5):
        self.scale, self.shift = Num(1), Num(0)
        self.decay, self.eps, self.m, self.v = decay, eps, 0.0, 1.0
    def forward(self, nums, train=True):
        if train:
            mean = average(nums)
            var = average([(x - mean) * (x - mean) for x in nums])
            self.m = self.decay * self.m + (1 - self.decay) * mean.val
            self.v = self.decay * self.v + (1 - self.decay) * var.val
        else:
            mean, var = Num(self.m), Num(self.v)
        k = (var + Num(self.eps)).inverse_root()
        return [self.scale * (x - mean) * k + self.shift for x in nums]
"""


def said(source: str) -> list[str | None]:
    report = diagnose_source(source)
    assert report["status"] != "unreadable", report
    return [found["belief"] for one in report["functions"] for found in one["findings"]]


@pytest.mark.parametrize("source", [MICROGRAD, TAPE])
def test_right_layers_on_scalars_pass(source: str) -> None:
    report = diagnose_source(source)
    assert [one["status"] for one in report["functions"]] == ["right", "right"]
    assert report["functions"][1]["name"].endswith("by its autograd")


@pytest.mark.parametrize(
    ("source", "old", "new", "belief"),
    [
        (MICROGRAD, "(v - mu) * (v - mu) for v", "Value((v - mu).data ** 2) for v", "variance-path-missing"),
        (MICROGRAD, "self.grad += out.grad", "self.grad = out.grad", "gradient-not-accumulated"),
        (MICROGRAD, "var.data * n / (n - 1)", "var.data ** 0.5", "running-std-stored"),
        (TAPE, "mean = average(nums)", "mean = Num(average(nums).val)", "mean-path-missing"),
        (TAPE, "parent.adj +=", "parent.adj =", "gradient-not-accumulated"),
        (TAPE, "Num(self.v)", "Num((self.v + self.eps) ** 2 - self.eps)", "inference-running-var-is-std"),
    ],
)  # fmt: skip
def test_mistakes_in_a_layer_on_scalars_or_in_its_engine_are_named(
    source: str, old: str, new: str, belief: str
) -> None:
    assert old in source
    assert said(source.replace(old, new)) == [belief]


OWN_FLAG = (", self.training = eps, momentum, True", " = eps, momentum")
MODES = {
    "a switch of the engine": [
        OWN_FLAG,
        ("class Value:", "class Value:\n    training = False"),
        ("if self.training:", "if Value.training:"),
    ],
    "a switch of another class": [
        OWN_FLAG,
        ("class BatchNorm:", "class Config:\n    train = True\n\nclass BatchNorm:"),
        ("if self.training:", "if Config.train:"),
    ],
    "a flag of the class": [OWN_FLAG, ("class BatchNorm:", "class BatchNorm:\n    training = True")],
    "a word that is given": [
        OWN_FLAG,
        ("__call__(self, batch)", "__call__(self, batch, mode='train')"),
        ("if self.training:", "if mode == 'train':"),
    ],
    "a word that is kept": [
        (", self.training = eps, momentum, True", ", self.mode = eps, momentum, 'train'"),
        ("if self.training:", "if self.mode == 'train':"),
    ],
}


@pytest.mark.parametrize("changes", MODES.values(), ids=MODES)
def test_a_layer_of_scalars_is_told_to_train_and_to_infer_as_its_file_says_it(changes: list[tuple[str, str]]) -> None:
    source = MICROGRAD
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    assert diagnose_source(source)["status"] == "right"
    stored = source.replace("Value(self.run_var[j])", "Value((self.run_var[j] + self.eps) ** 2 - self.eps)")
    assert said(stored) == ["inference-running-var-is-std"]
