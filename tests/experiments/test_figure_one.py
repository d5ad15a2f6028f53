import numpy as np

NORMAL = {"part": "reported", "norm": "batch"}
PLAIN = {"part": "reported", "norm": "none"}


def test_with_batch_normalization_the_accuracy_rises_earlier(quick):
    result = quick("figure_one")
    gain = result.difference("mean_accuracy", NORMAL | {"written": "numpy"}, PLAIN | {"written": "numpy"})
    assert gain.low > 0.0


def test_the_last_layers_inputs_move_less_relative_to_their_spread(quick):
    result = quick("figure_one")
    less = result.difference("travel_in_widths", PLAIN | {"written": "numpy"}, NORMAL | {"written": "numpy"})
    assert less.low > 0.0


def test_numpy_by_hand_and_pytorch_agree(quick):
    result = quick("figure_one")
    for side in (NORMAL, PLAIN):
        by_hand, in_torch = (side | {"written": written} for written in ("numpy", "torch"))
        for name, tolerance in (("accuracy", 0.0), ("percentiles", 1e-3), ("loss", 1e-4)):
            np.testing.assert_allclose(
                result.values(name, **by_hand), result.values(name, **in_torch), rtol=tolerance, atol=tolerance
            )


def test_each_side_is_trained_at_the_rate_that_tuning_chose(quick):
    result = quick("figure_one")
    for norm in ("none", "batch"):
        tuned = [c for c in result.conditions() if c["part"] == "tuning" and c["norm"] == norm]
        best = max(tuned, key=lambda condition: result.values("held_out", **condition).mean())
        assert {c["rate"] for c in result.conditions() if c["part"] == "reported" and c["norm"] == norm} == {
            best["rate"]
        }
