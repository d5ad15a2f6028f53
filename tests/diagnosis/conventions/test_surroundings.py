"""Functions of x alone: gamma and beta are globals of a notebook, or variables of the function around them."""

import pytest

from bncourse.diagnosis.conventions import diagnose_source

GLOBALS = """
import numpy as np
gamma, beta = np.ones(3), np.zeros(3)
eps = 1e-5

def forward(x):
    global std, x_hat
    std = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / std
    return gamma * x_hat + beta

def backward(dout):
    g = dout * gamma
    dx = (g - g.mean(0) - x_hat * (g * x_hat).mean(0)) / std
    return dx, (dout * x_hat).sum(0), dout.sum(0)
"""
CLOSURE = """
import numpy as np

def make_batchnorm(width, eps=1e-5):
    gamma, beta, kept = np.ones(width), np.zeros(width), {}

    def forward(x):
        kept["std"] = np.sqrt(x.var(axis=0) + eps)
        kept["x_hat"] = (x - x.mean(axis=0)) / kept["std"]
        return gamma * kept["x_hat"] + beta

    def backward(dout):
        g, x_hat = dout * gamma, kept["x_hat"]
        dx = (g - g.mean(0) - x_hat * (g * x_hat).mean(0)) / kept["std"]
        return dx, (dout * x_hat).sum(0), dout.sum(0)

    return forward, backward
"""


@pytest.mark.parametrize("source", [GLOBALS, CLOSURE])
def test_what_stands_around_a_function_is_given_to_it(source: str) -> None:
    report = diagnose_source(source)
    assert [one["status"] for one in report["functions"]] == ["right", "right"]
    for old, new, belief in (
        ("g - g.mean(0) -", "g -", "mean-path-missing"),
        ("np.sqrt(x.var(axis=0) + eps)", "(np.sqrt(x.var(axis=0)) + eps)", "eps-outside-root"),
        ("dout * gamma", "dout", "dx-gamma-missing"),
    ):
        found = [
            each["belief"] for one in diagnose_source(source.replace(old, new))["functions"] for each in one["findings"]
        ]
        assert belief in found
