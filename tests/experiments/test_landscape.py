import numpy as np
import torch

from bncourse.experiments.landscape import walk
from bncourse.experiments.training import tensors


def test_with_batch_norm_the_loss_spreads_less_along_the_gradient(quick):
    result = quick("landscape")
    for name in ("loss_spread", "gradient_change"):
        assert result.difference(name, {"norm": "none", "rate": 1.0}, {"norm": "batch", "rate": 1.0}).low > 0.0


def test_a_walk_leaves_the_model_where_it_was():
    data = tensors("digits", train=50)
    model = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(64, 20), torch.nn.BatchNorm1d(20), torch.nn.Linear(20, 10)
    )
    before = {name: value.clone() for name, value in model.state_dict().items()}
    walk(model, data, np.arange(20), [0.1, 0.2])
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_a_quadratic_has_the_same_smoothness_everywhere(monkeypatch):
    from bncourse.experiments import landscape

    model = torch.nn.Linear(1, 1, bias=False)
    monkeypatch.setattr(landscape, "cross_entropy", lambda y, labels: 1.5 * (y**2).mean())
    data = tensors("digits")._replace(x_train=torch.ones(4, 1), y_train=torch.zeros(4, dtype=torch.long))
    found = walk(model, data, np.arange(4), [0.1, 0.2])
    np.testing.assert_allclose(found["beta"], 3.0, rtol=1e-4, atol=0)
