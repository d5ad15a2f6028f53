"""What an optimizer and a second backward pass find in a module: tensors without a gradient, graphs that are kept."""

import pytest

from bncourse.diagnosis.conventions import diagnose_source

MODULE = """
import torch
from torch import nn
class BatchNorm(nn.Module):
    def __init__(self, width, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.gamma = nn.Parameter(torch.ones(width))
        self.beta = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(SHAPE))
        self.register_buffer("running_var", torch.ones(SHAPE))
    def forward(self, x):
        if self.training:
            mean, var = x.mean(AXES), x.var(AXES, unbiased=False)
            self.running_mean = self.running_mean + self.momentum * (mean.detach() - self.running_mean)
            self.running_var = self.running_var + self.momentum * (x.var(AXES).detach() - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        return self.gamma * (x - mean) / torch.sqrt(var + self.eps) + self.beta
"""
TABLES = MODULE.replace("AXES", "0").replace("SHAPE", "width")
MAPS = (
    MODULE.replace("(AXES", "((0, 2, 3), keepdim=True").replace("SHAPE", "1, width, 1, 1").replace("Norm(", "Norm2d(")
)


def said(source: str) -> list[str | None]:
    report = diagnose_source(source)
    assert report["status"] != "unreadable", report
    return [found["belief"] for one in report["functions"] for found in one["findings"]]


@pytest.mark.parametrize(
    ("old", "new", "beliefs"),
    [
        ("", "", []),
        ("nn.Parameter(torch.ones(width))", "torch.ones(width)", ["tensors-not-parameters"]),
        ("nn.Parameter(torch.zeros(width))", "torch.zeros(width)", ["tensors-not-parameters"]),
        ("nn.Parameter(torch.ones(width))", "torch.ones(width, requires_grad=True)", ["tensors-not-parameters"]),
        (".detach()", "", ["running-graph-kept"]),
    ],
)
def test_what_no_optimizer_trains_and_what_keeps_a_graph_is_named(old: str, new: str, beliefs: list[str]) -> None:
    assert said(TABLES.replace(old, new)) == beliefs


def test_gamma_that_meets_the_columns_of_a_feature_map_is_named_although_it_raises() -> None:
    assert said(MAPS) == ["conv-gamma-on-columns"]
    lies = MAPS.replace("self.gamma *", "self.gamma[:, None, None] *").replace(
        "+ self.beta", "+ self.beta[:, None, None]"
    )
    assert said(lies) == []
