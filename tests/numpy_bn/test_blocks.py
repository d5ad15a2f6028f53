"""The walk in blocks covers everything once, and keeps memory within its bar."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bncourse.numpy_bn import batch_norm_backward, batch_norm_forward, blocks


@given(st.tuples(st.integers(1, 40), st.integers(1, 9)) | st.tuples(*[st.integers(1, 9)] * 4), st.data())
@settings(deadline=None, max_examples=60)
def test_every_value_is_visited_once_beside_its_channels_value(shape, data):
    sizes = {name: data.draw(st.integers(1, 50), label=name) for name in ("BLOCK", "ROW", "SUMMED")}
    visits, expected = np.zeros(shape), np.arange(shape[1]).reshape([-1 if i == 1 else 1 for i in range(len(shape))])
    with pytest.MonkeyPatch.context() as patch:
        for name, size in sizes.items():
            patch.setattr(blocks, name, size)
        for channels, piece, value in blocks.blocks([visits], [np.arange(shape[1])]):
            piece += 1 + value
            assert piece.shape[1] == channels.stop - channels.start
            assert len(piece) <= sizes["SUMMED"]
            assert piece.size <= max(sizes["BLOCK"], shape[1] * np.prod(shape[2:]))
    np.testing.assert_array_equal(visits, np.broadcast_to(1 + expected, shape))


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 4)])
def test_channel_sums_and_dots(shape):
    a, b = np.random.default_rng(0).standard_normal((2, *shape))
    axes = tuple(i for i in range(a.ndim) if i != 1)
    np.testing.assert_allclose(blocks.channel_sums(a), a.sum(axis=axes), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(blocks.channel_dots(a, b), (a * b).sum(axis=axes), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", [(1024, 1024), (16, 64, 32, 32), (2, 8, 256, 256)])
def test_memory_beyond_input_output_and_cache_is_at_most_one_array_of_the_inputs_size(shape):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, *shape), dtype=np.float32)
    gamma, beta = rng.standard_normal((2, shape[1]), dtype=np.float32)

    def peak(function):
        tracemalloc.start()
        try:
            result = function()
            return tracemalloc.get_traced_memory()[1], result
        finally:
            tracemalloc.stop()

    forward, (_, cache) = peak(lambda: batch_norm_forward(x, gamma, beta))
    assert forward <= (2 + 1) * x.nbytes
    backward, _ = peak(lambda: batch_norm_backward(dy, cache))
    assert backward <= (1 + 1) * x.nbytes
