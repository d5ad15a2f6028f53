"""The NumPy layers against PyTorch's, and a network trained by hand against the same trained by PyTorch."""

import copy
import pickle

import numpy as np
import pytest
import torch

from bncourse.gradcheck import check_vjp
from bncourse.numpy_bn import (
    SGD,
    Adam,
    BatchNorm,
    Dropout,
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
    softmax_cross_entropy,
)

MODULES = {
    (6, 3): torch.nn.BatchNorm1d,
    (4, 3, 5): torch.nn.BatchNorm1d,
    (4, 3, 2, 5): torch.nn.BatchNorm2d,
    (2, 3, 2, 2, 2): torch.nn.BatchNorm3d,
}
FLAGS = [{}, {"momentum": None}, {"momentum": 0.5, "eps": 0.1}, {"affine": False}, {"track_running_stats": False}]


def to_torch(state):
    return {name: torch.as_tensor(value) for name, value in state.items()}


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("shape", MODULES)
def test_the_layer_equals_pytorchs_in_both_modes(shape, flags):
    rng = np.random.default_rng(0)
    ours, theirs = BatchNorm(3, dtype=np.float64, **flags), MODULES[shape](3, dtype=torch.float64, **flags)
    if ours.affine:
        ours.weight[...], ours.bias[...] = rng.standard_normal((2, 3))
    theirs.load_state_dict(to_torch(ours.state_dict()))
    for training in (True, True, False, True, False):
        ours.train(training)
        theirs.train(training)
        x, dy = rng.standard_normal((2, *shape)) * 3 + 1
        tensor = torch.tensor(x, requires_grad=True)
        expected = theirs(tensor)
        theirs.zero_grad()
        expected.backward(torch.tensor(dy))
        np.testing.assert_allclose(ours(x), expected.detach().numpy(), rtol=0, atol=1e-12)
        np.testing.assert_allclose(ours.backward(dy), tensor.grad.numpy(), rtol=0, atol=1e-12)
        for name, parameter in theirs.named_parameters():
            np.testing.assert_allclose(ours.gradients[name], parameter.grad.numpy(), rtol=0, atol=1e-11)
        state = theirs.state_dict()
        assert list(ours.state_dict()) == list(state)
        for name, value in ours.state_dict().items():
            np.testing.assert_allclose(value, state[name].numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("module", [torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d])
def test_a_state_travels_both_ways(module):
    theirs = module(3)
    with torch.no_grad():
        theirs.weight.normal_()
        theirs.running_var.uniform_(1, 2)
        theirs.num_batches_tracked.fill_(7)
    ours = BatchNorm(3)
    ours.load_state_dict(theirs.state_dict())
    assert ours.num_batches_tracked == 7
    back = module(3)
    back.load_state_dict(to_torch(ours.state_dict()))
    for name, value in theirs.state_dict().items():
        assert torch.equal(back.state_dict()[name], value)
        assert ours.state_dict()[name].dtype == value.numpy().dtype


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing():
    layer = BatchNorm(2)
    before = layer.state_dict()
    with pytest.raises(ValueError, match=r"has not the names \['bias'\], and has the unknown names \['offset'\]"):
        layer.load_state_dict({"offset" if n == "bias" else n: v + 1 for n, v in before.items()})
    with pytest.raises(ValueError, match=r"^state\['running_var'\] has shape \(3,\). Expected \(2,\)"):
        layer.load_state_dict({n: np.ones(3) if n == "running_var" else v + 1 for n, v in before.items()})
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_state_is_a_copy():
    layer = BatchNorm(2)
    layer.state_dict()["weight"][...] = 9
    assert layer.weight.tolist() == [1, 1]


def test_copies_and_pickles_are_independent_and_equal():
    layer = BatchNorm(2)
    layer(np.random.default_rng(0).standard_normal((4, 2)).astype(np.float32))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(twin.running_mean, layer.running_mean)
        twin.running_mean += 1
        assert (twin.running_mean != layer.running_mean).all()


def test_bad_hyperparameters_are_refused():
    for arguments, words in [
        ((0,), "num_features is 0"),
        ((2, -1.0), "eps is -1.0"),
        ((2, 0.1, 2.0), "momentum is 2.0"),
    ]:
        with pytest.raises(ValueError, match=f"^{words}"):
            BatchNorm(*arguments)
    for p in (-0.1, 1.0):
        with pytest.raises(ValueError, match=f"^p is {p}"):
            Dropout(p, np.random.default_rng(0))


@pytest.mark.parametrize("layer", [Sigmoid(), ReLU(), Linear(3, 2, np.random.default_rng(0), dtype=np.float64)])
def test_each_layers_backward_is_its_derivative(layer):
    x = np.random.default_rng(1).standard_normal((5, 3))
    check_vjp(lambda x: (layer.forward(x), None), lambda dy, _: (layer.backward(dy),), [x])


def test_sigmoid_does_not_overflow():
    np.testing.assert_array_equal(Sigmoid()(np.array([-1e4, 0.0, 1e4])), [0.0, 0.5, 1.0])


def test_dropout_keeps_the_mean_in_training_and_everything_in_inference():
    layer = Dropout(0.25, np.random.default_rng(0))
    x = np.ones((400, 50), np.float32)
    y = layer(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(np.unique(y), [0.0, 1 / 0.75], rtol=1e-6)
    np.testing.assert_allclose(y.mean(), 1.0, rtol=0, atol=0.02)
    np.testing.assert_array_equal(layer.backward(x), y)
    layer.eval()
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer.backward(x), x)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_a_network_trained_by_hand_follows_pytorch_step_by_step(optimizer):
    rng = np.random.default_rng(0)
    f64 = {"dtype": np.float64}
    ours = Sequential(
        Linear(5, 7, rng, bias=False, **f64), BatchNorm(7, **f64), Sigmoid(), Linear(7, 6, rng, **f64), ReLU(),
        Linear(6, 3, rng, scale=0.5, **f64),
    )  # fmt: skip
    theirs = torch.nn.Sequential(
        torch.nn.Linear(5, 7, bias=False), torch.nn.BatchNorm1d(7), torch.nn.Sigmoid(), torch.nn.Linear(7, 6),
        torch.nn.ReLU(), torch.nn.Linear(6, 3),
    ).double()  # fmt: skip
    theirs.load_state_dict(to_torch(ours.state_dict()))
    make = {
        "sgd": (SGD(ours, 0.1), torch.optim.SGD(theirs.parameters(), 0.1)),
        "momentum": (
            SGD(ours, 0.1, momentum=0.9, weight_decay=0.01),
            torch.optim.SGD(theirs.parameters(), 0.1, momentum=0.9, weight_decay=0.01),
        ),
        "adam": (
            Adam(ours, 0.01, betas=(0.8, 0.99), eps=1e-3),
            torch.optim.Adam(theirs.parameters(), 0.01, betas=(0.8, 0.99), eps=1e-3),
        ),
    }
    mine, reference = make[optimizer]
    for _ in range(20):
        x, labels = rng.standard_normal((16, 5)), rng.integers(0, 3, 16)
        loss, dlogits = softmax_cross_entropy(ours(x), labels)
        ours.backward(dlogits)
        mine.step()
        expected = torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(labels))
        reference.zero_grad()
        expected.backward()
        reference.step()
        np.testing.assert_allclose(loss, expected.item(), rtol=1e-12, atol=0)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value.numpy(), rtol=0, atol=1e-12)


def test_modes_reach_every_layer():
    network = Sequential(BatchNorm(2), Sequential(ReLU(), BatchNorm(2)))
    network.eval()
    assert [network.layers[0].training, network.layers[1].layers[1].training] == [False, False]
    network.train()
    assert [network.layers[0].training, network.layers[1].layers[1].training] == [True, True]
    assert list(network.parameters()) == ["0.weight", "0.bias", "1.1.weight", "1.1.bias"]


def test_cross_entropy_does_not_overflow():
    loss, dlogits = softmax_cross_entropy(np.array([[1e4, 0.0]]), np.array([0]))
    assert loss == 0.0
    assert np.isfinite(dlogits).all()
