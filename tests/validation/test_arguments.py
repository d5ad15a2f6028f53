"""What a call is refused for, and in which words: the same in both rooms."""

import numpy as np
import pytest
import torch

import bncourse.numpy_bn as numpy_bn
import bncourse.torch_bn as torch_bn

ROOMS = [(numpy_bn, np.asarray), (torch_bn, torch.as_tensor)]


def call(room, make, x=None, eps=1e-5, **changes):
    parameters = {"gamma": make(np.ones(3)), "beta": make(np.zeros(3))} | changes
    return room.batch_norm_forward(make(np.arange(24.0).reshape(8, 3)) if x is None else x, eps=eps, **parameters)


@pytest.mark.parametrize(("room", "make"), ROOMS)
@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((3,), "x has shape (3,), but channels are expected on axis 1. Expected (N, C) or (N, C, ...). For one sample "
               "use x[None, :]; for one feature use x[:, None]."),
        ((0, 3), "x has shape (0, 3), which holds no values. Expected at least one sample and one channel. Is the last "
                 "batch of your loader empty?"),
        ((1, 3), "x has shape (1, 3): one value per channel, whose variance is 0 and whose normalized value is 0 "
                 "whatever x is. Expected more than one in training. Use a larger batch, or batch_norm_inference with "
                 "running statistics."),
        ((8, 4), "gamma has shape (3,), but x has 4 channels (axis 1 of shape (8, 4)). Expected (4,)."),
        ((8, 5, 3), "gamma has shape (3,), but x has 5 channels (axis 1 of shape (8, 5, 3)). Expected (5,). Are "
                    "channels last in your data?"),
    ],
)  # fmt: skip
def test_an_input_that_cannot_be_normalized_is_refused(room, make, shape, words):
    with pytest.raises(ValueError, match="has shape") as caught:
        call(room, make, make(np.zeros(shape)))
    assert str(caught.value) == words


@pytest.mark.parametrize(("room", "make"), ROOMS)
def test_a_parameter_of_another_shape_is_refused(room, make):
    with pytest.raises(ValueError, match="beta has shape") as caught:
        call(room, make, beta=make(np.zeros((3, 1))))
    assert str(caught.value) == (
        "beta has shape (3, 1), but x has 3 channels (axis 1 of shape (8, 3)). Expected (3,). Use beta.reshape(3)."
    )


@pytest.mark.parametrize(("room", "make"), ROOMS)
@pytest.mark.parametrize("eps", [-1e-5, float("nan"), float("inf")])
def test_an_eps_that_is_no_positive_number_is_refused(room, make, eps):
    with pytest.raises(ValueError, match="eps is") as caught:
        call(room, make, eps=eps)
    assert str(caught.value) == (
        f"eps is {eps}, but it is added to the variance under the root. Expected a finite number, 0 or more; the "
        "default is 1e-05."
    )


@pytest.mark.parametrize(("room", "make"), ROOMS)
@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_input_that_is_not_floating_is_refused(room, make, dtype):
    with pytest.raises(TypeError, match="x has dtype") as caught:
        call(room, make, make(np.zeros((8, 3), dtype)))
    assert str(caught.value) == (
        f"x has dtype {dtype}, which cannot hold normalized values. Expected a floating type. Convert it first: "
        ".astype(np.float32) in NumPy, .float() in PyTorch."
    )


@pytest.mark.parametrize(("room", "make"), ROOMS)
def test_a_list_is_refused(room, make):
    with pytest.raises(TypeError, match="x is a list") as caught:
        call(room, make, [[1.0, 2.0, 3.0]])
    assert str(caught.value) == (
        "x is a list. Expected an array or a tensor of floating numbers: use np.asarray(..., dtype=np.float32) or "
        "torch.as_tensor(..., dtype=torch.float32)."
    )


