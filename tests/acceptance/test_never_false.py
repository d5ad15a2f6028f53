"""Sentences that were false of real programs, each as a test of its kind."""

from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis import diagnose
from bncourse.diagnosis.checks import check_staged
from bncourse.diagnosis.evidence.specimens import OTHERS, SPECIMENS, OtherSpecimen
from bncourse.diagnosis.evidence.specimens.registry import plain_backward, plain_forward
from bncourse.diagnosis.rules import PLACES, Rules
from bncourse.numpy_bn import batch_norm_backward_staged, batch_norm_forward

MAPS = Rules(spatial=PLACES)


def reshaped(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    channels = x.shape[1]
    y, cache = plain_forward(x.reshape(-1, channels), gamma, beta, eps)
    return y.reshape(x.shape), cache


def test_the_exact_gradient_of_a_reshape_is_not_charged() -> None:
    def backward(dy: Any, cache: Any) -> Any:
        dx, dgamma, dbeta = plain_backward(dy.reshape(-1, dy.shape[1]), cache)
        return dx.reshape(dy.shape), dgamma, dbeta

    for seed in range(4):
        assert diagnose(reshaped, backward, rules=MAPS, seed=seed).beliefs == ("conv-reshape",)


def test_no_constant_is_imagined_where_there_is_none() -> None:
    def scalar(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        return gamma * (x - x.mean()) / x.std() + beta, None

    def over_the_image(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        axes = (1, 2, 3)
        x_hat = (x - x.mean(axis=axes, keepdims=True)) / x.std(axis=axes, keepdims=True)
        return gamma[:, None, None] * x_hat + beta[:, None, None], None

    for seed in range(4):
        assert set(diagnose(scalar, seed=seed).beliefs) == {"eps-ignored", "scalar-statistics"}
        assert set(diagnose(over_the_image, rules=MAPS, seed=seed).beliefs) == {"conv-layer-norm", "eps-ignored"}


def test_a_right_backward_pass_is_not_charged_for_an_eps_that_the_forward_pass_lacks() -> None:
    def forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        var = x.var(axis=0)
        x_hat = (x - x.mean(axis=0)) / np.sqrt(var)
        return gamma * x_hat + beta, (x_hat, var, gamma, eps)

    def backward(dy: Any, cache: Any) -> Any:
        x_hat, var, gamma, eps = cache
        dx_hat = dy * gamma
        bracket = dx_hat - dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)
        return bracket / np.sqrt(var + eps), (dy * x_hat).sum(axis=0), dy.sum(axis=0)

    for seed in range(4):
        assert diagnose(forward, backward, seed=seed).beliefs == ("eps-ignored",)


def test_the_same_beliefs_are_said_for_every_seed() -> None:
    def backward(dy: Any, cache: Any) -> Any:
        _, dgamma, dbeta = plain_backward(dy, cache)
        return dy * cache["inv_std"], dgamma, dbeta

    said = {diagnose(plain_forward, backward, seed=seed).beliefs for seed in range(25)}
    assert said == {("statistics-detached", "dx-gamma-missing")}


def test_rows_and_columns_are_not_samples_and_features() -> None:
    def forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        y, cache = plain_forward(x, gamma, beta, eps)
        return np.swapaxes(y, 2, 3), cache

    assert diagnose(forward, rules=MAPS).beliefs == ("conv-rows-columns",)


def test_a_missing_cache_is_charged_to_the_forward_pass() -> None:
    def forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        return plain_forward(x, gamma, beta, eps)[0], None

    def backward(dy: Any, cache: Any) -> Any:
        x_hat, _ = cache
        return dy, (dy * x_hat).sum(axis=0), dy.sum(axis=0)

    found = diagnose(forward, backward).findings
    assert [(one.part, one.belief) for one in found] == [("forward", "cache-missing")]


def test_hints_about_a_shape_speak_of_what_has_it() -> None:
    def inference(x: Any, gamma: Any, beta: Any, mean: Any, var: Any, eps: float = 1e-5) -> Any:
        return np.ones(3) * 1.0

    (found,) = diagnose(plain_forward, inference=inference).findings
    assert found.belief == "wrong-shape"
    assert not any("gradient" in hint for hint in found.hints)


@pytest.mark.parametrize("other", OTHERS, ids=lambda one: f"{one.belief}:{one.name}")
def test_other_normalizations_are_named(other: OtherSpecimen) -> None:
    for seed in range(3):
        assert other.diagnose(seed).beliefs[:1] == (other.belief,)


def test_that_a_share_is_zero_is_right_and_a_missing_stage_is_named() -> None:
    def staged(dy: Any, cache: Any) -> Any:
        gradients, stages = batch_norm_backward_staged(dy, cache)
        return gradients, {**stages._asdict(), "dmean_through_var": 0}

    def without(dy: Any, cache: Any) -> Any:
        gradients, stages = batch_norm_backward_staged(dy, cache)
        return gradients, {name: value for name, value in stages._asdict().items() if name != "dvar"}

    check_staged(batch_norm_forward, staged)
    with pytest.raises(AssertionError, match="The stage dvar is missing"):
        check_staged(batch_norm_forward, without)


@pytest.mark.long
def test_a_thousand_seeds_say_no_false_sentence() -> None:
    rng = np.random.default_rng(5)
    usable = [one for one in (*SPECIMENS, *OTHERS) if getattr(one, "role", "") != "staged"]
    for seed in range(1000):
        specimen = usable[int(rng.integers(len(usable)))]
        said = [one for one in specimen.diagnose(seed + 30_000).beliefs if one not in getattr(specimen, "beside", ())]
        assert said[:1] == [specimen.belief], (seed, specimen.name)
