"""Averages in a state of the file's own: corrected ones as in Haiku, counted ones, and what goes wrong with them."""

import pytest

from bncourse.diagnosis.conventions import diagnose_source

HAIKU = """
import numpy as np

def ema_init(shape):
    return {"counter": 0, "hidden": np.zeros(shape), "average": np.zeros(shape)}

def ema_update(s, value, decay):
    counter = s["counter"] + 1
    hidden = s["hidden"] * decay + value * (1 - decay)
    return {"counter": counter, "hidden": hidden, "average": hidden / (1 - decay ** counter)}

def bn_init(c):
    return {"scale": np.ones(c), "offset": np.zeros(c)}, {"mean_ema": ema_init(c), "var_ema": ema_init(c)}

def bn_apply(params, state, x, is_training, decay_rate=0.95, eps=1e-5):
    if is_training:
        mean, var = x.mean(0), x.var(0)
        state = {"mean_ema": ema_update(state["mean_ema"], mean, decay_rate),
                 "var_ema": ema_update(state["var_ema"], var, decay_rate)}
    else:
        mean, var = state["mean_ema"]["average"], state["var_ema"]["average"]
    return params["scale"] * (x - mean) / np.sqrt(var + eps) + params["offset"], state
"""
COUNTED = """
import numpy as np

class Stats:
    def __init__(self, width):
        self.n, self.mean, self.var = 0, np.zeros(width), np.zeros(width)

def update_running(stats, mean, var):
    stats.n += 1
    stats.mean += (mean - stats.mean) / stats.n
    stats.var += (var - stats.var) / stats.n

def bn_train(x, gamma, beta, stats, eps=1e-5):
    mean, var = x.mean(0), x.var(0)
    update_running(stats, mean, var)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta

def bn_predict(x, gamma, beta, stats, eps=1e-5):
    return gamma * (x - stats.mean) / np.sqrt(stats.var + eps) + beta
"""


def said(source: str) -> list[str | None]:
    report = diagnose_source(source)
    assert report["status"] != "unreadable", report
    return [found["belief"] for one in report["functions"] for found in one["findings"]]


@pytest.mark.parametrize(
    ("source", "old", "new", "beliefs"),
    [
        (HAIKU, "", "", []),
        (
            HAIKU,
            '"hidden": hidden, "average": hidden / (1 - decay ** counter)',
            '"hidden": hidden / (1 - decay ** counter), "average": hidden / (1 - decay ** counter)',
            ["running-correction-stored"],
        ),
        (
            HAIKU,
            'state["mean_ema"]["average"], state["var_ema"]["average"]',
            'state["mean_ema"]["average"], state["var_ema"]["hidden"]',
            ["running-start-corrected-once"],
        ),
        (COUNTED, "", "", []),
        (COUNTED, "self.n, self.mean, self.var = 0,", "self.n, self.mean, self.var = 1,", ["running-count-ahead"]),
    ],
)
def test_three_batches_show_what_is_averaged(source: str, old: str, new: str, beliefs: list[str]) -> None:
    assert old in source
    assert said(source.replace(old, new)) == beliefs
