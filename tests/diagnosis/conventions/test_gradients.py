"""Backward passes that are given more than a cache, all that came back, or what they do not use."""

import pytest

from bncourse.diagnosis.conventions import diagnose_source

FORWARD = """
import numpy as np

def bn_fwd(X, gamma, beta, eps=1e-5):
    mu, var = X.mean(0), X.var(0)
    X_norm = (X - mu) / np.sqrt(var + eps)
    out = gamma * X_norm + beta
    return RETURNED

def bn_bwd(TAKEN):
    UNPACKED
    std = np.sqrt(var + eps)
    dX = gamma / std * (dout - dout.mean(0) - X_norm * (dout * X_norm).mean(0))
    return dX, (dout * X_norm).sum(0), dout.sum(0)
"""


@pytest.mark.parametrize(
    ("returned", "taken", "unpacked"),
    [
        ("out, X_norm, var, gamma, eps", "dout, saved", "out, X_norm, var, gamma, eps = saved"),
        ("out, X_norm, var, gamma, eps", "dout, saved", "X_norm, var, gamma, eps = saved"),
        ("out, (X_norm, var, gamma, eps), (mu, var)", "dout, res", "X_norm, var, gamma, eps = res"),
        ("out, (X_norm, var, gamma, eps)", "layer, res, dout", "X_norm, var, gamma, eps = res"),
    ],
)
def test_a_backward_pass_gets_what_it_unpacks(returned: str, taken: str, unpacked: str) -> None:
    source = FORWARD.replace("RETURNED", returned).replace("TAKEN", taken).replace("UNPACKED", unpacked)
    report = diagnose_source(source)
    assert [one["status"] for one in report["functions"]] == ["right", "right"]
    wrong = diagnose_source(source.replace("dout - dout.mean(0) -", "dout -"))
    assert [found["belief"] for found in wrong["functions"][1]["findings"]] == ["mean-path-missing"]
