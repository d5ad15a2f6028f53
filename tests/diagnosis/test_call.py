from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis import call
from bncourse.numpy_bn import Gradients
from bncourse.numpy_bn.functional import Stages

X = np.zeros((5, 3))


def slip(run: Any, *arguments: Any, **options: Any) -> str | None:
    with pytest.raises(call.Slip) as caught:
        run(*arguments, **options)
    return caught.value.finding.belief


@pytest.mark.parametrize("value", [np.ones((5, 3)), np.ones((5, 3), np.float32), np.ones((5, 3)).tolist()])
def test_real_floating_point_numbers_of_the_right_shape_are_read(value: Any) -> None:
    np.testing.assert_array_equal(call.like(value, X, "dx", []).array, np.ones((5, 3)))


@pytest.mark.parametrize("dtype", [int, complex, object, bool, np.float16, "U3"])
def test_other_kinds_of_number_are_refused(dtype: Any) -> None:
    assert slip(call.like, np.ones((5, 3)).astype(dtype), X, "dx", []) == "wrong-dtype"


@pytest.mark.parametrize(
    ("value", "belief"),
    [
        (np.ones((3, 5)), "transposed"),
        (np.ones(3), "wrong-shape"),
        (np.ones((1, 5, 3)), "wrong-shape"),
        (1.0, "wrong-shape"),
        (np.full((5, 3), np.nan), "not-finite"),
        (np.full((5, 3), np.inf), "not-finite"),
        (None, "nothing-returned"),
        ([[1.0, 2.0], [3.0]], "wrong-structure"),
        ("text", "wrong-dtype"),
        (lambda: 0, "wrong-dtype"),
    ],
)
def test_what_cannot_be_right_is_named_before_any_number_is_compared(value: Any, belief: str) -> None:
    assert slip(call.like, value, X, "dx", []) == belief


class Lazy:
    """An array only when asked."""

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        raise MemoryError("not now")


def test_an_object_that_fails_to_become_an_array_is_no_array() -> None:
    assert slip(call.like, Lazy(), X, "dx", []) == "wrong-structure"


@pytest.mark.parametrize("shape", [(3,), (1, 3), (3, 1), (1, 3, 1, 1)])
def test_one_number_a_channel_may_have_axes_of_length_one(shape: tuple[int, ...]) -> None:
    notes: list[str] = []
    assert call.per_channel(np.ones(shape), X, "dgamma", notes).array.shape == (3,)
    assert bool(notes) == (shape != (3,))


@pytest.mark.parametrize(
    ("shape", "belief"),
    [
        ((), "parameter-gradient-total-sum"),
        ((1,), "parameter-gradient-total-sum"),
        ((5,), "parameter-gradient-wrong-axis"),
        ((5, 1), "parameter-gradient-wrong-axis"),
        ((5, 3), "parameter-gradient-not-summed"),
        ((4,), "wrong-shape"),
    ],
)
def test_a_parameter_gradient_of_another_shape_says_what_was_summed(shape: tuple[int, ...], belief: str) -> None:
    assert slip(call.per_channel, np.ones(shape), X, "dgamma", []) == belief


@pytest.mark.parametrize(
    "packed",
    [
        (1, 2, 3),
        [1, 2, 3],
        Gradients(1, 2, 3),
        {"dbeta": 3, "dx": 1, "dgamma": 2},
        {"dx": 1, "dgamma": 2, "dbeta": 3, "dvar": 4},
    ],
)
def test_gradients_are_read_from_whatever_holds_them(packed: Any) -> None:
    assert call.gradients(packed, "dx", []) == {"dx": 1, "dgamma": 2, "dbeta": 3}


def test_a_named_tuple_in_another_order_is_read_by_its_names() -> None:
    from collections import namedtuple

    turned = namedtuple("turned", "dbeta dx dgamma")
    assert call.gradients(turned(3, 1, 2), "dx", []) == {"dx": 1, "dgamma": 2, "dbeta": 3}


@pytest.mark.parametrize("packed", [(1, 2), np.ones((3, 5, 3)), {"dx": 1}, 1.0])
def test_what_is_not_three_gradients_is_refused(packed: Any) -> None:
    assert slip(call.gradients, packed, "dx", []) == "wrong-structure"


def test_stages_need_their_names() -> None:
    names = dict.fromkeys(Stages._fields, 1.0)
    assert call.stages(names) == names
    names.pop("dvar")
    assert slip(call.stages, names) == "stages-unnamed"
    assert slip(call.stages, 1.0) == "stages-unnamed"


def test_arguments_are_copies_and_changes_are_seen() -> None:
    x = np.arange(6.0).reshape(3, 2)
    before = x.copy()

    def change(x: Any) -> Any:
        x += 1
        return x

    assert slip(call.call, change, "forward", x) == "input-changed"
    assert slip(call.call, change, "dx", x, dy=True) == "dy-changed"
    np.testing.assert_array_equal(x, before)


def test_numpy_warnings_of_the_function_stay_silent() -> None:
    with np.errstate(divide="raise"):
        assert np.isinf(call.call(lambda x: 1 / x, "forward", np.zeros(1)))


@pytest.mark.parametrize("error", [ValueError("not enough values to unpack (expected 3, got 2)"), KeyError("x_hat")])
def test_unpacking_errors_of_a_backward_pass_speak_of_the_cache(error: Exception) -> None:
    def backward(dy: Any) -> Any:
        raise error

    assert slip(call.call, backward, "dx", np.zeros(1)) == "cache-order"
    assert slip(call.call, backward, "forward", np.zeros(1)) == "raised"
