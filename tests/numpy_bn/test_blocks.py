"""The walk in blocks covers everything once, and keeps memory within its bar."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bncourse.numpy_bn import batch_norm_backward, batch_norm_forward, blocks

shapes = st.tuples(st.integers(1, 40), st.integers(1, 9)) | st.tuples(*[st.integers(1, 9)] * 4)


@st.composite
def sizes(draw):
    """A setting of the module's sizes in which small arrays have many pieces."""
    block, short, longer, summed = (draw(st.integers(1, 50)) for _ in range(4))
    return {"BLOCK": block, "SHORT": short, "LONG": short + longer, "SUMMED": summed}


@given(shapes, sizes(), st.booleans())
@settings(deadline=None, max_examples=100)
def test_every_value_is_visited_once_beside_its_channels_value(shape, sizes, backwards):
    visits, expected = np.zeros(shape), np.arange(shape[1]).reshape([-1 if i == 1 else 1 for i in range(len(shape))])
    with pytest.MonkeyPatch.context() as patch:
        for name, size in sizes.items():
            patch.setattr(blocks, name, size)
        for piece, value in blocks.blocks([visits], [np.arange(shape[1])], backwards=backwards):
            piece += 1 + value
            assert len(piece) <= sizes["SUMMED"]
            assert piece.size <= max(sizes["BLOCK"], piece[:1].size)
            assert piece[:1].size <= max(sizes["BLOCK"], sizes["LONG"], np.prod(shape[2:] or shape[1]))
    np.testing.assert_array_equal(visits, np.broadcast_to(1 + expected, shape))


@given(shapes, sizes(), st.integers(0, 2**32 - 1), st.sampled_from(["C", "F"]))
@settings(deadline=None, max_examples=100)
def test_sums_and_dots_over_the_pieces_are_those_of_the_arrays(shape, sizes, seed, order):
    a, b = (np.asarray(array, order=order) for array in np.random.default_rng(seed).standard_normal((2, *shape)))
    axes = tuple(i for i in range(a.ndim) if i != 1)
    sums, dots = np.zeros((2, shape[1]))
    with pytest.MonkeyPatch.context() as patch:
        for name, size in sizes.items():
            patch.setattr(blocks, name, size)
        for a_, b_, sums_, dots_ in blocks.blocks([a, b], totals=[sums, dots]):
            blocks.add_sums(sums_, a_)
            blocks.add_dots(dots_, a_, b_)
    np.testing.assert_allclose(sums, a.sum(axis=axes), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dots, (a * b).sum(axis=axes), rtol=1e-12, atol=1e-12)


def test_walking_backwards_begins_with_the_last_piece():
    x = np.arange(4 * blocks.BLOCK).reshape(-1, blocks.SHORT)
    pieces = [piece[0, 0] for (piece,) in blocks.blocks([x])]
    assert len(pieces) == 4
    assert [piece[0, 0] for (piece,) in blocks.blocks([x], backwards=True)] == pieces[::-1]


@pytest.mark.parametrize("shape", [(), (3,), (5, 7, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_an_empty_array_begins_where_a_cache_line_begins(shape, dtype):
    array = blocks.empty(shape, dtype)
    assert (array.shape, array.dtype) == (shape, dtype)
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert array.ctypes.data % blocks.CACHE_LINE == 0


@pytest.mark.parametrize("offset", [0, 100])
@pytest.mark.parametrize("shape", [(1024, 1024), (16, 64, 32, 32), (8, 256, 16, 16), (2, 8, 256, 256)])
def test_memory_beyond_input_output_and_cache_is_at_most_one_array_of_the_inputs_size(shape, offset):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, *shape), dtype=np.float32) + np.float32(offset)
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
