import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bncourse.gradcheck import check_vjp
from bncourse.numpy_bn import (
    batch_norm_backward,
    batch_norm_forward,
    normalize_backward,
    normalize_forward,
)

KINDS = [("batch", None), ("layer", None), ("instance", None), ("group", 2)]
SHAPES = [(4, 6, 5), (3, 6, 2, 5), (2, 4, 3, 2, 2)]
EPS = 0.1


def sample(shape, seed=0):
    rng = np.random.default_rng(seed)
    x = 3.0 + 2.0 * rng.standard_normal(shape)
    return x, rng.standard_normal(shape[1]), rng.standard_normal(shape[1]), rng.standard_normal(shape)


def oracle(x, gamma, beta, kind, groups):
    if kind == "batch":
        return torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=EPS)
    if kind == "instance":
        return torch.nn.functional.instance_norm(x, weight=gamma, bias=beta, eps=EPS)
    return torch.nn.functional.group_norm(x, groups or 1, gamma, beta, eps=EPS)


@pytest.mark.parametrize(("kind", "groups"), KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_kind_equals_pytorch_forward_and_backward(kind, groups, shape):
    x, gamma, beta, dy = sample(shape)
    tensors = [torch.tensor(array, requires_grad=True) for array in (x, gamma, beta)]
    expected = oracle(*tensors, kind, groups)
    expected.backward(torch.tensor(dy))
    y, cache = normalize_forward(x, gamma, beta, kind=kind, groups=groups, eps=EPS)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=0, atol=1e-13)
    for found, tensor in zip(normalize_backward(dy, cache), tensors, strict=True):
        np.testing.assert_allclose(found, tensor.grad.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("kind", "groups"), KINDS)
def test_backward_is_the_derivative_by_complex_step(kind, groups):
    x, gamma, beta, _ = sample((4, 6, 5), seed=1)

    def forward(*inputs):
        return normalize_forward(*inputs, kind=kind, groups=groups, eps=EPS)

    check_vjp(forward, normalize_backward, [x, gamma, beta], names=["x", "gamma", "beta"], method="complex")


def test_layer_norm_of_vectors_is_that_of_pytorch_with_elementwise_parameters():
    x, gamma, beta, _ = sample((5, 7))
    y, _ = normalize_forward(x, gamma, beta, kind="layer", eps=EPS)
    expected = torch.nn.functional.layer_norm(
        *map(torch.tensor, (x,)), (7,), torch.tensor(gamma), torch.tensor(beta), EPS
    )
    np.testing.assert_allclose(y, expected.numpy(), rtol=0, atol=1e-13)


def test_kind_batch_is_batch_norm():
    x, gamma, beta, dy = sample((4, 3, 5))
    y, cache = normalize_forward(x, gamma, beta, kind="batch", eps=EPS)
    expected, expected_cache = batch_norm_forward(x, gamma, beta, eps=EPS)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-14)
    for found, wanted in zip(normalize_backward(dy, cache), batch_norm_backward(dy, expected_cache), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-13)


def test_one_group_is_layer_norm_and_a_group_per_channel_is_instance_norm():
    x, gamma, beta, _ = sample((2, 6, 3, 4))
    group = [normalize_forward(x, gamma, beta, kind="group", groups=groups, eps=EPS)[0] for groups in (1, 6)]
    layer = normalize_forward(x, gamma, beta, kind="layer", eps=EPS)[0]
    instance = normalize_forward(x, gamma, beta, kind="instance", eps=EPS)[0]
    np.testing.assert_allclose(group[0], layer, rtol=0, atol=1e-14)
    np.testing.assert_allclose(group[1], instance, rtol=0, atol=1e-14)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    kind=st.sampled_from(KINDS),
    samples=st.integers(2, 5),
    length=st.integers(2, 5),
)
def test_only_batch_norm_depends_on_batch_mates(seed, kind, samples, length):
    name, groups = kind
    x, gamma, beta, _ = sample((samples, 4, length), seed)
    full = normalize_forward(x, gamma, beta, kind=name, groups=groups, eps=EPS)[0]
    alone = normalize_forward(x[:1], gamma, beta, kind=name, groups=groups, eps=EPS)[0]
    difference = np.abs(full[:1] - alone).max()
    if name == "batch":
        assert difference > 1e-6
    else:
        assert difference <= 1e-12


