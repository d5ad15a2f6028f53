"""Parameters that only the file's own functions or classes make."""

from bncourse.diagnosis.conventions import diagnose_source

POOLED = """
import numpy as np

class RunningMoments:
    def __init__(self, width):
        self.n, self.mean, self.m2 = 0, np.zeros(width), np.zeros(width)

    def add(self, x):
        total = self.n + len(x)
        delta = x.mean(0) - self.mean
        self.m2 = self.m2 + ((x - x.mean(0)) ** 2).sum(0) + delta ** 2 * self.n * len(x) / total
        self.mean = self.mean + delta * len(x) / total
        self.n = total

def bn_train(x, gamma, beta, seen, eps=1e-5):
    seen.add(x)
    mu, inv = x.mean(0), 1 / np.sqrt(x.var(0) + eps)
    x_hat = (x - mu) * inv
    return gamma * x_hat + beta, (x_hat, inv, gamma)

def bn_grads(dout, cache):
    x_hat, inv, gamma = cache
    g = dout * gamma
    return inv * (g - g.mean(0) - x_hat * (g * x_hat).mean(0)), np.sum(dout * x_hat, 0), np.sum(dout, 0)
"""


def test_an_object_of_the_files_own_class_is_made_for_a_function_that_calls_its_methods() -> None:
    report = diagnose_source(POOLED)
    assert [one["status"] for one in report["functions"]] == ["right", "right"]
    assert "have not been judged" in report["functions"][0]["notes"][0]


def test_the_function_is_judged_then() -> None:
    report = diagnose_source(POOLED.replace("g - g.mean(0) - ", "g - "))
    assert [found["belief"] for found in report["functions"][1]["findings"]] == ["mean-path-missing"]


NESTED = """
import numpy as np

def bn_forward(x, params):
    gamma, beta = params['weights']['gamma'], params['weights']['beta']
    if params['train']:
        mu, var, m = x.mean(0), x.var(0), params['momentum']
        params['stats']['mean'] = m * params['stats']['mean'] + (1 - m) * mu
        params['stats']['var'] = m * params['stats']['var'] + (1 - m) * var
    else:
        mu, var = params['stats']['mean'], params['stats']['var']
    x_hat = (x - mu) / np.sqrt(var + params['eps'])
    return gamma * x_hat + beta, x_hat
"""


def test_a_nested_dict_whose_parts_have_the_names_of_other_things_is_read() -> None:
    report = diagnose_source(NESTED)
    assert report["status"] == "right"
    wrong = diagnose_source(NESTED.replace("(1 - m) * var", "(1 - m) * var ** 0.5"))
    assert [found["belief"] for found in wrong["functions"][0]["findings"]] == ["running-std-stored"]
