"""The PyTorch layers are drop-in: the same results, flags, states, copies, layouts and compilation."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch

from bncourse import numpy_bn
from bncourse.torch_bn import BatchNorm1d, BatchNorm2d, BatchNorm3d, BatchNormFunction, batch_norm_forward

PAIRS = {
    (6, 3): (BatchNorm1d, torch.nn.BatchNorm1d),
    (4, 3, 5): (BatchNorm1d, torch.nn.BatchNorm1d),
    (4, 3, 2, 5): (BatchNorm2d, torch.nn.BatchNorm2d),
    (2, 3, 2, 2, 2): (BatchNorm3d, torch.nn.BatchNorm3d),
    (5000, 17): (BatchNorm1d, torch.nn.BatchNorm1d),
    (3, 5, 9001): (BatchNorm1d, torch.nn.BatchNorm1d),
    (70, 2000): (BatchNorm1d, torch.nn.BatchNorm1d),
}
FLAGS = [{}, {"momentum": None}, {"momentum": 0.5, "eps": 0.1}, {"affine": False}, {"track_running_stats": False}]


def assert_same(ours, theirs, x, dy, tolerance):
    gradients = []
    for layer in (ours, theirs):
        inputs = [x.detach().clone(memory_format=torch.preserve_format).requires_grad_(), *layer.parameters()]
        y = layer(inputs[0])
        gradients.append([y, *torch.autograd.grad(y, inputs, dy)])
    assert gradients[0][0].stride() == gradients[1][0].stride()
    for one, other in zip(*gradients, strict=True):
        size = max(1.0, float(other.detach().abs().max()))
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance * size)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("flags", FLAGS, ids=str)
@pytest.mark.parametrize("shape", PAIRS, ids=str)
def test_the_layers_equal_the_native_ones_in_both_modes(shape, flags):
    torch.manual_seed(0)
    ours, theirs = (layer(shape[1], dtype=torch.float64, **flags) for layer in PAIRS[shape])
    for parameter in ours.parameters():
        torch.nn.init.normal_(parameter)
    theirs.load_state_dict(ours.state_dict())
    for training in (True, True, False, True):
        ours.train(training)
        theirs.train(training)
        x, dy = torch.randn(2, *shape, dtype=torch.float64) * 3 + 1
        assert_same(ours, theirs, x, dy, 1e-11)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2), (torch.float16, 2e-3)], ids=str
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_layout_and_dtype_of_the_input_are_kept_and_statistics_are_float32(dtype, tolerance, layout):
    torch.manual_seed(0)
    ours, theirs = BatchNorm2d(6), torch.nn.BatchNorm2d(6)
    x, dy = ((torch.randn(4, 6, 5, 7) + 2).to(dtype).to(memory_format=layout) for _ in range(2))
    assert_same(ours, theirs, x, dy, tolerance)
    assert ours.running_mean.dtype == torch.float32
    assert_same(ours.eval(), theirs.eval(), x, dy, tolerance)
    assert ours(x).dtype == dtype


def test_a_gradient_or_input_in_another_layout_is_right_too():
    torch.manual_seed(0)
    x, dy = torch.randn(2, 4, 6, 5, 7, dtype=torch.float64)
    gamma, beta = torch.randn(2, 6, dtype=torch.float64)
    expected = None
    for x_view in (x, x.to(memory_format=torch.channels_last), x.transpose(2, 3).contiguous().transpose(2, 3)):
        for dy_view in (dy, dy.to(memory_format=torch.channels_last), dy[:1, :1, :1, :1].expand_as(dy)):
            leaf = x_view.detach().requires_grad_()
            y, *_ = BatchNormFunction.apply(leaf, gamma, beta, 1e-5)
            (dx,) = torch.autograd.grad(y, leaf, dy_view)
            native = torch.nn.functional.batch_norm(leaf, None, None, gamma, beta, True)
            (expected,) = torch.autograd.grad(native, leaf, dy_view)
            torch.testing.assert_close(dx, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 2), (3, 2, 4), (2, 2, 2, 3)])
def test_the_function_passes_gradcheck_and_gradgradcheck(shape):
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    gamma, beta = (torch.randn(2, dtype=torch.float64, requires_grad=True) for _ in range(2))

    def function(x, gamma, beta):
        return BatchNormFunction.apply(x, gamma, beta, 0.1)[0]

    assert torch.autograd.gradcheck(function, (x, gamma, beta))
    assert torch.autograd.gradgradcheck(function, (x, gamma, beta))


def test_statistics_of_the_function_carry_no_gradient_and_alone_give_none():
    x = torch.randn(5, 2, requires_grad=True)
    _, mean, var, *_ = BatchNormFunction.apply(x, torch.ones(2), torch.zeros(2), 1e-5)
    assert not mean.requires_grad
    torch.testing.assert_close(mean, x.detach().mean(0), rtol=0, atol=1e-6)
    torch.testing.assert_close(var, x.detach().var(0, correction=0), rtol=1e-5, atol=0)


def test_where_no_gradient_comes_in_none_goes_out():
    class Nothing(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, dx):
            return None

    x = torch.randn(5, 2, requires_grad=True)
    Nothing.apply(BatchNormFunction.apply(x, torch.ones(2), torch.zeros(2), 1e-5)[0]).sum().backward()
    assert x.grad is None


def test_the_function_is_the_transform_that_the_book_shows():
    x, dy = torch.randn(2, 300, 400, dtype=torch.float64)
    leaf = x.requires_grad_()
    gamma, beta = torch.randn(2, 400, dtype=torch.float64)
    y, *_ = BatchNormFunction.apply(leaf, gamma, beta, 1e-5)
    whole, _ = batch_norm_forward(leaf, gamma, beta)
    torch.testing.assert_close(y, whole, rtol=0, atol=1e-12)
    grads = [torch.autograd.grad(result, leaf, dy)[0] for result in (y, whole)]
    torch.testing.assert_close(*grads, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(5000, 3), (50, 3, 100)])
@pytest.mark.parametrize("offset", [0.0, 0.9, 1.1, 30.0, 1e4, -1e6])
def test_float32_at_any_offset_stays_within_the_stated_bound(offset, shape):
    """|y - exact| <= 64 eps (1 + |exact|), so too dx and the statistics; `exact` is of the numbers that x holds."""
    torch.manual_seed(0)
    x, dy = torch.randn(2, *shape) + torch.tensor([offset, 0.0]).reshape(2, *[1] * len(shape))
    results = []
    for layer, leaf in ((BatchNorm1d(3, dtype=torch.float64), x.double()), (BatchNorm1d(3), x.clone())):
        y = layer(leaf.requires_grad_())
        (dx,) = torch.autograd.grad(y, leaf, dy.to(y.dtype))
        results.append([part.detach().double() for part in (y, dx, layer.running_var, layer.running_mean)])
    for exact, found in zip(*results, strict=True):
        assert ((found - exact).abs() <= 64 * torch.finfo(torch.float32).eps * (1 + exact.abs())).all()


def test_not_finite_input_spreads_over_its_channel_only():
    x = torch.randn(6, 3)
    x[2, 1] = float("inf")
    y = BatchNorm1d(3)(x)
    assert y[:, 1].isnan().all()
    assert y[:, [0, 2]].isfinite().all()


def test_states_travel_to_and_from_pytorch_and_numpy():
    ours, theirs = BatchNorm2d(3), torch.nn.BatchNorm2d(3)
    theirs(torch.randn(4, 3, 2, 2))
    ours.load_state_dict(theirs.state_dict())
    by_hand = numpy_bn.BatchNorm(3)
    by_hand.load_state_dict(ours.state_dict())
    theirs.load_state_dict({name: torch.as_tensor(value) for name, value in by_hand.state_dict().items()})
    for name, value in ours.state_dict().items():
        assert torch.equal(theirs.state_dict()[name], value)


def test_copies_pickles_and_saved_files_are_equal_and_independent():
    layer = BatchNorm2d(3, momentum=0.3)
    layer(torch.randn(4, 3, 2, 2))
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), torch.load(file, weights_only=False)):
        assert twin.momentum == 0.3
        assert torch.equal(twin.running_mean, layer.running_mean)
        twin.running_mean.zero_()
        assert not torch.equal(twin.running_mean, layer.running_mean)


def test_they_are_instances_of_pytorchs_own_classes():
    assert isinstance(BatchNorm2d(2), torch.nn.BatchNorm2d)
    assert BatchNorm1d(2).reset_running_stats() is None
    assert repr(BatchNorm1d(2)) == repr(torch.nn.BatchNorm1d(2))


def test_running_statistics_hold_no_graph():
    layer = BatchNorm1d(2)
    layer(torch.randn(4, 2, requires_grad=True))
    assert not layer.running_mean.requires_grad
    layer(torch.randn(4, 2))


def test_wrong_input_and_hyperparameters_are_refused():
    with pytest.raises(ValueError, match="axes, but BatchNorm2d") as caught:
        BatchNorm2d(3)(torch.zeros(4, 3))
    assert str(caught.value) == (
        "x has shape (4, 3), which has 2 axes, but BatchNorm2d expects 4. Use BatchNorm1d for (N, C) and (N, C, L), "
        "BatchNorm2d for (N, C, H, W), BatchNorm3d for (N, C, D, H, W)."
    )
    with pytest.raises(ValueError, match=r"^weight has shape|^gamma has shape \(3,\), but x has 4 channels"):
        BatchNorm1d(3)(torch.zeros(5, 4))
    with pytest.raises(ValueError, match="one value per channel"):
        BatchNorm1d(3)(torch.zeros(1, 3))
    with pytest.raises(TypeError, match="x has dtype int64"):
        BatchNorm1d(3)(torch.zeros(4, 3, dtype=torch.int64))
    for arguments, words in [((0,), "num_features is 0"), ((2, -1.0), "eps is -1.0"), ((2, 0.1, 2.0), "momentum is 2")]:
        with pytest.raises(ValueError, match=f"^{words}"):
            BatchNorm1d(*arguments)


def test_a_refused_batch_leaves_the_statistics_alone():
    layer = BatchNorm1d(3)
    with pytest.raises(ValueError, match="one value per channel"):
        layer(torch.zeros(1, 3))
    assert layer.num_batches_tracked == 0


def test_autocast_keeps_the_statistics_in_float32():
    torch.manual_seed(0)
    ours = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), BatchNorm2d(4))
    theirs = torch.nn.Sequential(copy.deepcopy(ours[0]), torch.nn.BatchNorm2d(4))
    x = torch.randn(2, 3, 8, 8)
    results, dy = [], torch.randn(2, 4, 6, 6, dtype=torch.bfloat16)
    for network in (ours, theirs):
        with torch.autocast("cpu", torch.bfloat16):
            y = network(x)
        y.backward(dy)
        results.append((y, network[0].weight.grad))
    assert results[0][0].dtype == results[1][0].dtype == torch.bfloat16
    assert ours[1].running_var.dtype == torch.float32
    torch.testing.assert_close(results[0][0], results[1][0], rtol=2e-2, atol=2e-2)
    torch.testing.assert_close(ours[1].running_var, theirs[1].running_var, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(results[0][1], results[1][1], rtol=0.1, atol=0.2)


@pytest.mark.parametrize(
    "flags", [FLAGS[0], *(pytest.param(flags, marks=pytest.mark.long) for flags in FLAGS[1:])], ids=str
)
def test_compilation_makes_one_graph_with_the_same_results(flags):
    torch.manual_seed(0)
    torch.compiler.reset()
    layer = BatchNorm2d(3, **flags)
    compiled = torch.compile(copy.deepcopy(layer), fullgraph=True, backend="aot_eager")
    for training in (True, True, False):
        layer.train(training)
        compiled.train(training)
        x, dy = torch.randn(2, 4, 3, 5, 5)
        leaves = [x.clone().requires_grad_() for _ in range(2)]
        results = [module(leaf) for module, leaf in zip((layer, compiled), leaves, strict=True)]
        torch.testing.assert_close(*results, rtol=1e-5, atol=1e-5)
        grads = [torch.autograd.grad(y, leaf, dy)[0] for y, leaf in zip(results, leaves, strict=True)]
        torch.testing.assert_close(*grads, rtol=1e-5, atol=1e-5)
    for name, value in layer.state_dict().items():
        torch.testing.assert_close(compiled.state_dict()["_orig_mod." + name], value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("room", [BatchNorm1d])
def test_the_layer_equals_its_numpy_twin_over_a_training_run(room):
    rng = np.random.default_rng(0)
    ours, twin = room(3, dtype=torch.float64), numpy_bn.BatchNorm(3, dtype=np.float64)
    for _ in range(5):
        x, dy = rng.standard_normal((2, 6, 3))
        leaf = torch.tensor(x, requires_grad=True)
        y = ours(leaf)
        y.backward(torch.tensor(dy))
        np.testing.assert_allclose(twin(x), y.detach().numpy(), rtol=0, atol=1e-12)
        np.testing.assert_allclose(twin.backward(dy), leaf.grad.numpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(twin.running_var, ours.running_var.numpy(), rtol=1e-12)