def test_layer_norm_of_a_negative_multiple_is_not_layer_norm():
    x, gamma, beta, _ = sample((3, 6))
    beta = 0 * beta
    plus = normalize_forward(2 * x, gamma, beta, kind="layer", eps=0.0)[0]
    minus = normalize_forward(-2 * x, gamma, beta, kind="layer", eps=0.0)[0]
    expected = normalize_forward(x, gamma, beta, kind="layer", eps=0.0)[0]
    np.testing.assert_allclose(plus, expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(minus, -expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((4, 6, 5), {"kind": "Layer"}, 'kind is \'Layer\'. Expected "batch", "layer", "instance" or "group".'),
        (
            (4, 6, 5),
            {"kind": "group", "groups": 4},
            "groups is 4, but x has 6 channels (axis 1 of shape (4, 6, 5)). "
            "Expected a divisor of 6; 1 is layer normalization, 6 is instance normalization.",
        ),
        ((4, 6, 5), {"kind": "group"}, "groups is None, but x has 6 channels"),
        ((4, 6, 5), {"kind": "group", "groups": 0}, "groups is 0, but x has 6 channels"),
        ((4, 6, 5), {"kind": "layer", "groups": 2}, "groups is 2, but kind is 'layer'. Expected None"),
        ((4, 6), {"kind": "instance"}, "x has shape (4, 6) and kind is 'instance': one value per mean"),
        ((4, 6), {"kind": "group", "groups": 6}, "use another kind or fewer groups."),
        ((1, 6), {"kind": "batch"}, "x has shape (1, 6) and kind is 'batch': one value per mean"),
        ((4, 1), {"kind": "layer"}, "x has shape (4, 1) and kind is 'layer': one value per mean"),
        ((4, 6, 5), {"kind": "layer", "eps": -1.0}, "eps is -1.0"),
    ],
)
def test_a_wrong_choice_is_refused_with_a_way_out(shape, options, message):
    x, gamma, beta, _ = sample(shape)
    with pytest.raises(ValueError) as caught:
        normalize_forward(x, gamma, beta, **options)
    assert message in str(caught.value)


def test_a_cotangent_of_another_shape_is_refused():
    x, gamma, beta, dy = sample((4, 6, 5))
    _, cache = normalize_forward(x, gamma, beta, kind="group", groups=3)
    with pytest.raises(ValueError, match=r"dy has shape \(4, 6\), but the forward pass's output has shape \(4, 6, 5\)"):
        normalize_backward(dy[..., 0], cache)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"gamma": np.ones(5)}, ValueError, "gamma has shape (5,), but x has 6 channels (axis 1 of shape (4, 6, 5))."),
        ({"beta": np.ones(7)}, ValueError, "beta has shape (7,), but x has 6 channels"),
        ({"x": np.ones((0, 6))}, ValueError, "x has shape (0, 6), which holds no values."),
        ({"x": np.ones((4, 6, 5), int)}, TypeError, "x has dtype int64, which cannot hold normalized values."),
        ({"gamma": np.ones(6, np.float32)}, TypeError, "gamma has dtype float32, but x has dtype float64."),
    ],
)
def test_wrong_arguments_are_refused(options, kind, message):
    arguments = dict(zip(("x", "gamma", "beta"), sample((4, 6, 5)), strict=False)) | options
    with pytest.raises(kind) as caught:
        normalize_forward(**arguments, kind="layer")
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", ["batch", "layer", "instance", "group"])
def test_float16_is_summed_in_float32_and_comes_back_as_it_went_in(kind):
    groups = 2 if kind == "group" else None
    rng = np.random.default_rng(0)
    x = (300.0 + 4.0 * rng.standard_normal((4, 6, 50))).astype(np.float16)
    dy, one, zero = rng.standard_normal(x.shape).astype(np.float16), np.ones(6, np.float16), np.zeros(6, np.float16)
    y, cache = normalize_forward(x, one, zero, kind=kind, groups=groups)
    gradients = normalize_backward(dy, cache)
    assert {value.dtype for value in (y, *gradients)} == {np.dtype(np.float16)}
    wide = [array.astype(np.float64) for array in (x, one, zero)]
    expected, wide_cache = normalize_forward(*wide, kind=kind, groups=groups)
    np.testing.assert_allclose(y, expected, rtol=0, atol=2e-3)
    for found, wanted in zip(gradients, normalize_backward(dy.astype(np.float64), wide_cache), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=2e-3)
