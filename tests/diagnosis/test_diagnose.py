from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from bncourse.diagnosis import checks, diagnose
from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward
from bncourse.diagnosis.running_stats import right_update
from bncourse.numpy_bn import batch_norm_inference, batch_norm_inference_backward


def scaled_dx(factor: float) -> Any:
    def backward(dy: Any, cache: Any) -> Any:
        dx, dgamma, dbeta = plain_backward(dy, cache)
        return factor * dx, dgamma, dbeta

    return backward


def test_everything_right_is_right_in_one_call() -> None:
    report = diagnose(
        plain_forward,
        plain_backward,
        inference=batch_norm_inference,
        inference_backward=batch_norm_inference_backward,
        running=right_update,
        conv=True,
    )
    assert report.correct
    assert report.notes == ()


def test_factors_that_nobody_listed_are_found_by_a_law_and_not_taken_for_a_listed_one() -> None:
    for factor in (1.3, 0.77, 1.002, -1.4):
        assert diagnose(plain_forward, scaled_dx(factor)).beliefs == ("law-derivative",)


@pytest.mark.parametrize(("mean", "var", "belief"), [(0.7, 1, "law-dx-sums-to-zero"), (1, 0.7, "law-dx-orthogonal")])
def test_a_path_of_unlisted_weight_breaks_its_own_law(mean: float, var: float, belief: str) -> None:
    def backward(dy: Any, cache: Any) -> Any:
        x_hat = cache["x_hat"]
        rest = dy - mean * dy.mean(axis=0) - var * x_hat * (dy * x_hat).mean(axis=0)
        return cache["gamma"] * cache["inv_std"] * rest, (dy * x_hat).sum(axis=0), dy.sum(axis=0)

    for seed in range(5):
        assert diagnose(plain_forward, backward, seed=seed).beliefs == (belief,)


def test_each_task_is_charged_for_its_own_slip() -> None:
    def inference(x: Any, gamma: Any, beta: Any, mean: Any, var: Any, eps: float = 1e-5) -> Any:
        return (x - mean) / np.sqrt(var + eps)

    def running(mean: Any, var: Any, x: Any, momentum: float = 0.1) -> Any:
        return right_update(mean, var, x, momentum=1 - momentum)

    report = diagnose(plain_forward, scaled_dx(-1), inference=inference, running=running)
    assert [(found.part, found.belief) for found in report.findings] == [
        ("dx", "dx-flipped"),
        ("inference", "inference-without-affine"),
        ("running", "momentum-swapped"),
    ]


def test_a_slip_on_tables_is_not_charged_again_on_feature_maps() -> None:
    def forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        return plain_forward(x, gamma, beta, 1e-5)

    report = diagnose(forward, plain_backward, conv=True)
    assert report.beliefs == ("eps-hard-coded",)


def test_mean_and_variance_of_the_running_statistics_are_told_apart() -> None:
    def running(mean: Any, var: Any, x: Any, momentum: float = 0.1) -> Any:
        new_mean, _ = right_update(mean, var, x, momentum=momentum)
        return new_mean, var

    report = diagnose(plain_forward, running=running)
    assert [(found.part, found.belief) for found in report.findings] == [("running_var", "running-not-updated")]


def test_wrong_inference_is_charged_once_when_its_gradient_fits() -> None:
    def inference(x: Any, gamma: Any, beta: Any, mean: Any, var: Any, eps: float = 1e-5) -> Any:
        inv_std = 1 / (np.sqrt(var) + eps)
        x_hat = (x - mean) * inv_std
        return gamma * x_hat + beta, (x_hat, inv_std, gamma)

    def backward(dy: Any, cache: Any) -> Any:
        x_hat, inv_std, gamma = cache
        return dy * gamma * inv_std, (dy * x_hat).sum(axis=0), dy.sum(axis=0)

    report = diagnose(plain_forward, inference=inference, inference_backward=backward)
    assert report.beliefs == ("inference-eps-outside-root",)
    assert "inference dx" in report.follow_through


def test_a_tiny_constant_for_eps_is_told_from_none() -> None:
    for constant, belief in ((0.0, "eps-ignored"), (1e-12, "eps-hard-coded"), (1e-8, "eps-hard-coded")):

        def forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5, constant: float = constant) -> Any:
            return plain_forward(x, gamma, beta, constant)

        assert diagnose(forward).beliefs == (belief,)


def test_a_backward_pass_of_inference_needs_the_inference() -> None:
    with pytest.raises(ValueError, match="Expected both"):
        diagnose(plain_forward, inference_backward=plain_backward)


# --- an oracle that shares no code with the reference


def torch_forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    leaves = [torch.tensor(value, requires_grad=True) for value in (x, gamma, beta)]
    y = torch.nn.functional.batch_norm(leaves[0], None, None, *leaves[1:], training=True, eps=eps)
    return y.detach().numpy(), (y, leaves)


def torch_inference(x: Any, gamma: Any, beta: Any, mean: Any, var: Any, eps: float = 1e-5) -> Any:
    leaves = [torch.tensor(value, requires_grad=True) for value in (x, gamma, beta)]
    statistics = torch.tensor(mean), torch.tensor(var)
    y = torch.nn.functional.batch_norm(leaves[0], *statistics, *leaves[1:], training=False, eps=eps)
    return y.detach().numpy(), (y, leaves)


def torch_backward(dy: Any, cache: Any) -> Any:
    y, leaves = cache
    return tuple(gradient.numpy() for gradient in torch.autograd.grad(y, leaves, torch.tensor(dy)))


def torch_update(mean: Any, var: Any, x: Any, momentum: float = 0.1) -> Any:
    running = torch.tensor(mean), torch.tensor(var)
    torch.nn.functional.batch_norm(torch.tensor(x), *running, training=True, momentum=momentum)
    return tuple(value.numpy() for value in running)


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_pytorch_is_right() -> None:
    for seed in range(6):
        report = diagnose(
            torch_forward,
            torch_backward,
            inference=torch_inference,
            inference_backward=torch_backward,
            running=torch_update,
            conv=True,
            seed=seed,
        )
        assert report.correct, str(report)
        checks.check_laws(torch_forward, torch_backward, seed=seed)
