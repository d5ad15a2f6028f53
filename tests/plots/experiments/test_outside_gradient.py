from bncourse.experiments import recorded
from bncourse.plots.experiments import outside_gradient


def test_the_bias_and_the_error_are_shown(sound):
    result = recorded("outside_gradient")
    bias = abs(result.values("bias", part="growth", statistics="outside")[:, -1]).mean()
    shown = sound(outside_gradient.draw(result), f"left out: bias {bias:.3g}", "error at 8 samples 58 %")
    for word in ("size of the bias", "batch size m", "√(2/(m − 2))"):
        assert word in shown
