"""Classes of static passes on a context: one of the file's own, or one that is not here."""

import pytest

from bncourse.diagnosis.conventions import diagnose_source

OWN = """
import numpy as np

class Context:
    def save_for_backward(self, *values): self.saved = values

class Function:
    @classmethod
    def apply(cls, *arguments):
        ctx = Context()
        return cls.forward(ctx, *arguments), ctx

class BatchNorm(Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps=1e-5):
        std = np.sqrt(x.var(0) + eps)
        x_hat = (x - x.mean(0)) / std
        ctx.save_for_backward(x_hat, gamma, std)
        return gamma * x_hat + beta

    @staticmethod
    def backward(ctx, dy):
        x_hat, gamma, std = ctx.saved
        g = dy * gamma
        return (g - g.mean(0) - x_hat * (g * x_hat).mean(0)) / std, (dy * x_hat).sum(0), dy.sum(0)
"""
ELSEWHERE = "import numpy as np\nfrom mytorch.autograd import Function\n" + OWN[OWN.index("class BatchNorm") :].replace(
    "ctx.saved\n", "ctx.saved_tensors\n"
)


@pytest.mark.parametrize("source", [OWN, ELSEWHERE])
def test_static_passes_are_called_with_a_context(source: str) -> None:
    report = diagnose_source(source)
    assert [(one["name"], one["status"]) for one in report["functions"]] == [
        ("BatchNorm", "right"),
        ("BatchNorm.backward", "right"),
    ]
    wrong = diagnose_source(source.replace("g - g.mean(0) -", "g -"))
    assert [found["belief"] for found in wrong["functions"][1]["findings"]] == ["mean-path-missing"]
