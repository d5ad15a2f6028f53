"""Where no belief explains a mistake, the place of it is found by one change after which all is right."""

import functools
import json
from typing import Any

import pytest

from bncourse.diagnosis.conventions import FileReport, diagnose_source, files
from bncourse.diagnosis.conventions.files import look_at_source
from bncourse.diagnosis.conventions.repair import search

FUNCTIONS = """\
import numpy as np

def batchnorm_forward(x, gamma, beta, eps=1e-5):
    m = x.shape[0]
    mean = np.sum(x, axis=0) / m
    square = np.mean(x ** 2, axis=0)
    var = square - mean ** 2
    std = np.sqrt(var + eps)
    x_hat = (x - mean) / std
    y = gamma * x_hat + beta
    return y, (x_hat, std, gamma, mean)

def batchnorm_backward(dy, cache):
    x_hat, std, gamma, mean = cache
    m, d = dy.shape
    dbeta = dy.sum(axis=0)
    dgamma = np.sum(dy * x_hat, axis=0)
    g = dy * gamma
    first = g - g.mean(axis=0)
    second = x_hat * np.mean(g * x_hat, axis=0)
    dx = (first - second) / std
    return dx, dgamma, dbeta
"""
LAYER = """\
import numpy as np

class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.eps, self.momentum, self.training = eps, momentum, True

    def moments(self, x):
        return x.mean(axis=0), x.var(axis=0)

    def forward(self, x):
        if self.training:
            mean, var = self.moments(x)
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var
        else:
            mean, var = self.running_mean, self.running_var
        self.std = np.sqrt(var + self.eps)
        self.x_hat = (x - mean) / self.std
        return self.gamma * self.x_hat + self.beta

    def backward(self, dy):
        self.dbeta = dy.sum(axis=0)
        self.dgamma = (dy * self.x_hat).sum(axis=0)
        n = len(dy)
        share = self.dbeta + self.x_hat * self.dgamma
        return self.gamma * (dy - share / n) / self.std
"""

TENSORS = """\
import torch

def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mean = x.mean(0)
    var = ((x - mean) ** 2).mean(0)
    x_hat = (x - mean) / (var + eps) ** 0.5
    return gamma * x_hat + beta, (x, gamma, eps)

def batchnorm_backward(dy, cache):
    x, gamma, eps = cache
    mean, var = x.mean(0), x.var(0)
    std = (var + eps) ** 0.5
    x_hat = (x - mean) / std
    dbeta, dgamma = dy.sum(0), (dy * x_hat).sum(0)
    g = dy * gamma
    dx = (g - g.mean(0) - x_hat * (g * x_hat).mean(0)) / std
    return dx, dgamma, dbeta
"""


said_of = functools.cache(diagnose_source)


def places(source: str, name: str = "layers.py") -> list[dict[str, Any]]:
    return [one["place"] for one in said_of(source, name=name)["functions"] if one["place"]]


def changed(source: str, old: str, new: str) -> str:
    assert source.count(old) == 1
    return source.replace(old, new)


SLIPS = [
    (FUNCTIONS, "square - mean ** 2", "square - mean", "another power", "mean"),
    pytest.param(FUNCTIONS, "np.mean(x ** 2", "np.mean(x ** 3", "another number", "x ** 3", marks=pytest.mark.long),
    (FUNCTIONS, "(dy * x_hat, axis=0)", "(dy * x_hat / d, axis=0)", "one factor less", "dy * x_hat / d"),
    pytest.param(
        FUNCTIONS,
        "(dy * x_hat, axis=0)",
        "(dy * x_hat + mean, axis=0)",
        "one term less",
        "dy * x_hat + mean",
        marks=pytest.mark.long,
    ),
    (FUNCTIONS, "mean(g * x_hat", "mean(g * mean", "another value in the place of `mean`", "mean"),
    (FUNCTIONS, "dy.sum(axis=0)", "dy.max(axis=0)", "another function in this place", "dy.max(axis=0)"),
    (LAYER, "self.std = np.sqrt(var +", "self.std = np.sqrt(mean +", "another value in the place of `mean`", "mean"),
    (
        LAYER,
        "self.x_hat * self.dg",
        "self.x_hat * self.dbeta#",
        "another value in the place of `self.dbeta`",
        "self.dbeta",
    ),
]


