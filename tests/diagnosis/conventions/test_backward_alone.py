"""A notebook whose forward pass stands in no function: its backward pass is judged by what it is given."""

import pytest

from bncourse.diagnosis.conventions import diagnose_source

NUMPY = """
import numpy as np

x = np.loadtxt("data.csv")
mean, var = x.mean(0), x.var(0)
x_hat = (x - mean) / np.sqrt(var + 1e-5)

def bn_backward(dout, x_hat, inv_std, gamma):
    dbeta, dgamma = dout.sum(0), (dout * x_hat).sum(0)
    n = len(dout)
    dx = gamma * inv_std / n * (n * dout - dbeta - x_hat * dgamma)
    return dx, dgamma, dbeta
"""
NINJA = """
import torch
n = 32
hpreact = bngain * bnraw + bnbias

def bn_backward(dhpreact, bnraw, bnvar_inv, bngain):
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))
"""


@pytest.mark.parametrize(("source", "differences"), [(NUMPY, 0), (NINJA, 1)])
def test_a_right_backward_pass_passes_alone(source: str, differences: int) -> None:
    (report,) = diagnose_source(source)["functions"]
    assert report["status"] == "right"
    assert "tried with a right one" in report["notes"][0]
    assert len(report["differences"]) == differences


@pytest.mark.parametrize(
    ("source", "old", "new", "belief"),
    [
        (NUMPY, "- dbeta", "", "mean-path-missing"),
        (NUMPY, "(dout * x_hat).sum(0)", "(dout * x_hat).mean(0)", "dgamma-mean"),
        (NINJA, "bngain * bnvar_inv", "bnvar_inv", "dx-gamma-missing"),
    ],
)
def test_its_mistakes_are_named(source: str, old: str, new: str, belief: str) -> None:
    (report,) = diagnose_source(source.replace(old, new))["functions"]
    assert belief in [found["belief"] for found in report["findings"]]


def test_one_that_takes_a_cache_of_its_own_cannot_be_looked_at_and_this_is_said() -> None:
    source = NUMPY.replace("x_hat, inv_std, gamma):", "cache):\n    x_hat, inv_std, gamma = cache")
    (report,) = diagnose_source(source)["functions"]
    assert report["status"] == "unreadable"
    assert "forward pass was not found" in report["reason"]
