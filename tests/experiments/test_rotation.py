import numpy as np


def test_in_the_balance_a_step_turns_the_weights_as_the_formula_says(quick):
    result = quick("rotation")
    for condition in result.conditions():
        turn, expected = result.interval("turn", **condition), result.values("expected_turn", **condition)[0]
        assert abs(turn.mean / expected - 1.0) < 0.15


def test_rate_and_decay_count_by_their_product_only(quick):
    result = quick("rotation")
    one, other = ({"optimizer": "SGD", "rate": rate, "decay": decay} for rate, decay in ((0.5, 0.05), (0.25, 0.1)))
    assert abs(result.interval("turn", **one).mean / result.interval("turn", **other).mean - 1.0) < 0.05
    assert result.difference("length", one, other).low > 0.5


def test_momentum_makes_the_steps_of_adamw_shorter_by_its_factor(quick):
    result = quick("rotation")
    with_it, without = (result.interval("turn", optimizer="AdamW", momentum=m).mean for m in (0.9, 0.0))
    np.testing.assert_allclose(with_it / without, np.sqrt(0.1 / 1.9), rtol=0.15, atol=0)
