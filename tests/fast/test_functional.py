"""The compiled loops against the reference, at the bounds that the reference itself keeps."""

import subprocess
import sys

import numpy as np
import pytest

from bncourse import fast, numpy_bn
from bncourse.fast import functional, tables, threads

NAMES = ["batch_norm_forward", "batch_norm_backward", "batch_norm_inference", "batch_norm_inference_backward"]
SHAPES = [(4, 3), (5, 3, 7), (3, 4, 2, 5), (2, 3, 2, 2, 3), (2, 1), (1, 2, 3), (3, 5, 1), (700, 130), (3, 5, 1100)]


def problem(shape, dtype, offset=0.0, seed=0):
    rng = np.random.default_rng(seed)
    x, dy = (rng.standard_normal((2, *shape)) + np.array([offset, 0.0]).reshape(2, *[1] * len(shape))).astype(dtype)
    gamma, beta, mean = rng.standard_normal((3, shape[1])).astype(dtype)
    return x, dy, gamma, beta, mean, np.linspace(0.1, 4.0, shape[1]).astype(dtype)


def everything(package, x, dy, gamma, beta, mean, var, eps=1e-3):
    y, cache = package.batch_norm_forward(x, gamma, beta, eps=eps)
    results = [y, *cache, *package.batch_norm_backward(dy, cache)]
    y, cache = package.batch_norm_inference(x, gamma, beta, mean, var, eps=eps)
    return [*results, y, *cache, *package.batch_norm_inference_backward(dy, cache)]


def assert_equal_to_rounding(found, expected, count):
    """|found - expected| <= (64 + sqrt(count)) eps (1 + the largest value)."""
    for one, other in zip(found, expected, strict=True):
        assert np.shape(one) == np.shape(other)
        if isinstance(other, np.ndarray):
            assert one.dtype == other.dtype
            bound = (64 + count**0.5) * np.finfo(other.dtype).eps * (1 + np.abs(other).max())
            np.testing.assert_allclose(one, other, rtol=0, atol=bound)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_result_is_the_references_to_rounding(shape, dtype):
    arguments = problem(shape, dtype)
    count = arguments[0].size // shape[1]
    assert_equal_to_rounding(everything(fast, *arguments), everything(numpy_bn, *arguments), count)


@pytest.mark.parametrize(("dtype", "offset"), [(np.float32, 1e4), (np.float32, -1e6), (np.float64, 1e9)])
@pytest.mark.parametrize("shape", [(2000, 3), (9, 2, 700)])
def test_an_offset_costs_no_digits(shape, dtype, offset):
    """y, x_hat and dx agree with the reference as if there were no offset."""
    x, dy, gamma, beta, _, _ = problem(shape, dtype, offset)
    results = []
    for package in (fast, numpy_bn):
        y, cache = package.batch_norm_forward(x, gamma, beta)
        results.append([y, cache.x_hat, cache.var, package.batch_norm_backward(dy, cache).dx])
    assert_equal_to_rounding(*results, x.size // shape[1])


def test_a_million_rows_add_up():
    x = np.full((1 << 20, 2), 0.1, np.float32)
    x[::2] = 0.3
    one, zero = np.ones(2, np.float32), np.zeros(2, np.float32)
    y, cache = fast.batch_norm_forward(x, one, zero)
    np.testing.assert_allclose(cache.mean, [0.2, 0.2], rtol=1e-6, atol=0)
    np.testing.assert_allclose(cache.var, [0.01, 0.01], rtol=1e-5, atol=0)
    _, _, dbeta = fast.batch_norm_backward(np.full_like(x, 0.1), cache)
    np.testing.assert_allclose(dbeta, [0.1 * 2**20] * 2, rtol=1e-5, atol=0)
    assert y.dtype == np.float32


@pytest.mark.parametrize("view", ["fortran", "strided", "transposed", "reversed", "channels last"])
def test_strides_do_not_matter(view):
    change = {
        "fortran": np.asfortranarray,
        "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
        "transposed": lambda a: np.ascontiguousarray(a.swapaxes(0, -1)).swapaxes(0, -1),
        "reversed": lambda a: np.ascontiguousarray(a[::-1])[::-1],
        "channels last": lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1),
    }[view]
    x, dy, *rest = problem((6, 4, 3, 5), np.float32)
    for array in (x, dy, *rest):
        array.flags.writeable = False
    expected = everything(fast, x, dy, *rest)
    for one, other in zip(everything(fast, change(x), change(dy), *rest), expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 5)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_spreads_as_in_the_reference_and_in_silence(bad, shape, recwarn):
    x, dy, *rest = problem(shape, np.float32)
    x[2, 1], dy[1, 2] = bad, bad
    pairs = list(zip(everything(fast, x, dy, *rest), everything(numpy_bn, x, dy, *rest), strict=True))
    for one, other in pairs:
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
        np.testing.assert_array_equal(np.isinf(one), np.isinf(other))
    assert np.isnan(pairs[0][0][:, 1]).all()
    assert not recwarn.list


