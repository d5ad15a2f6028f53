from bncourse.experiments.explosion import RELU_GROWTH


def test_with_batch_norm_the_squared_gradient_grows_by_the_predicted_factor_per_layer(quick):
    growth = quick("explosion").interval("growth", norm="batch", depth=50, activation="relu")
    assert abs(growth.mean / RELU_GROWTH - 1.0) < 0.02


def test_without_it_and_with_layer_norm_the_gradient_keeps_its_size(quick):
    result = quick("explosion")
    for norm in ("none", "layer"):
        growth = result.interval("growth", norm=norm, depth=50, activation="relu")
        assert abs(growth.mean - 1.0) < 0.05


def test_fifty_layers_multiply_the_gradient_by_thousands(quick):
    assert quick("explosion").interval("total", norm="batch", depth=50, activation="relu").low > 1000
