"""Objects that keep the running statistics from call to call: what they do with them besides moving them."""

import pytest

from bncourse.diagnosis.conventions import diagnose_source
from tests.diagnosis.conventions.corpus.reading import programs

LAYER = next(one.source for one in programs("classes") if one.name == "cache-in-self")
MOVES = (
    "        self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean\n"
    "        self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var\n"
)
ASKS = "        if not is_training:\n"
MEASURES = "        mean, var = np.mean(x, axis=0), np.var(x, axis=0)\n"


def said(source: str) -> list[str | None]:
    return [found["belief"] for one in diagnose_source(source)["functions"] for found in one["findings"]]


def test_the_layer_is_right() -> None:
    assert said(LAYER) == []


@pytest.mark.parametrize("after", [False, True])
def test_an_inference_that_moves_the_statistics_is_named_even_where_its_output_is_right(after: bool) -> None:
    moved = MEASURES + MOVES.replace("mean\n", "np.mean(x, axis=0)\n").replace("var\n", "np.var(x, axis=0)\n")
    if after:
        asks = f"{ASKS}            kept = self.running_mean, self.running_var\n"
        source = LAYER.replace(ASKS, asks).replace(
            "            return (x - self.running_mean) / np.sqrt(self.running_var + self.eps) * self.W + self.b\n",
            "            y = (x - kept[0]) / np.sqrt(kept[1] + self.eps) * self.W + self.b\n"
            "            self.running_mean = 0.9 * kept[0] + 0.1 * x.mean(axis=0)\n            return y\n",
        )
    else:
        source = LAYER.replace(MEASURES + MOVES, MEASURES).replace(ASKS, moved + ASKS)
    assert said(source) == ["inference-moves-statistics"]


def test_running_statistics_that_normalize_in_training_are_named() -> None:
    source = LAYER.replace("(x - mean) / std", "(x - self.running_mean) / np.sqrt(self.running_var + self.eps)")
    assert said(source)[0] == "running-in-training"


def test_a_wrong_y_in_training_that_no_statistic_moves_is_not_called_so() -> None:
    source = LAYER.replace("x_hat = (x - mean) / std", "x_hat = np.sin(x - mean) / std")
    assert "running-in-training" not in said(source)


def test_a_condition_the_wrong_way_round_is_one_mistake() -> None:
    layer = next(one.source for one in programs("written_first") if one.name == "keras-like")
    assert said(layer) == []
    assert said(layer.replace("if training:", "if not training:")) == ["modes-exchanged"]


def notes(source: str) -> list[str]:
    return [note for one in diagnose_source(source)["functions"] for note in one["notes"]]


@pytest.mark.parametrize(("momentum", "replaced"), [("0.9", ""), ("0.5", ""), ("0.1", "90 %"), ("0.01", "99 %")])
def test_a_default_for_the_other_formula_is_told_of(momentum: str, replaced: str) -> None:
    told = notes(LAYER.replace("momentum=0.9", f"momentum={momentum}"))
    assert [note for note in told if "two conventions" in note] == [
        note for note in told if replaced and replaced in note
    ]
    assert bool(replaced) == any("two conventions" in note for note in told)


def test_a_default_in_a_dict_of_settings_for_the_other_formula_is_told_of() -> None:
    source = next(one.source for one in programs("cs231n") if '.get("momentum", 0.9)' in one.source)
    assert not any("two conventions" in note for note in notes(source))
    assert any("95 %" in note for note in notes(source.replace('.get("momentum", 0.9)', '.get("momentum", 0.05)')))


def test_a_momentum_that_nobody_can_set_for_the_other_formula_is_a_mistake() -> None:
    fixed = LAYER.replace(", momentum=0.9", "").replace("        self.momentum = momentum\n", "")
    assert fixed.count("self.momentum") == 4
    assert said(fixed.replace("self.momentum", "0.9")) == []
    assert said(fixed.replace("self.momentum", "0.2")) == ["momentum-of-another-formula"]


def test_an_average_of_all_batches_replaces_nothing() -> None:
    counted = LAYER.replace(
        "        mean, var = np.mean",
        "        self.count += 1\n        keep = 1 - 1 / self.count\n        mean, var = np.mean",
    )
    counted = counted.replace(", momentum=0.9", "").replace("self.momentum = momentum", "self.count = 0")
    counted = counted.replace("self.momentum", "keep")
    assert "momentum-of-another-formula" not in said(counted)


def test_an_inference_with_the_statistics_of_the_last_training_batch_is_named() -> None:
    inference = "(x - self.running_mean) / np.sqrt(self.running_var + self.eps)"
    assert inference in LAYER
    stale = LAYER.replace(MEASURES, f"{MEASURES}        self.last = mean, var\n")
    stale = stale.replace(inference, "(x - self.last[0]) / np.sqrt(self.last[1] + self.eps)")
    stale = stale.replace("self.cache = None\n", "self.cache, self.last = None, (np.zeros(1), np.ones(1))\n")
    assert said(stale) == ["batch-before-kept"]


KEPT_BY_ANOTHER = """\
import numpy as np

def update_running(run, x):
    return {"m2": run["m2"] + ((x - x.mean(0)) ** 2).sum(0), "mean": x.mean(0), "var": x.var(0)}

def normalize(x, gamma, beta, run=None, *, training, eps=1e-5):
    mean, var = (x.mean(0), x.var(0)) if training else (run["mean"], run["var"])
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None
"""
FROM_THE_BUNDLE = """\
import numpy as np

def bn_forward(p, x, training=True):
    if training:
        mu, var = x.mean(0), x.var(0)
        p["rm"] = 0.9 * p["rm"] + 0.1 * mu
        p["rv"] = 0.9 * p["rv"] + 0.1 * var
    else:
        mu, var = p["rm"], p["rv"]
    p["sd"] = np.sqrt(var + 1e-5)
    p["xn"] = (x - mu) / p["sd"]
    return p["gamma"] * p["xn"] + p["beta"]

def bn_backward(p, dy):
    xn, n = p["xn"], len(dy)
    p["dgamma"], p["dbeta"] = (dy * xn).sum(0), dy.sum(0)
    g = dy * p["gamma"]
    return (g - g.sum(0) / n - xn * (g * xn).sum(0) / n) / p["sd"]
"""


def test_a_function_is_not_charged_with_statistics_that_another_moves() -> None:
    report = diagnose_source(KEPT_BY_ANOTHER)["functions"][0]
    assert (report["name"], report["status"], report["findings"]) == ("normalize", "right", [])


def test_a_backward_pass_reads_and_leaves_its_numbers_in_the_forward_passs_bundle() -> None:
    assert [one["status"] for one in diagnose_source(FROM_THE_BUNDLE)["functions"]] == ["right", "right"]
    _, backward = diagnose_source(FROM_THE_BUNDLE.replace("dy.sum(0)\n", "dy.mean(0)\n"))["functions"]
    assert [found["belief"] for found in backward["findings"]] == ["dbeta-mean"]


def test_a_flag_of_another_class_sets_the_mode() -> None:
    asks = LAYER.replace("class BatchNormLayer", "class Mode:\n    training = False\n\nclass BatchNormLayer", 1)
    asks = asks.replace("is_training=True", "*unused").replace("if not is_training:", "if not Mode.training:")
    assert said(asks) == []
