from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis import diagnose
from bncourse.diagnosis.moving import right_update
from bncourse.diagnosis.specimens.registry import plain_backward, plain_forward
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
