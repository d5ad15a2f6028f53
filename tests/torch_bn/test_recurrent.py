import numpy as np
import pytest
import torch

import bncourse.numpy_bn
from bncourse.torch_bn import (
    CellParameters,
    PerStepStatistics,
    RunningStatistics,
    lstm_step_backward,
    lstm_step_forward,
    lstm_step_inference,
)

EPS = 0.1


def sample(samples=5, inputs=3, hidden=2, seed=0):
    torch.manual_seed(seed)
    shapes = [(4 * hidden, inputs), (4 * hidden, hidden), *[(4 * hidden,)] * 3, *[(hidden,)] * 2]
    parameters = CellParameters(*(torch.randn(shape, dtype=torch.float64) for shape in shapes))
    x = torch.randn(samples, inputs, dtype=torch.float64)
    h, c = torch.randn(2, samples, hidden, dtype=torch.float64)
    return x, h, c, parameters


@pytest.mark.parametrize("sizes", [(5, 3, 2), (7, 2, 4)])
def test_equals_autograd_and_the_twin(sizes):
    x, h, c, parameters = sample(*sizes)
    inputs = [tensor.requires_grad_() for tensor in (x, h, c, *parameters)]
    dh, dc = torch.randn(2, *h.shape, dtype=torch.float64)
    state, cache = lstm_step_forward(x, h, c, parameters, eps=EPS)
    gradients = lstm_step_backward(dh, dc, cache)
    traced = torch.autograd.grad(state, inputs, (dh, dc))
    arrays = [tensor.detach().numpy() for tensor in inputs]
    twin_parameters = bncourse.numpy_bn.CellParameters(*arrays[3:])
    twin_state, twin_cache = bncourse.numpy_bn.lstm_step_forward(*arrays[:3], twin_parameters, eps=EPS)
    twin = bncourse.numpy_bn.lstm_step_backward(dh.numpy(), dc.numpy(), twin_cache)
    for found, wanted in zip(state, twin_state, strict=True):
        np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=0, atol=1e-14)
    ours = (*gradients[:3], *gradients.parameters)
    for found, by_autograd, by_twin in zip(ours, traced, (*twin[:3], *twin.parameters), strict=True):
        torch.testing.assert_close(found, by_autograd, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(found.detach().numpy(), by_twin, rtol=1e-11, atol=1e-13)


def test_inference_equals_the_twin():
    x, h, c, parameters = sample()
    running = [RunningStatistics(size) for size in (8, 8, 2)]
    twin_running = [bncourse.numpy_bn.RunningStatistics(size) for size in (8, 8, 2)]
    for ours, theirs in zip(running, twin_running, strict=True):
        ours.mean.normal_()
        ours.var.uniform_(0.5, 2.0)
        theirs.mean[...], theirs.var[...] = ours.mean.numpy(), ours.var.numpy()
    found = lstm_step_inference(x, h, c, parameters, tuple(running), eps=EPS)
    twin_parameters = bncourse.numpy_bn.CellParameters(*(value.numpy() for value in parameters))
    expected = bncourse.numpy_bn.lstm_step_inference(
        x.numpy(), h.numpy(), c.numpy(), twin_parameters, tuple(twin_running), eps=EPS
    )
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(value.numpy(), wanted, rtol=0, atol=1e-14)


def test_every_time_step_has_its_own_statistics_and_late_ones_share_the_last():
    statistics = PerStepStatistics(2, 3, momentum=1.0)
    for step in range(4):
        statistics.at(step).update(torch.full((2,), float(step)), torch.ones(2), 5)
    assert [statistics.at(step).mean[0].item() for step in range(5)] == [0.0, 1.0, 3.0, 3.0, 3.0]


def test_what_does_not_fit_is_refused():
    x, h, c, parameters = sample()
    with pytest.raises(ValueError, match=r"c has shape \(4, 2\), but x has shape \(5, 3\) and h has 2 features"):
        lstm_step_forward(x, h, c[:4], parameters)
    with pytest.raises(ValueError, match=r"gamma_c has shape \(1,\), but x has shape \(5, 3\)"):
        lstm_step_inference(
            x, h, c, parameters._replace(gamma_c=parameters.gamma_c[:1]), tuple(RunningStatistics(8) for _ in range(3))
        )
    _, cache = lstm_step_forward(x, h, c, parameters)
    with pytest.raises(ValueError, match=r"dh has shape \(4, 2\)"):
        lstm_step_backward(h[:4], c, cache)
    with pytest.raises(ValueError, match=r"dc has shape \(4, 2\)"):
        lstm_step_backward(h, c[:4], cache)
    with pytest.raises(ValueError, match=r"max_steps is 0"):
        PerStepStatistics(2, 0)
    with pytest.raises(ValueError, match=r"step is -1"):
        PerStepStatistics(2, 1).at(-1)
