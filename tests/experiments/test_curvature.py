import numpy as np
import torch
from torch import nn

from bncourse.experiments.curvature import largest_eigenvalue
from bncourse.experiments.networks import mlp
from bncourse.experiments.training import Tensors


def made_up(inputs):
    torch.manual_seed(0)
    x, y = torch.randn(40, inputs), torch.randint(0, 3, (40,))
    return Tensors(x, y, x, y)


def test_power_iteration_finds_the_eigenvalue_of_the_whole_hessian():
    data, model = made_up(4), nn.Linear(4, 3)

    def loss(flat):
        weight, bias = flat[:12].view(3, 4), flat[12:]
        return nn.functional.cross_entropy(data.x_train @ weight.T + bias, data.y_train)

    flat = torch.cat([p.detach().flatten() for p in model.parameters()])
    expected = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, flat))[-1].item()
    np.testing.assert_allclose(largest_eigenvalue(model, data, 100), expected, rtol=1e-3, atol=0)


def test_a_look_at_the_curvature_leaves_the_running_statistics_alone():
    data, model = made_up(4), mlp(4, (8,), norm="batch", classes=3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    largest_eigenvalue(model, data, 3)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_a_run_keeps_its_curvature_beside_the_limit(quick):
    result = quick("curvature")
    for norm in ("none", "batch"):
        assert result.values("eigenvalues", norm=norm, rate=0.3).shape == (3, 3)
        assert np.isfinite(result.values("against_limit", norm=norm, rate=0.3)).all()
