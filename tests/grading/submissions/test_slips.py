"""Plain slips are put right, and nothing else is touched."""

import numpy as np
import pytest

from bncourse.grading.submissions.slips import known_in, without_slips

HEAD = "import numpy as np\n\n\ndef f(x, cache, gamma):\n    "
NOTEBOOK = 'def g(x, gamma, *, eps=1e-5, momentum=0.1):\n    return x, {"x_hat": x, "inv_std": 1, "gamma": gamma}\n'

SLIPS = {
    "return x.mean(dim=0)": "return x.mean(axis=0)",
    "return x.var(dim=0, keepdim=True)": "return x.var(axis=0, keepdims=True)",
    "return np.var(x, axis=0, unbiased=False)": "return np.var(x, axis=0, ddof=0)",
    "return x.std(axis=0, correction=1)": "return x.std(axis=0, ddof=1)",
    'return cache["xhat"]': 'return cache["x_hat"]',
    "return cache['x_hats'] * cache['inv_sdt']": 'return cache["x_hat"] * cache["inv_std"]',
    "return np.sqrtt(x)": "return np.sqrt(x)",
    "return np.zeros_likes(x)": "return np.zeros_like(x)",
    "return x.shpae[0]": "return x.shape[0]",
    "return x.shape(0)": "return x.shape[0]",
    "return x.T() @ x": "return x.T @ x",
    "return np.sqrt[x + 1]": "return np.sqrt(x + 1)",
    "return len[x]": "return len(x)",
    "return np.zeros(2, 3)": "return np.zeros((2, 3))",
    "return np.ones(len(x), x.shape[1])": "return np.ones((len(x), x.shape[1]))",
    "return np.stack(x, gamma)": "return np.stack([x, gamma])",
    "return np.concatenate(x, gamma, axis=0)": "return np.concatenate([x, gamma], axis=0)",
    "return g(x, gamma, 0.1)": "return g(x, gamma, eps=0.1)",
    "return g(x, gamma, 0.1, 0.2)": "return g(x, gamma, eps=0.1, momentum=0.2)",
    "return x.mean(dim=0) + x.mean(dim=1, keepdim=True)": "return x.mean(axis=0) + x.mean(axis=1, keepdims=True)",
    "é = x.mean(dim=0); return é": "é = x.mean(axis=0); return é",
}

RIGHT = [
    "return x.mean(axis=0, keepdims=True)",
    'return cache["x_hat"] * cache["gamma"]',
    "return np.zeros((2, 3), float) + np.zeros(3, x.dtype) + np.ones(3, np.float32)",
    "return np.stack([x, x], 1)",
    "return np.concatenate((x, x), 0)",
    "return g(x, gamma, eps=0.1)",
    "return x.reshape(len(x), -1).T.copy()",
    "return np.r_[x, x][0], np.s_[1:]",
    "return np.linalg.eigh(x)[0].size",
    "return cache.setdefault('another', 0)",
]


@pytest.mark.parametrize("line", SLIPS)
def test_a_slip_is_put_right_and_said(line: str) -> None:
    found = without_slips(HEAD + line, known_in([NOTEBOOK]))
    assert found is not None and found.source == HEAD + SLIPS[line] and all(found.said)


@pytest.mark.parametrize("line", RIGHT)
def test_code_that_runs_is_left_alone(line: str) -> None:
    assert without_slips(HEAD + line, known_in([NOTEBOOK])) is None


def test_what_runs_with_tensors_is_left_alone() -> None:
    source = "def f(x):\n    return x.mean(dim=0, keepdim=True) + x.size(0) + x.unsqueeze(0)"
    assert without_slips(source, known_in([]), torch=True) is None
    saved = without_slips("def b(ctx, dy):\n    x, = ctx.saved_tensor\n    return dy", known_in([]), torch=True)
    assert saved is not None and "ctx.saved_tensors" in saved.source


@pytest.mark.parametrize("source", ["def f(:", "x" * 30_000, "\n".join("a = x.mean(dim=0)" for _ in range(40))])
def test_what_cannot_be_put_right_is_left_alone(source: str) -> None:
    assert without_slips(source, known_in([source])) is None


def test_the_code_does_what_was_meant() -> None:
    source = "def f(x):\n    d = x - x.mean(dim=0)\n    return d / np.sqrtt((d * d).mean(dim=0))"
    mended = without_slips(source, known_in([]))
    assert mended is not None
    space: dict[str, object] = {"np": np}
    exec(mended.source, space)
    x = np.array([[1.0], [3.0]])
    np.testing.assert_allclose(space["f"](x), [[-1.0], [1.0]], rtol=0, atol=0)  # type: ignore[operator]


@pytest.mark.parametrize("key", ['x_hat"', "x_hat\\", "x_hat\n", "x_hat\x1b", "x_hat" * 20])
def test_a_key_that_is_no_word_is_never_written_into_code(key: str) -> None:
    known = known_in([f"kept = {{{key!r}: 1}}"])
    assert without_slips(f"def f(cache):\n    return cache[{key + 's'!r}]", known) is None
