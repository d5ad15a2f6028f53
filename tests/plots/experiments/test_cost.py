import pytest

from bncourse.experiments.result import Measured, Result, grid
from bncourse.plots.experiments import cost


@pytest.fixture
def result() -> Result:
    layer = {"seconds": 0.004, "bytes": 8e6, "bandwidth": 4e9}
    reached = {"library": 0.5, "equations": 0.125, "loops": 1.0, "compiler": 1 / 3}
    network = {"step_without": 0.003, "step_with": 0.004, "inference": 0.002, "inference_folded": 0.001}
    layers = grid([0, 1], part=["layer"], way=list(reached), shape=["256x1024", "8x256x14x14"])
    rows = [Measured(unit, layer | {"roofline": reached[unit["way"]]}, 0.0) for unit in layers]
    rows += [Measured(unit, network, 0.0) for unit in grid([0, 1], part=["network"], network=["mlp", "convolution"])]
    config = {"layers": ["256x1024", "8x256x14x14"], "networks": ["mlp", "convolution"]}
    return Result("cost", "?", config, {}, tuple(rows))


def test_a_layer_stands_above_the_roof_by_its_factor(sound, result):
    shown = sound(cost.draw(result), "256x1024 takes 2.0 times as long as its bytes")
    for word in ("256 × 1024", "8 × 256 × 14 × 14", "time measured (ms)"):
        assert word in shown


def test_networks_are_shown_with_and_without(sound, result):
    shown = sound(cost.networks(result), "mlp, training step with batch norm: 4.00 ms", "inference folded: 1.00 ms")
    for word in ("training step", "inference", "folded"):
        assert word in shown


def test_each_way_is_a_multiple_of_the_bytes_time(sound, result):
    shown = sound(cost.ways(result), "(NumPy): 8.0", "(numba): 1.0", "(torch.compile): 3.0", "(PyTorch): 2.0")
    assert "library (PyTorch)" in shown
