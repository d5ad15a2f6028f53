"""What the library would do for a student is named, however it is reached; what the master does itself is not."""

import ast

import pytest

from bncourse.grading.submissions.library_shortcuts import shortcuts

MASTER = [ast.parse("import torch\nlayer = torch.nn.LayerNorm(3)\ny = torch.nn.functional.conv2d(x, w)")]


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("y = torch.nn.functional.batch_norm(x, None, None, training=True)", ["batch_norm"]),
        ("from torch.nn.functional import batch_norm as plain", ["batch_norm"]),
        ("layer = torch.nn.BatchNorm2d(3)", ["BatchNorm2d"]),
        ("y = torch.ops.aten.native_batch_norm.default(x)", ["native_batch_norm"]),
        ("y = getattr(torch, 'batch_norm')(x)", ["batch_norm"]),
        ("with torch.enable_grad():\n    pull = torch.func.vjp(f, x)", ["enable_grad", "vjp"]),
        ("fused = torch.nn.utils.fusion.fuse_conv_bn_eval(a, b)", ["fuse_conv_bn_eval"]),
    ],
)
def test_a_shortcut_is_named(source: str, named: list[str]) -> None:
    assert shortcuts(ast.parse(source), MASTER) == named


@pytest.mark.parametrize(
    "source",
    [
        "layer = torch.nn.LayerNorm(3)",
        "class BatchNorm2d:\n    pass\n\n\ndef batch_norm(x):\n    return x",
        "n = torch.linalg.norm(x) + torch.linalg.vector_norm(x)",
        "text = 'batch_norm'",
    ],
)
def test_what_the_master_uses_and_what_is_the_students_own_is_no_shortcut(source: str) -> None:
    assert shortcuts(ast.parse(source), MASTER) == []
