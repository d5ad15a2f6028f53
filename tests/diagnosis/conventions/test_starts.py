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


ELSEWHERE = """
import numpy as np
from types import SimpleNamespace

def merge(run, x):
    n = run.n + len(x)
    return SimpleNamespace(n=n, mean=run.mean + (x.mean(0) - run.mean) * len(x) / n, var=run.var)

def normalize(x, gamma, beta, run=None, *, training, eps=1e-5):
    mean, var = (x.mean(0), x.var(0)) if training else (run.mean, run.var)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta
"""


def test_statistics_that_another_function_of_the_file_moves_are_not_missed() -> None:
    assert diagnose_source(ELSEWHERE)["status"] == "right"
    wrong = diagnose_source(ELSEWHERE.replace("(run.mean, run.var)", "(run.mean, run.var ** 2)"))
    assert wrong["status"] == "mistaken"


OBJECT = """
import numpy as np
from types import SimpleNamespace

def init_bn(d):
    return SimpleNamespace(gamma=np.ones(d), beta=np.zeros(d), rmean=np.zeros(d), rvar=np.ones(d))

def bn_forward(bn, x, training):
    if training:
        mu, var = x.mean(0), x.var(0)
        bn.rmean, bn.rvar = 0.9 * bn.rmean + 0.1 * mu, 0.9 * bn.rvar + 0.1 * var
    else:
        mu, var = bn.rmean, bn.rvar
    std = np.sqrt(var + 1e-5)
    bn.cache = ((x - mu) / std, std)
    return bn.gamma * bn.cache[0] + bn.beta

def bn_backward(bn, dout):
    xn, std = bn.cache
    bn.dgamma, bn.dbeta = (dout * xn).sum(0), dout.sum(0)
    g = dout * bn.gamma
    return (g - g.mean(0) - xn * (g * xn).mean(0)) / std
"""


def test_an_object_is_handed_from_the_forward_pass_to_the_backward_pass_with_what_lies_in_it() -> None:
    report = diagnose_source(OBJECT)
    assert [one["status"] for one in report["functions"]] == ["right", "right"]
    wrong = diagnose_source(OBJECT.replace("dout.sum(0)", "dout.mean(0)"))
    assert [found["belief"] for found in wrong["functions"][1]["findings"]] == ["dbeta-mean"]
