import numpy as np
import pytest
import torch

from bncourse.gradcheck import check_vjp
from bncourse.numpy_bn import (
    CellParameters,
    PerStepStatistics,
    RunningStatistics,
    batch_moments,
    lstm_step_backward,
    lstm_step_forward,
    lstm_step_inference,
)

EPS = 0.1
NAMES = ["x", "h", "c", *CellParameters._fields]


def sample(samples=5, inputs=3, hidden=2, seed=0):
    rng = np.random.default_rng(seed)
    shapes = [(4 * hidden, inputs), (4 * hidden, hidden), *[(4 * hidden,)] * 3, *[(hidden,)] * 2]
    parameters = CellParameters(*(rng.standard_normal(shape) for shape in shapes))
    x = rng.standard_normal((samples, inputs))
    h, c = rng.standard_normal((2, samples, hidden))
    return x, h, c, parameters


def oracle(x, h, c, weight_x, weight_h, bias, gamma_x, gamma_h, gamma_c, beta_c):
    """The published equations with PyTorch's own batch norm and gates."""

    def normalize(value, gamma, beta=None):
        return torch.nn.functional.batch_norm(value, None, None, gamma, beta, training=True, eps=EPS)

    gates = normalize(x @ weight_x.T, gamma_x) + normalize(h @ weight_h.T, gamma_h) + bias
    i, f, g, o = gates.chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * normalize(c, gamma_c, beta_c).tanh(), c


@pytest.mark.parametrize("sizes", [(5, 3, 2), (2, 1, 1), (7, 2, 4)])
def test_equals_pytorch_forward_and_backward(sizes):
    x, h, c, parameters = sample(*sizes)
    tensors = [torch.tensor(array, requires_grad=True) for array in (x, h, c, *parameters)]
    rng = np.random.default_rng(1)
    dh, dc = rng.standard_normal((2, *h.shape))
    expected = oracle(*tensors)
    torch.autograd.backward(expected, [torch.tensor(dh), torch.tensor(dc)])
    found, cache = lstm_step_forward(x, h, c, parameters, eps=EPS)
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, wanted.detach().numpy(), rtol=0, atol=1e-14)
    dx, dh_before, dc_before, dparameters = lstm_step_backward(dh, dc, cache)
    for gradient, tensor in zip((dx, dh_before, dc_before, *dparameters), tensors, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-11, atol=1e-13)


def test_two_steps_of_backward_are_the_derivative_by_complex_step():
    x, h, c, parameters = sample(seed=2)
    second = sample(seed=3)[0]

    def forward(x, h, c, *parameters):
        state, first_cache = lstm_step_forward(x, h, c, CellParameters(*parameters), eps=EPS)
        state, cache = lstm_step_forward(second, *state, CellParameters(*parameters), eps=EPS)
        return np.concatenate(state), (first_cache, cache)

    def backward(dy, caches):
        dh, dc = np.split(dy, 2)
        last = lstm_step_backward(dh, dc, caches[1])
        first = lstm_step_backward(last.dh, last.dc, caches[0])
        sums = [one + other for one, other in zip(first.parameters, last.parameters, strict=True)]
        return first.dx, first.dh, first.dc, *sums

    check_vjp(forward, backward, [x, h, c, *parameters], names=NAMES, method="complex")


def test_extreme_sums_saturate_without_overflow():
    x, h, c, parameters = sample()
    parameters = parameters._replace(bias=np.full(8, 1e4) * np.array([1, -1] * 4))
    with np.errstate(all="raise"):
        (h_next, c_next), _ = lstm_step_forward(x, h, c, parameters, eps=EPS)
    assert np.isfinite(h_next).all()
    assert np.isfinite(c_next).all()


def test_the_cache_holds_the_moments_of_what_was_normalized():
    x, h, c, parameters = sample()
    (_, c_next), cache = lstm_step_forward(x, h, c, parameters, eps=EPS)
    inputs = (x @ parameters.weight_x.T, h @ parameters.weight_h.T, c_next)
    for found, value in zip(cache.moments, inputs, strict=True):
        np.testing.assert_array_equal(found.mean, batch_moments(value).mean)
        np.testing.assert_array_equal(found.var, batch_moments(value).var)
        assert found.count == 5


def test_inference_with_the_batchs_own_statistics_is_the_training_step():
    x, h, c, parameters = sample()
    expected, cache = lstm_step_forward(x, h, c, parameters, eps=EPS)
    statistics = []
    for mean, var, _ in cache.moments:
        running = RunningStatistics(len(mean))
        running.mean, running.var = mean, var
        statistics.append(running)
    found = lstm_step_inference(x, h, c, parameters, tuple(statistics), eps=EPS)
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=0, atol=1e-14)
    alone = lstm_step_inference(x[:1], h[:1], c[:1], parameters, tuple(statistics), eps=EPS)
    np.testing.assert_allclose(alone[0], found[0][:1], rtol=0, atol=1e-14)


def test_every_time_step_has_its_own_statistics_and_late_ones_share_the_last():
    statistics = PerStepStatistics(2, 3, momentum=1.0)
    for step in range(4):
        statistics.at(step).update(np.full(2, float(step)), np.ones(2), 5)
    assert [statistics.at(step).mean[0] for step in range(5)] == [0.0, 1.0, 3.0, 3.0, 3.0]
    assert [statistics.at(step).num_batches for step in range(3)] == [1, 1, 2]


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_part_that_does_not_fit_is_refused(name):
    x, h, c, parameters = sample()
    arguments = dict(zip(NAMES, (x, h, c, *parameters), strict=True))
    shape = arguments[name].shape
    arguments[name] = np.ones((shape[0] + 1, *shape[1:]))
    x, h, c, *rest = arguments.values()
    statistics = (RunningStatistics(8), RunningStatistics(8), RunningStatistics(2))
    for act in (
        lambda: lstm_step_forward(x, h, c, CellParameters(*rest)),
        lambda: lstm_step_inference(x, h, c, CellParameters(*rest), statistics),
    ):
        with pytest.raises(ValueError) as caught:
            act()
        assert str(caught.value) == (
            f"{name} has shape {arguments[name].shape}, but x has shape (5, 3) and h has 2 features. "
            f"Expected {shape}; the four gates i, f, g, o lie one after another on the first axis."
        )


def test_whole_sequences_and_wrong_cotangents_and_times_are_refused():
    x, h, c, parameters = sample()
    with pytest.raises(ValueError, match=r"x has shape \(1, 5, 3\) .* Loop over the steps of a sequence"):
        lstm_step_forward(x[None], h, c, parameters)
    _, cache = lstm_step_forward(x, h, c, parameters)
    with pytest.raises(ValueError, match=r"dh has shape \(4, 2\), but the forward pass's h has shape \(5, 2\)"):
        lstm_step_backward(h[:4], c, cache)
    with pytest.raises(ValueError, match=r"dc has shape \(4, 2\), but the forward pass's c has shape \(5, 2\)"):
        lstm_step_backward(h, c[:4], cache)
    with pytest.raises(ValueError, match=r"max_steps is 0\. Expected 1 or more"):
        PerStepStatistics(2, 0)
    with pytest.raises(ValueError, match=r"step is -1\. Expected 0 for the first time step"):
        PerStepStatistics(2, 1).at(-1)
