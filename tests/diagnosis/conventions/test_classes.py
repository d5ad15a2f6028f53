"""Classes whose statistics have names that say little, or whose base lies in a file that is not here."""

import pytest

from bncourse.diagnosis.conventions import diagnose_source

PLAIN = """
import numpy as np
from .module import Module

class BatchNorm(Module):
    def __init__(self, width, eps=1e-5, alpha=0.9):
        super().__init__()
        self.gamma, self.beta = np.ones((1, width)), np.zeros((1, width))
        self.mean, self.var = np.zeros((1, width)), np.ones((1, width))
        self.eps, self.alpha = eps, alpha

    def forward(self, x):
        if self.training:
            m, v = x.mean(0, keepdims=True), x.var(0, keepdims=True)
            self.mean = self.alpha * self.mean + (1 - self.alpha) * m
            self.var = self.alpha * self.var + (1 - self.alpha) * v
        else:
            m, v = self.mean, self.var
        return self.gamma * (x - m) / np.sqrt(v + self.eps) + self.beta
"""
HELD = PLAIN.replace(
    "self.mean, self.var = np.zeros((1, width)), np.ones((1, width))",
    "self.running = dict(mean=np.zeros(width), var=np.ones(width))",
)
HELD = HELD.replace("self.mean", "self.running['mean']").replace("self.var", "self.running['var']")


def said(source: str) -> list[str | None]:
    report = diagnose_source(source)
    assert report["status"] != "unreadable", report
    return [found["belief"] for one in report["functions"] for found in one["findings"]]


def test_a_base_class_that_is_not_here_is_replaced_and_this_is_said() -> None:
    report = diagnose_source(PLAIN)
    assert report["status"] == "right"
    assert "an empty one was put in its place" in report["functions"][0]["notes"][0]
    missing = diagnose_source(PLAIN.replace("from .module import Module", "from tensorflow.keras.layers import Module"))
    assert "it needs tensorflow" in missing["functions"][0]["reason"]


@pytest.mark.parametrize("source", [PLAIN, HELD])
def test_moving_averages_are_found_whatever_they_are_called(source: str) -> None:
    assert said(source) == []
    assert said(source.replace("(1 - self.alpha) * v", "(1 - self.alpha) * v ** 0.5")) == ["running-std-stored"]
    assert said(source.replace("(1 - self.alpha) * m", "self.alpha * m")) != []


def test_what_a_method_computes_in_two_lines_is_no_moving_average() -> None:
    source = PLAIN[: PLAIN.index("        if self.training")] + (
        "        self.mean = x.sum(0)\n        self.mean = self.mean / len(x)\n"
        "        self.var = ((x - self.mean) ** 2).sum(0)\n        self.var /= len(x)\n"
        "        return self.gamma * (x - self.mean) / np.sqrt(self.var + self.eps) + self.beta\n"
    )
    assert said(source) == []


APART = """
import numpy as np

class Norma:
    def __init__(self, d):
        self.gamma, self.beta = np.ones(d), np.zeros(d)

def adelante(self, X):
    self.s = np.sqrt(X.var(0) + 1e-5)
    self.Xn = (X - X.mean(0)) / self.s
    return self.gamma * self.Xn + self.beta

Norma.adelante = adelante

def atras(self, dY):
    self.dgamma, self.dbeta = (dY * self.Xn).sum(0), dY.sum(0)
    return self.gamma / self.s * (dY - dY.mean(0) - self.Xn * (dY * self.Xn).mean(0))

Norma.atras = atras
"""


def test_methods_that_later_lines_attach_belong_to_their_class_whatever_their_language() -> None:
    report = diagnose_source(APART)
    assert [(one["name"], one["status"]) for one in report["functions"]] == [
        ("Norma.adelante", "right"),
        ("Norma.atras", "right"),
    ]
    assert said(APART.replace("dY - dY.mean(0)", "dY")) == ["mean-path-missing"]


def test_methods_that_a_decorator_attaches_belong_to_their_class() -> None:
    book = APART.replace("def adelante", "@d2l.add_to_class(Norma)\ndef forward").replace(
        "Norma.adelante = adelante\n", ""
    )
    book = book.replace("import numpy as np", "import numpy as np\nfrom d2l import torch as d2l")
    notes = book.replace("@d2l.add_to_class(Norma)", "@patch").replace("forward(self,", "forward(self: Norma,")
    for source in (book, notes):
        assert [one["name"] for one in diagnose_source(source)["functions"]] == ["Norma.forward", "Norma.atras"]
        assert said(source) == []


DEZERO = """
import numpy as np
from dezero.core import Function

class BatchNorm(Function):
    def __init__(self, mean, var, decay, eps):
        self.avg_mean, self.avg_var, self.decay, self.eps = mean, var, decay, eps

    def forward(self, x, gamma, beta):
        mean, var, n = x.mean(axis=0), x.var(axis=0), len(x)
        self.inv_std = 1 / np.sqrt(var + self.eps)
        self.xc, self.gamma = (x - mean) * self.inv_std, gamma
        self.avg_mean *= self.decay
        self.avg_mean += (1 - self.decay) * mean
        self.avg_var *= self.decay
        self.avg_var += (1 - self.decay) * var * n / (n - 1)
        return gamma * self.xc + beta
"""


def test_a_class_that_is_made_with_its_statistics_has_no_mode_by_a_base_that_is_not_here() -> None:
    assert said(DEZERO) == []
    assert said(DEZERO.replace("var * n / (n - 1)", "np.sqrt(var)")) == ["running-std-stored"]


def test_what_a_layer_builds_at_its_first_call_is_built_once_whatever_remembers_it() -> None:
    layer = """
import numpy as np

class Couche:
    construite = False
    def __call__(self, x, training=False):
        if not self.construite:
            self.build(x.shape)
            self.construite = True
        return self.call(x, training)

class BatchNormalization(Couche):
    def build(self, shape):
        self.gamma, self.beta = np.ones(shape[-1]), np.zeros(shape[-1])
        self.moving_mean, self.moving_variance = np.zeros(shape[-1]), np.ones(shape[-1])
    def call(self, x, training):
        m, v = (x.mean(0), x.var(0)) if training else (self.moving_mean, self.moving_variance)
        if training:
            self.moving_mean = 0.9 * self.moving_mean + 0.1 * m
            self.moving_variance = 0.9 * self.moving_variance + 0.1 * v
        return self.gamma * (x - m) / np.sqrt(v + 1e-3) + self.beta
"""
    assert said(layer) == []
    assert said(layer.replace("0.1 * v", "0.1 * np.sqrt(v)")) == ["running-std-stored"]


def test_statistics_in_an_object_of_the_file_are_found() -> None:
    held = PLAIN.replace("from .module import Module\n", "class State:\n    pass\n").replace("(Module)", "")
    held = held.replace("        super().__init__()\n", "        self.state, self.training = State(), True\n")
    for name, new in (("mean", "running_mean"), ("var", "running_var")):
        held = held.replace(f"self.{name}", f"self.state.{new}")
    assert said(held) == []
    assert said(held.replace("(1 - self.alpha) * v", "(1 - self.alpha) * v ** 0.5")) == ["running-std-stored"]
