"""Real gloo groups of 2 and 4 processes on loopback, against one process with the joined batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bncourse.torch_bn import BatchNorm, GhostBatchNorm, SyncBatchNorm, synchronized

pytestmark = pytest.mark.xdist_group("sync")  # one run of the processes serves all tests

WORKER = Path(__file__).with_name("sync_worker.py")
WORLDS = {
    "two-equal": 2,
    "two-unequal": 2,
    "two-single-values": 2,
    "two-one-empty": 2,
    "four-unequal": 4,
    "four-two-empty": 4,
}
EPS = 0.1


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run every scenario once; returns name -> the list of what each process left, None where it left nothing."""
    folder = tmp_path_factory.mktemp("sync")
    done = subprocess.run(
        [sys.executable, WORKER, folder],
        capture_output=True,
        text=True,
        timeout=240,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr

    def load(name, world):
        files = [folder / f"{name}-{rank}.pt" for rank in range(world)]
        return [torch.load(file, weights_only=False) if file.exists() else None for file in files]

    return load


def joined(parts, step, key):
    return torch.cat([part["steps"][step][key] for part in parts])


@pytest.mark.parametrize("case", WORLDS)
@pytest.mark.parametrize("affine", [True, False])
def test_forward_backward_and_running_statistics_equal_one_process_with_the_joined_batch(results, case, affine):
    parts = [result[0 if affine else 1] for result in results(case, WORLDS[case])]
    channels = parts[0]["state"]["running_mean"].numel()
    layer = torch.nn.BatchNorm1d if joined(parts, 0, "x").ndim < 4 else torch.nn.BatchNorm2d
    single = layer(channels, eps=EPS, momentum=0.5, affine=affine).double()
    if affine:
        torch.manual_seed(7)
        torch.nn.init.normal_(single.weight)
        torch.nn.init.normal_(single.bias)
    for step in range(2):
        x = joined(parts, step, "x").requires_grad_()
        single.zero_grad()
        y = single(x)
        y.backward(joined(parts, step, "dy"))
        torch.testing.assert_close(joined(parts, step, "y"), y, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(joined(parts, step, "dx"), x.grad, rtol=1e-10, atol=1e-12)
        for position, parameter in enumerate(single.parameters()):
            summed = sum(part["steps"][step]["gradients"][position] for part in parts)
            torch.testing.assert_close(summed, parameter.grad, rtol=1e-11, atol=1e-11)
    for part in parts:
        for name, value in single.state_dict().items():
            torch.testing.assert_close(part["state"][name], value, rtol=1e-12, atol=1e-12)
    evaluated = torch.cat([part["evaluated"] for part in parts])
    torch.testing.assert_close(evaluated, single.eval()(joined(parts, 0, "x")), rtol=1e-12, atol=1e-12)


def test_every_process_has_bitwise_the_same_statistics(results):
    states = [result[0]["state"] for result in results("four-unequal", 4)]
    for state in states[1:]:
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            assert torch.equal(state[name], states[0][name])


def test_a_network_under_distributed_data_parallel_trains_as_in_one_process(results):
    parts = results("train", 2)
    torch.manual_seed(3)
    norm = torch.nn.BatchNorm1d
    layers = [torch.nn.Conv1d(2, 4, 2), norm(4), torch.nn.ReLU(), torch.nn.Conv1d(4, 3, 2), norm(3), torch.nn.Flatten()]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(9, 2)).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for batch in parts[0]["batches"]:
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        optimizer.step()
    for part in parts:
        for name, value in model.state_dict().items():
            torch.testing.assert_close(part["state"][name], value, rtol=1e-10, atol=1e-12)


def test_float32_far_from_zero_stays_near_the_float64_value(results):
    parts = results("narrow", 2)
    x = torch.cat([part["x"] for part in parts]).double()
    expected = (x - x.mean(dim=0)) / (x.var(dim=0, unbiased=False) + 1e-5).sqrt()
    y = torch.cat([part["y"] for part in parts]).double()
    # the input's own spacing is 1e4 * 2**-23, and the mean is rounded to it
    torch.testing.assert_close(y, expected, rtol=0, atol=1.5e-3)
    running_var = 0.9 + 0.1 * x.var(dim=0)
    torch.testing.assert_close(parts[0]["running_var"].double(), running_var, rtol=1e-4, atol=0)


def test_half_precision_comes_back_as_it_went_in(results):
    for part in results("narrow", 2):
        assert part["bfloat16"] == (torch.bfloat16, torch.bfloat16)


def test_every_process_refuses_a_joined_batch_of_one_value_and_wrong_input(results):
    for rank, texts in enumerate(results("refusals", 2)):
        assert texts == [
            f"x has shape ({1 - rank}, 2), and all processes together hold 1 values per channel. Expected at least "
            "two in training. Use larger batches.",
            "x has shape (3,), but channels are expected on axis 1. Expected (N, C) or (N, C, ...), "
            "with N = 0 allowed.",
            "gamma has shape (2,), but x has 3 channels (axis 1 of shape (4, 3)). Expected (3,).",
            "x has dtype int64, which cannot hold normalized values. Expected a floating type. Convert it first: "
            ".astype(np.float32) in NumPy, .float() in PyTorch.",
        ]


def test_one_process_evaluates_without_statistics_and_waits_for_nobody(results):
    alone, nothing = results("evaluate-alone", 2)
    torch.testing.assert_close(alone, torch.tensor([[-1.0, -1.0], [1.0, 1.0]]), rtol=1e-4, atol=0)
    assert nothing is None


@pytest.mark.parametrize(("moment", "action"), [("forward", "gathering the moments"), ("backward", "adding up")])
def test_a_process_that_dies_ends_the_others_with_an_error(results, moment, action):
    texts = results(f"die-{moment}", 4)
    assert texts[1] is None
    for rank in (0, 2, 3):
        assert texts[rank].startswith(f"SyncBatchNorm failed in {action}")
        assert "of 4 processes. Another process has ended, or did not call the layer within" in texts[rank]


def test_a_process_that_stays_away_is_waited_for_no_longer_than_the_timeout(results):
    waiting, away = results("stay-away", 2)
    assert away == "stayed away"
    assert waiting.startswith("SyncBatchNorm failed in gathering the moments of 2 processes.")


def test_without_a_process_group_it_is_batch_norm():
    torch.manual_seed(0)
    x = torch.randn(6, 3)
    sync, plain = SyncBatchNorm(3, EPS, 0.5), BatchNorm(3, EPS, 0.5)
    torch.testing.assert_close(sync(x), plain(x), rtol=0, atol=0)
    torch.testing.assert_close(sync.running_var, plain.running_var, rtol=0, atol=0)


def test_a_model_is_converted_with_parameters_statistics_settings_and_modes():
    torch.manual_seed(0)
    inner = torch.nn.Sequential(torch.nn.Linear(3, 3), BatchNorm(3, affine=False, momentum=None), GhostBatchNorm(3, 2))
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(3, eps=EPS, track_running_stats=False), inner).double()
    model[0].weight.requires_grad_(False)
    x = torch.randn(6, 3, dtype=torch.float64)
    model(x)
    model[0].eval()
    converted = synchronized(model)
    assert [type(module) for module in converted.modules()][1:] == [
        SyncBatchNorm,
        torch.nn.Sequential,
        torch.nn.Linear,
        SyncBatchNorm,
        GhostBatchNorm,
    ]
    assert [module.training for module in converted.modules()] == [module.training for module in model.modules()]
    assert not converted[0].weight.requires_grad
    for name, value in model.state_dict().items():
        torch.testing.assert_close(converted.state_dict()[name], value, rtol=0, atol=0)
    torch.testing.assert_close(converted(x), model(x), rtol=0, atol=1e-13)
    torch.testing.assert_close(converted[1][1].running_mean, model[1][1].running_mean, rtol=0, atol=1e-14)
    alone = synchronized(model[1][1])
    assert type(alone) is SyncBatchNorm
    assert alone.running_mean is not model[1][1].running_mean
