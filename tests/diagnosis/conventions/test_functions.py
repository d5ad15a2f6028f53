"""Functions that read numbers of their file, or that take tensors by nothing but their methods."""

import pytest

from bncourse.diagnosis.conventions import diagnose_source

NINJA = """
import torch
n, n_hidden = 32, 64

def bn_forward(hprebn, bngain, bnbias):
    bnmeani = 1 / n * hprebn.sum(0, keepdim=True)
    bndiff = hprebn - bnmeani
    bnvar = 1 / n * (bndiff ** 2).sum(0, keepdim=True)
    bnvar_inv = (bnvar + 1e-5) ** -0.5
    bnraw = bndiff * bnvar_inv
    return bngain * bnraw + bnbias, bnraw, bnvar_inv

def bn_backward(dhpreact, bngain, bnraw, bnvar_inv):
    dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
    dbnbias = dhpreact.sum(0, keepdim=True)
    dhprebn = bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - bnraw * (dhpreact * bnraw).sum(0))
    return dhprebn, dbngain, dbnbias
"""


def report(source: str) -> tuple[str, list[str | None]]:
    found = diagnose_source(source)
    return found["status"], [each["belief"] for one in found["functions"] for each in one["findings"]]


def test_a_number_of_samples_of_the_file_is_that_of_the_batch() -> None:
    assert report(NINJA) == ("right", [])
    assert report(
        NINJA.replace("n, n_hidden", "batch_size, n_hidden")
        .replace(" n ", " batch_size ")
        .replace("(n ", "(batch_size ")
    ) == ("right", [])


@pytest.mark.parametrize(
    ("old", "new", "belief"),
    [
        ("dhpreact.sum(0) - bnraw", "bnraw", "mean-path-missing"),
        ("bngain * bnvar_inv / n", "bngain * bnvar_inv", None),
        ("1 / n * (bndiff", "1 / (n - 1) * (bndiff", "variance-unbiased"),
    ],
)
def test_mistakes_of_such_functions_are_named(old: str, new: str, belief: str | None) -> None:
    status, said = report(NINJA.replace(old, new))
    assert status == "mistaken"
    assert belief is None or said[0] == belief


def test_a_backward_pass_that_fits_the_unbiased_variance_makes_it_a_convention() -> None:
    source = NINJA.replace("1 / n * (bndiff", "1 / (n - 1) * (bndiff")
    fits = source.replace("- bnraw * (dhpreact", "- n / (n - 1) * bnraw * (dhpreact")
    assert report(fits) == ("right", [])
    fast = fits + (
        "\ndef bn_backward_fast(dhpreact, bngain, bnraw, bnvar_inv):\n"
        "    return bn_backward(dhpreact, bngain, bnraw, bnvar_inv)[0]\n"
    )
    assert report(fast) == ("right", [])
    assert report(fast.replace("bnvar_inv)[0]", "bnvar_inv)[0] * 2"))[0] == "mistaken"


GIVEN = """
import numpy as np

def batchnorm(x, gamma, beta, running_mean=None, running_var=None, eps=1e-5):
    mean, var = (x.mean(0), x.var(0)) if running_mean is None else (running_mean, running_var)
    x_hat = (x - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x_hat, var, gamma, eps)
"""


def test_a_function_that_infers_where_it_is_given_statistics_trains_without_them() -> None:
    assert report(GIVEN) == ("right", [])
    held = GIVEN.replace("running_mean=None, running_var=None", "stats=None").replace(
        "running_mean is None", "stats is None"
    )
    held = held.replace("(running_mean, running_var)", "(stats['mean'], stats['var'])")
    assert report(held) == ("right", [])
    for source in (GIVEN, held):
        assert report(source.replace("x.var(0))", "x.var(0, ddof=1))"))[1] == ["variance-unbiased"]
        wrong = source.replace("running_mean, running_var) ", "running_mean, running_var ** 2) ")
        wrong = wrong.replace("running_mean, running_var)\n", "running_mean, running_var ** 2)\n").replace(
            "stats['var'])", "stats['var'] ** 2)"
        )
        assert report(wrong)[0] == "mistaken"


def test_an_average_of_all_batches_without_a_momentum_is_no_mistake() -> None:
    source = GIVEN + (
        "\ndef update_running(stats, x):\n"
        "    stats['count'] += 1\n"
        "    for name, new in (('mean', x.mean(0)), ('var', x.var(0))):\n"
        "        pass\n"
        "    stats['mean'] = stats['mean'] + (x.mean(0) - stats['mean']) / stats['count']\n"
        "    stats['var'] = stats['var'] + (x.var(0) - stats['var']) / stats['count']\n"
        "    return stats\n"
    )
    assert report(source) == ("right", [])
    assert not any("momentum" in line for one in diagnose_source(source)["functions"] for line in one["differences"])