@pytest.fixture
def two_threads(monkeypatch):
    """Two threads, whose parts are noted."""
    parts = []

    def noted(work, size, values):
        return threads.over_parts(lambda first, last: (parts.append((first, last)), work(first, last))[1], size, values)

    for module in (tables, functional):
        monkeypatch.setattr(module, "over_parts", noted)
    fast.set_num_threads(2)
    yield parts
    fast.set_num_threads(1)


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize(
    ("shape", "by_rows"), [((900, 170), True), ((70, 2100), False), ((40, 6, 900), False), ((1 << 18, 1), True)]
)
def test_two_threads_compute_what_one_computes(shape, by_rows, offset, two_threads):
    arguments = problem(shape, np.float32, offset)
    together = everything(fast, *arguments)
    rows = sum(last == shape[0] and first > 0 for first, last in two_threads)
    assert rows == (7 if by_rows else 0)  # three passes forward, two backward; one and one at inference
    assert by_rows or sum(first > 0 for first, _ in two_threads) == 4
    fast.set_num_threads(1)
    alone = everything(fast, *arguments)
    if offset:  # inference with another mean has values as large as the offset
        together, alone = together[:10], alone[:10]
    assert_equal_to_rounding(together, alone, shape[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_spreads_in_two_threads_as_in_one(bad, two_threads, recwarn):
    x, dy, *rest = problem((2000, 70), np.float32)
    x[2, 1], x[1999, 1], dy[1, 2], dy[1500, 2] = bad, -bad, bad, -bad
    together = everything(fast, x, dy, *rest)
    for one, other in zip(together, everything(numpy_bn, x, dy, *rest), strict=True):
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
    assert not recwarn.list


def test_a_small_array_is_worth_one_thread(two_threads):
    everything(fast, *problem((64, 1024), np.float32))
    assert set(two_threads) == {(0, 1024)}


def test_a_number_of_threads_below_one_is_refused():
    with pytest.raises(ValueError, match="count is 0"):
        fast.set_num_threads(0)


def test_signatures_are_the_references():
    import inspect

    for name in NAMES:
        assert [(p.name, p.kind, p.default) for p in inspect.signature(getattr(fast, name)).parameters.values()] == [
            (p.name, p.kind, p.default) for p in inspect.signature(getattr(numpy_bn, name)).parameters.values()
        ]


def test_wrong_arguments_are_refused_in_the_references_words():
    x, dy, gamma, beta, _, _ = problem((4, 3), np.float32)
    with pytest.raises(TypeError, match=r"^x has dtype float16. Expected float32 or float64"):
        fast.batch_norm_forward(x.astype(np.float16), gamma, beta)
    with pytest.raises(TypeError, match=r"^x has dtype complex64"):
        fast.batch_norm_forward(x.astype(np.complex64), gamma, beta)
    with pytest.raises(ValueError, match=r"^gamma has shape \(2,\)"):
        fast.batch_norm_forward(x, gamma[:2], beta)
    with pytest.raises(ValueError, match="one value per channel"):
        fast.batch_norm_forward(x[:1], gamma, beta)
    _, cache = fast.batch_norm_forward(x, gamma, beta)
    with pytest.raises(ValueError, match=r"^dy has shape \(3, 3\)"):
        fast.batch_norm_backward(dy[:3], cache)


def test_without_numba_the_message_says_what_to_install_and_the_rest_does_not_notice():
    script = (
        "import sys; sys.modules['numba'] = None\n"
        "import bncourse, bncourse.numpy_bn, bncourse.gradcheck, bncourse.diagnosis\n"
        "assert 'bncourse.fast' not in sys.modules\n"
        "try:\n    import bncourse.fast\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "bncourse.fast needs numba, which is not installed. Use: pip install 'bncourse[fast]'\n"
