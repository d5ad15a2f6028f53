import torch

from bncourse.experiments.adaptation import entropy_minimized
from bncourse.experiments.networks import mlp, normalizations

REPORTED = {"part": "reported"}


def test_recomputed_statistics_undo_a_change_of_contrast(quick):
    result = quick("adaptation")
    before, after = (result.values(f"faint_{way}", **REPORTED) for way in ("before", "recomputed"))
    assert (after > before + 0.2).all()


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