@pytest.mark.parametrize(("room", "make"), ROOMS)
def test_mixed_precisions_are_refused(room, make):
    with pytest.raises(TypeError, match="gamma has dtype") as caught:
        call(room, make, make(np.zeros((8, 3), np.float32)))
    assert str(caught.value) == (
        "gamma has dtype float64, but x has dtype float32. Expected float32. Convert one of them: .astype(...) in "
        "NumPy, .to(...) in PyTorch."
    )
    with pytest.raises(TypeError, match=r"x has dtype float16. Expected float16 or float32\."):
        call(room, make, make(np.zeros((8, 3), np.float16)))


@pytest.mark.parametrize(("room", "make"), ROOMS)
def test_a_gradient_of_another_call_is_refused(room, make):
    _, cache = call(room, make)
    for backward in (room.batch_norm_backward, room.batch_norm_backward_staged, room.batch_norm_inference_backward):
        with pytest.raises(ValueError, match="dy has shape") as caught:
            backward(make(np.zeros((7, 3))), cache)
        assert str(caught.value) == (
            "dy has shape (7, 3), but the forward pass's output has shape (8, 3). Expected the same. Does the cache "
            "come from another call?"
        )
        with pytest.raises(TypeError, match="x_hat in the cache has dtype float64, but dy has dtype float32"):
            backward(make(np.zeros((8, 3), np.float32)), cache)


@pytest.mark.parametrize(("room", "make"), ROOMS)
def test_inference_checks_its_statistics_too(room, make):
    x, one = make(np.zeros((1, 3))), make(np.ones(3))
    with pytest.raises(ValueError, match=r"^running_mean has shape \(2,\)"):
        room.batch_norm_inference(x, one, one, make(np.ones(2)), one)
    with pytest.raises(ValueError, match=r"^running_var has shape \(2,\)"):
        room.batch_norm_inference(x, one, one, one, make(np.ones(2)))
    with pytest.raises(ValueError, match=r"^x has shape \(0, 3\)"):
        room.batch_norm_inference(x[:0], one, one, one, one)
    with pytest.raises(ValueError, match=r"^eps is -1"):
        room.batch_norm_inference(x, one, one, one, one, eps=-1)


@pytest.mark.parametrize("name", ["x", "gamma", "beta"])
def test_a_masked_array_is_refused(name):
    given = {"x": np.ones((4, 3)), "gamma": np.ones(3), "beta": np.zeros(3)}
    masked = given | {name: np.ma.masked_array(given[name], mask=False)}
    with pytest.raises(TypeError, match=f"^{name} is a MaskedArray, whose masked values would enter the mean"):
        numpy_bn.batch_norm_forward(**masked)
    with pytest.raises(TypeError, match=f"^{name} is a MaskedArray"):
        numpy_bn.batch_norm_inference(**masked, running_mean=given["gamma"], running_var=given["gamma"])
    if name == "x":
        _, cache = numpy_bn.batch_norm_forward(**given)
        with pytest.raises(TypeError, match=r"^dy is a MaskedArray"):
            numpy_bn.batch_norm_backward(masked["x"], cache)


def test_numbers_whose_squares_overflow_give_what_pytorch_gives():
    x = np.array([[1.0], [2.0], [4.0]], np.float32) * np.float32(1e30)
    y, _ = numpy_bn.batch_norm_forward(x, np.ones(1, np.float32), np.zeros(1, np.float32))
    theirs = torch.nn.functional.batch_norm(torch.tensor(x), None, None, training=True)
    np.testing.assert_array_equal(y, theirs.numpy())


def test_arrays_and_tensors_do_not_mix():
    with pytest.raises(TypeError, match="gamma is a Tensor, but x is a ndarray") as caught:
        call(numpy_bn, np.asarray, gamma=torch.ones(3, dtype=torch.float64))
    assert str(caught.value) == (
        "gamma is a Tensor, but x is a ndarray. Expected both from one library. Use numpy_bn with arrays and torch_bn "
        "with tensors."
    )


def test_tensors_on_two_devices_are_refused():
    with pytest.raises(TypeError, match="gamma is on device meta") as caught:
        call(torch_bn, torch.as_tensor, gamma=torch.ones(3, dtype=torch.float64, device="meta"))
    assert str(caught.value) == (
        "gamma is on device meta, but x is on cpu. Expected the same. Move one of them: gamma.to('cpu')."
    )
