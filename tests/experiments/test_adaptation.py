import numpy as np
import torch
from torch.nn.functional import max_pool2d

from bncourse.experiments.adaptation import TURN, entropy_minimized, turned
from bncourse.experiments.networks import mlp, normalizations

REPORTED = {"part": "reported"}


def test_statistics_of_the_new_kind_undo_a_change_of_the_light(quick):
    result = quick("adaptation")
    clean = result.values("clean_before", **REPORTED)
    before, *after = (result.values(f"uneven_{way}", **REPORTED) for way in ("before", "batch", "recomputed"))
    assert (before < clean - 0.2).all()
    assert all((values > clean - 0.1).all() for values in after)


def test_a_turn_is_the_given_angle_about_the_middle():
    x = torch.zeros(1, 1, 101, 101)
    x[0, 0, 50, 90] = 1.0  # 40 to the right of the middle
    y = turned(max_pool2d(x, 3, stride=1, padding=1), torch.Generator())[0, 0]
    row, column = (float((y * torch.arange(101.0).reshape(shape)).sum() / y.sum()) - 50 for shape in ((-1, 1), (1, -1)))
    np.testing.assert_allclose([row, column], [-40 * np.sin(TURN), 40 * np.cos(TURN)], rtol=0, atol=0.2)


def test_only_gamma_and_beta_follow_the_entropy_and_a_rate_of_zero_leaves_them():
    torch.manual_seed(0)
    model, x, y = mlp(4, (8,), norm="batch", classes=3), torch.randn(40, 4), torch.randint(0, 3, (40,))
    before = {name: value.clone() for name, value in model.named_parameters()}
    entropy_minimized(model, x, y, 0.0, 20)
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())
    entropy_minimized(model, x, y, 0.1, 20)
    moved = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    affine = [id(p) for layer in normalizations(model) for p in (layer.weight, layer.bias)]
    assert moved == {name for name, p in model.named_parameters() if id(p) in affine}
