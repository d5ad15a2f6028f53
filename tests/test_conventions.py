"""The conventions of the course, stated once more as values."""

import inspect

import pytest

from bncourse import conventions
from bncourse.conventions import channel_shape, reduction_axes, values_per_channel


@pytest.mark.parametrize("ndim", [2, 3, 4, 5])
def test_statistics_are_taken_over_every_axis_but_the_channels(ndim):
    assert reduction_axes(ndim) == tuple(axis for axis in (0, 1, 2, 3, 4)[:ndim] if axis != 1)


def test_a_channel_vector_broadcasts_against_axis_1():
    assert channel_shape((8, 3)) == (1, 3)
    assert channel_shape((8, 3, 4, 5, 6)) == (1, 3, 1, 1, 1)


def test_the_count_is_the_batch_times_the_positions():
    assert values_per_channel((8, 3)) == 8
    assert values_per_channel((8, 3, 4, 5)) == 8 * 4 * 5


def test_the_defaults_are_pytorchs():
    assert (conventions.EPS, conventions.MOMENTUM, conventions.CHANNEL_AXIS) == (1e-5, 0.1, 1)


def test_one_value_per_channel_is_enough_in_inference():
    conventions.check_input((1, 3), training=False)
    conventions.check_input((1, 3, 2), training=True)
    conventions.check_eps(0.0)
    conventions.check_momentum(None)


def test_no_room_restates_a_default():
    import bncourse.numpy_bn
    import bncourse.torch_bn

    for room in (bncourse.numpy_bn, bncourse.torch_bn):
        for name in ("batch_norm_forward", "batch_norm_inference", "BatchNorm"):
            parameters = inspect.signature(getattr(room, name)).parameters
            assert parameters["eps"].default == conventions.EPS
        assert inspect.signature(room.BatchNorm).parameters["momentum"].default == conventions.MOMENTUM
