"""Which functions of a file belong to a normalization."""

from bncourse.diagnosis.conventions import diagnose_source

THREE = """
import numpy as np

def batch_norm_fwd(h, gamma, beta, eps=1e-5):
    mu, var = h.mean(0), h.var(0)
    hn = (h - mu) / np.sqrt(var + eps)
    return gamma * hn + beta, (hn, var, eps, gamma)

def bwd_graph(dy, c):
    hn, var, eps, gamma = c
    g = dy * gamma
    return (g - g.mean(0) - hn * (g * hn).mean(0)) / np.sqrt(var + eps), (dy * hn).sum(0), dy.sum(0)

def bwd_short(dy, c):
    hn, var, eps, gamma = c
    dx = gamma * (dy - dy.mean(0) - hn * (dy * hn).mean(0)) / np.sqrt(var + eps)
    return dx, (dy * hn).sum(0), dy.sum(0)

def softmax_bwd(dy, c):
    return c * (dy - (dy * c).sum(1, keepdims=True))
"""


def test_backward_passes_of_other_names_belong_to_the_only_forward_pass() -> None:
    report = diagnose_source(THREE)
    assert [one["name"] for one in report["functions"]] == ["batch_norm_fwd", "bwd_graph", "bwd_short"]
    assert report["status"] == "right"
    report = diagnose_source(THREE.replace("(dy - dy.mean(0) - hn", "(dy - hn"))
    assert [one["status"] for one in report["functions"]] == ["right", "right", "mistaken"]


def test_what_cannot_be_read_leaves_the_rest_of_the_file_as_it_is() -> None:
    class_ = "class BatchNorm:\n    __signature__ = 3\n    def forward(self, x): return x\n"
    decorated = "@print\ndef layer_norm_forward(x, gamma, beta): return x\n"
    report = diagnose_source(f"{class_}\n{decorated}\n{THREE}")
    assert [one["status"] for one in report["functions"] if one["name"].startswith("b")][-3:] == ["right"] * 3
    assert "unreadable" in [one["status"] for one in report["functions"]]
