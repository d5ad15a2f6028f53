from typing import Any

import numpy as np

from bncourse.diagnosis.rules import Rules
from bncourse.diagnosis.running_stats import diagnose_update, right_update
from bncourse.numpy_bn import RunningStatistics


def test_the_update_that_checks_expect_is_that_of_the_package() -> None:
    rng = np.random.default_rng(0)
    package = RunningStatistics(3, momentum=0.3)
    mean, var = np.zeros(3), np.ones(3)
    for _ in range(4):
        x = rng.standard_normal((5, 3))
        package.update(x.mean(axis=0), x.var(axis=0), 5)
        mean, var = right_update(mean, var, x, momentum=0.3)
    np.testing.assert_allclose(package.mean, mean, rtol=1e-12, atol=0)
    np.testing.assert_allclose(package.var, var, rtol=1e-12, atol=0)


def test_results_may_be_named_and_rows() -> None:
    def update(mean: Any, var: Any, x: Any, momentum: float = 0.1) -> Any:
        new_mean, new_var = right_update(mean, var, x, momentum=momentum)
        return {"running_var": new_var[None], "running_mean": new_mean[None]}

    notes: list[str] = []
    assert diagnose_update(update, seed=1, notes=notes) == []
    assert len(set(notes)) == 2


def test_two_different_slips_are_charged_each() -> None:
    def update(mean: Any, var: Any, x: Any, momentum: float = 0.1) -> Any:
        return mean + momentum * x.mean(axis=0), (1 - momentum) * var + momentum * x.std(axis=0)

    found = diagnose_update(update, seed=1, notes=[])
    assert [(one.part, one.belief) for one in found] == [
        ("running_mean", "running-not-decayed"),
        ("running_var", "running-std-stored"),
    ]


def test_a_weight_that_nobody_listed_is_unknown_and_not_taken_for_a_listed_one() -> None:
    def update(mean: Any, var: Any, x: Any, momentum: float = 0.1) -> Any:
        return right_update(mean, var, x, momentum=0.9 * momentum)

    found = diagnose_update(update, seed=1, notes=[])
    assert [(one.part, one.belief) for one in found] == [("running_mean", None), ("running_var", None)]


def test_a_variance_is_not_one_with_an_eps_too_small_to_see() -> None:
    def unbiased(mean: Any, var: Any, x: Any, *, momentum: float) -> Any:
        return right_update(mean, var, x, momentum=momentum)

    rules = Rules(running_variance="biased")
    for seed in (30_691, 1, 2):
        (found,) = diagnose_update(unbiased, seed=seed, notes=[], rules=rules)
        assert found.belief == "running-variance-unbiased"
