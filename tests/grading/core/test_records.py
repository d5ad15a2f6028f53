"""Which functions are watched, and which tests lose their points where one of them measures."""

from tests.grading.small import MASTER


def test_a_forward_pass_is_watched_with_the_backward_pass_that_gets_its_cache() -> None:
    assert MASTER.gradients == {"batch_norm_backward"}
    assert MASTER.watched == {"batch_norm_forward", "batch_norm_backward"}


def test_a_forward_pass_that_measures_costs_only_the_tests_that_ask_for_a_gradient() -> None:
    assert MASTER.not_derived("test-forward", ["batch_norm_forward"]) == []
    assert MASTER.not_derived("test-backward", ["batch_norm_forward"]) == ["batch_norm_forward"]
    assert MASTER.not_derived("test-backward", []) == []
