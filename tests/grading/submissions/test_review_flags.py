"""What is pointed out to a person: machines that derive, and nothing that merely loops."""

import pytest

from bncourse.grading.submissions.read import Reading
from bncourse.grading.submissions.review_flags import looks
from tests.grading.small import MASTER, RIGHT
from tests.grading.vectors.files import CENTRAL, COMPLEX, DIFFERENCES

FORWARD_DIFFERENCES = """\
def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    h = 1e-6
    dx, here = np.zeros_like(x), (batch_norm_forward(x, gamma, beta, eps=eps)[0] * dy).sum()
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] += h
            dx[i, j] = ((batch_norm_forward(x, gamma, beta, eps=eps)[0] * dy).sum() - here) / h
            x[i, j] -= h
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""

IN_A_LIST = """\
def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    eye = np.eye(x.size).reshape(-1, *x.shape) * 1e-6
    value = lambda x: (batch_norm_forward(x, gamma, beta, eps=eps)[0] * dy).sum()
    dx = [(value(x + e) - value(x - e) + 0 * batch_norm_forward(x - e, gamma, beta)[0].sum()) / 2e-6 for e in eye]
    return np.reshape(dx, x.shape), (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""

ANOTHER_BATCH = """\
def batch_norm_backward(dy, cache):
    x_hat, inv_std, gamma = cache
    for scale in (1.0, 2.0):  # look at the forward pass once more
        y, again = batch_norm_forward(scale * x_hat, gamma, gamma)
    dx = gamma * inv_std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""

BY_SAMPLE = """\
def batch_norm_backward(dy, cache):
    x_hat, inv_std, gamma = cache
    total = np.zeros_like(gamma)
    for row, direction in zip(x_hat, dy):
        total += standardize(row) * direction / len(dy)
    dx = np.stack([gamma * inv_std * (d - dy.mean(axis=0) - r * (dy * x_hat).mean(axis=0)) for d, r in zip(dy, x_hat)])
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""

SHIFTED_WITHOUT_A_STEP = """\
def batch_norm_backward(dy, cache):
    x_hat, inv_std, gamma = cache
    rows = [batch_norm_forward(x_hat[i:] + 1.0, gamma, gamma)[0] for i in range(1)]
    dx = gamma * inv_std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""


def said(backward: str, forward: str = RIGHT["forward"]) -> str:
    return looks(MASTER, Reading(RIGHT | {"backward": backward, "forward": forward}, (), ""))


@pytest.mark.parametrize("code", [CENTRAL, FORWARD_DIFFERENCES, IN_A_LIST], ids=["central", "forward", "in a list"])
def test_finite_differences_are_pointed_out(code: str) -> None:
    assert said(code, DIFFERENCES) == (
        "cell backward calls batch_norm_forward in a loop with a nudged value and divides by a step, "
        "as finite differences do"
    )


def test_a_complex_step_is_pointed_out() -> None:
    assert "imaginary part of a complex step" in said(COMPLEX, DIFFERENCES)


@pytest.mark.parametrize(
    "code",
    [RIGHT["backward"], ANOTHER_BATCH, BY_SAMPLE, SHIFTED_WITHOUT_A_STEP],
    ids=["no loop", "another batch", "by sample", "shifted, but no quotient"],
)
def test_a_function_that_is_called_in_a_loop_is_no_finite_difference(code: str) -> None:
    assert said(code) == ""