@pytest.mark.parametrize(("source", "right", "wrong", "change", "at"), SLIPS)
def test_the_place_and_the_kind_of_a_slip_are_said(source: str, right: str, wrong: str, change: str, at: str) -> None:
    mistaken = changed(source, right, wrong)
    found = places(mistaken)
    line = mistaken[: mistaken.index(wrong)].count("\n") + 1
    assert [one["line"] for one in found] == [line]
    assert (found[0]["change"], found[0]["at"], found[0]["whole"]) == (change, at, True)
    assert found[0]["source"] == mistaken.splitlines()[line - 1].strip()


def test_the_text_says_where_and_not_what_the_right_code_is() -> None:
    report = look_at_source(changed(FUNCTIONS, "square - mean ** 2", "square - mean"))
    assert (
        "  Line 7: var = square - mean\n"
        "  With one change in this line, at `mean`, everything that was looked at is right. "
        "The change is another power.\n  - "
    ) in report.text()
    assert FileReport.of_data(json.loads(json.dumps(report.data()))) == report


def test_a_slip_that_was_copied_is_said_of_each_of_its_lines() -> None:
    mistaken = LAYER.replace("self.momentum * mean", "self.eps * mean").replace("self.momentum * var", "self.eps * var")
    (found,) = places(mistaken)
    assert (found["line"], [line for line, _ in found["more"]], found["at"]) == (15, [16], "self.eps")
    assert "With the same change in each of these lines, at `self.eps`, everything" in found["text"]


def test_code_for_tensors_that_never_says_torch_is_changed_as_such() -> None:
    (found,) = places(TENSORS)
    assert (found["line"], found["at"]) == (11, "x.var(0)")
    assert found["change"] == "another divisor of this variance"


def test_a_notebook_counts_the_lines_of_each_code_cell() -> None:
    first, second = changed(FUNCTIONS, "square - mean ** 2", "square - mean").split("\n\ndef batchnorm_backward")
    cells = ["import numpy as np", first, "def batchnorm_backward" + second]
    notebook = json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]})
    (found,) = places(notebook, "homework.ipynb")
    assert (found["cell"], found["line"]) == (2, 7)


@pytest.mark.parametrize("source", [FUNCTIONS, LAYER], ids=["functions", "class"])
def test_right_files_and_named_beliefs_are_not_searched(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "Search", None)
    assert diagnose_source(source)["status"] == "right"
    assert (
        diagnose_source(changed(source, "+ beta" if "+ beta" in source else "+ self.beta", ""))["status"] == "mistaken"
    )


TWO = changed(
    changed(FUNCTIONS, "square - mean ** 2", "square - mean"),
    "dgamma = np.sum(dy * x_hat",
    "dgamma = -np.sum(dy * x_hat",
)


def test_of_two_independent_mistakes_the_place_of_one_is_said_and_the_belief_of_the_other() -> None:
    report = diagnose_source(TWO)
    forward, backward = report["functions"]
    assert (forward["place"]["line"], forward["place"]["whole"]) == (7, False)
    assert "this function is right" in look_at_source(TWO).text()
    assert [one["belief"] for one in backward["findings"]] == ["dgamma-flipped"]
    assert (backward["place"], backward["reason"]) == (None, "With the change in line 7 this is said of it:")


LOOPS = """\
import numpy as np

def batchnorm_forward(x, gamma, beta, eps=1e-5):
    total, left = 0, len(x)
    while left != 0:
        left = left - 1
        total = total + np.tanh(x[left])
    mean = total / len(x)
    var = ((x - mean) ** 2).mean(axis=0) + np.tanh(mean)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None
"""


def test_changes_that_loop_for_ever_are_ended_and_nothing_is_said_where_no_change_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "Budget", lambda: search.Budget(tries=60))
    first = diagnose_source(LOOPS)
    assert first["functions"][0]["status"] == "mistaken"
    assert first["functions"][0]["place"] is None
    assert diagnose_source(LOOPS) == first


def test_the_search_is_bounded_by_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        search.Budget, "__init__", lambda self: setattr(self, "tries", 3) or setattr(self, "events", 10**6)
    )
    assert places(changed(FUNCTIONS, "square - mean ** 2", "square - mean + 0")) == []


def test_a_doubtful_belief_gives_way_to_the_place_and_an_exchange_does_not() -> None:
    _, backward = diagnose_source(changed(FUNCTIONS, "(dy * x_hat, axis=0)", "(dy * mean, axis=0)"))["functions"]
    assert (backward["findings"], backward["place"]["at"]) == ([], "mean")
    _, backward = diagnose_source(changed(FUNCTIONS, "    x_hat, std, gamma,", "    std, x_hat, gamma,"))["functions"]
    assert [found["belief"] for found in backward["findings"]] == ["cache-order"]
    assert backward["place"]["change"] == "another order of these"
