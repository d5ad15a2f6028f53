import torch

from bncourse.experiments.affine_only import keep_some

REPORTED = {"part": "reported", "width": 64}


def test_gamma_and_beta_alone_learn_far_more_than_a_guess_and_less_than_everything(quick):
    result = quick("affine_only")
    alone, everything = ({"trained": name, **REPORTED} for name in ("gamma and beta", "everything"))
    assert result.interval("accuracy", **alone).low > 0.5
    assert result.difference("accuracy", everything, alone).low > 0.0


def test_as_many_weights_are_trained_as_there_are_gammas_and_betas():
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.ones(4, 5)), torch.nn.Parameter(torch.ones(10))]
    keep_some(weights, 7)
    sum(w.sum() for w in weights).backward()
    assert sum(int((w.grad != 0).sum()) for w in weights) == 7
