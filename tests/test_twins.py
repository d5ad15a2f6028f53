"""The twins have the same functions with the same parameters, and the same values in float64."""

import inspect

import numpy as np
import pytest
import torch

import bncourse.numpy_bn as numpy_bn
import bncourse.torch_bn as torch_bn
from bncourse.plots.twins import difference

DTYPE_AND_DEVICE = {"dtype", "device"}
ONE_SIDED = {
    # what PyTorch has itself, in torch.nn and torch.optim
    "numpy": {"Adam", "Dropout", "Layer", "Linear", "ReLU", "SGD", "Sequential", "Sigmoid", "softmax_cross_entropy"},
    # what makes the hand-written gradient a part of PyTorch
    "torch": {"BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "BatchNormFunction"},
}
OURS = {
    "functional",
    "inference",
    "results",
    "moments",
    "running",
    "layer",
    "autograd",
    "network",
    "elementary",
    "training",
}


def of_these_files(room):
    names = {name for name in room.__all__ if getattr(room, name).__module__.rsplit(".", 1)[-1] in OURS}
    assert names
    return names


def test_the_twins_have_the_same_public_names():
    assert of_these_files(numpy_bn) - of_these_files(torch_bn) == ONE_SIDED["numpy"]
    assert of_these_files(torch_bn) - of_these_files(numpy_bn) == ONE_SIDED["torch"]


def parameters(function):
    found = inspect.signature(function).parameters.values()
    return [(p.name, p.default) for p in found if p.name not in DTYPE_AND_DEVICE]


@pytest.mark.parametrize("name", sorted(of_these_files(numpy_bn) & of_these_files(torch_bn)))
def test_the_twins_have_the_same_parameters_and_methods(name):
    one, other = getattr(numpy_bn, name), getattr(torch_bn, name)
    assert parameters(one) == parameters(other)
    if inspect.isclass(one) and name != "BatchNorm":
        methods = [m for m in vars(one) if not m.startswith("_") and callable(getattr(one, m))]
        for method in methods:
            assert parameters(getattr(one, method)) == parameters(getattr(other, method))


MOST = {"functional": 16, "inference": 24, "moments": 24, "running": 24, "layer": 100, "results": 8}
"""Lines of code that may differ, both sides counted. In `layer`, one twin is a `torch.nn.Module`, with hooks, states
and modes that PyTorch brings; the other holds its parameters itself, and has a `backward`."""


@pytest.mark.parametrize("file", MOST)
def test_the_twins_differ_in_so_few_lines_that_a_slide_shows_them(file):
    assert difference(file).lines <= MOST[file]


SHAPES = [(6, 3), (4, 3, 5), (4, 3, 2, 5)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_twins_compute_the_same_values_in_float64(shape):
    rng = np.random.default_rng(0)
    x, dy = 3 * rng.standard_normal((2, *shape)) + 5
    gamma, beta, mean = rng.standard_normal((3, shape[1]))
    var = np.linspace(0.5, 4, shape[1])

    def run(room, make):
        x_, dy_, gamma_, beta_, mean_, var_ = (make(a) for a in (x, dy, gamma, beta, mean, var))
        y, cache = room.batch_norm_forward(x_, gamma_, beta_, eps=0.1)
        gradients, stages = room.batch_norm_backward_staged(dy_, cache)
        values = [y, *cache, *room.batch_norm_backward(dy_, cache), *gradients, *stages]
        y, cache = room.batch_norm_inference(x_, gamma_, beta_, mean_, var_, eps=0.1)
        values += [y, *cache, *room.batch_norm_inference_backward(dy_, cache)]
        moments = room.batch_moments(x_)
        values += moments
        values += room.merge_moments(moments, (mean_, var_, 7))
        running, population = room.RunningStatistics(shape[1]), room.PopulationStatistics(shape[1])
        for statistics in (running, population):
            statistics.update(*moments)
            statistics.update(mean_, var_, 7)
        values += [running.mean, running.var, *population.algorithm_2(), *population.exact()]
        layer = room.BatchNorm(shape[1], dtype=x_.dtype)
        values.append(layer(x_))
        layer.eval()
        values += [layer(x_), layer.running_mean, layer.running_var]
        return values

    for one, other in zip(run(numpy_bn, np.asarray), run(torch_bn, torch.as_tensor), strict=True):
        other = other.detach().numpy() if isinstance(other, torch.Tensor) else other
        assert np.shape(one) == np.shape(other)
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)
