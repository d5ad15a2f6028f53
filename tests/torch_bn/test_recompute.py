import copy

import pytest
import torch

import bncourse.torch_bn
from bncourse.torch_bn import recompute_statistics


def network(norm=torch.nn.BatchNorm2d, seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3),
        norm(4),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.5),
        torch.nn.Conv2d(4, 3, 2),
        norm(3),
        torch.nn.Tanh(),
        norm(3),
    ).double()


def data(count=13, seed=1):
    torch.manual_seed(seed)
    return 5.0 + 2.0 * torch.randn(count, 2, 5, 5, dtype=torch.float64)


def statistics(model):
    return {name: value for name, value in model.state_dict().items() if "running" in name}


@pytest.mark.parametrize("norm", [torch.nn.BatchNorm2d, bncourse.torch_bn.BatchNorm2d])
@pytest.mark.parametrize("sizes", [(13,), (5, 5, 3), (4, 1, 7, 1)])
def test_layerwise_every_input_has_in_evaluation_the_statistics_that_are_stored(norm, sizes):
    model, x = network(norm), data()
    counts = recompute_statistics(model, list(x.split(list(sizes))), layerwise=True)
    assert counts == {"1": 13 * 9, "5": 13 * 4, "7": 13 * 4}
    model.eval()
    for position in (1, 5, 7):
        seen = model[:position](x)
        torch.testing.assert_close(model[position].running_mean, seen.mean(dim=(0, 2, 3)), rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(model[position].running_var, seen.var(dim=(0, 2, 3)), rtol=1e-12, atol=1e-13)


def test_one_pass_normalizes_as_in_training_and_merges_the_moments():
    model, x = network(), data()
    model[3].p = 0.0
    batches = x.split([5, 5, 3])
    inputs = []
    handle = model[5].register_forward_pre_hook(lambda module, arguments: inputs.append(arguments[0].detach()))
    reference = copy.deepcopy(model).train()
    for batch in batches:
        reference(batch)
    handle.remove()
    seen = torch.cat(inputs)
    recompute_statistics(model, batches)
    torch.testing.assert_close(model[5].running_mean, seen.mean(dim=(0, 2, 3)), rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(model[5].running_var, seen.var(dim=(0, 2, 3)), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("layerwise", [False, True])
def test_the_order_of_the_batches_does_not_matter(layerwise):
    model, batches = network(), data().split([5, 5, 3])
    other = copy.deepcopy(model)
    recompute_statistics(model, batches, layerwise=layerwise)
    recompute_statistics(other, batches[::-1], layerwise=layerwise)
    for name, value in statistics(model).items():
        torch.testing.assert_close(other.state_dict()[name], value, rtol=1e-12, atol=1e-13)


def test_statistics_in_float32_are_gathered_in_float64():
    x = 1e4 + torch.randn(4000, 3)
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(3))
    recompute_statistics(model, x.split(7))
    # each batch's own moments are float32: its mean is known to 1e4 * 2**-24, which is 6e-4 of the deviation
    torch.testing.assert_close(model[0].running_var.double(), x.double().var(dim=0), rtol=3e-5, atol=0)
    torch.testing.assert_close(model[0].running_mean.double(), x.double().mean(dim=0), rtol=1e-7, atol=0)


@pytest.mark.parametrize("layerwise", [False, True])
def test_modes_and_step_counts_stay_and_nothing_drops_out(layerwise):
    model, batches = network(), data().split([6, 7])
    model.train()(batches[0])
    model[1].eval()
    modes = [module.training for module in model.modules()]
    seen = []
    model[3].register_forward_hook(lambda module, arguments, output: seen.append(module.training))
    recompute_statistics(model, batches, layerwise=layerwise)
    assert [module.training for module in model.modules()] == modes
    assert not any(seen)
    assert model[5].num_batches_tracked == 1
    assert not model[1]._forward_pre_hooks
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(value.requires_grad for value in statistics(model).values())


@pytest.mark.parametrize("layerwise", [False, True])
def test_a_failure_brings_the_old_statistics_and_modes_back(layerwise):
    model, x = network(), data()
    model.train()(x)
    before = {name: value.clone() for name, value in model.state_dict().items()}

    class Breaking(list):
        passes = 0

        def __iter__(self):
            type(self).passes += 1
            yield x
            if self.passes == (2 if layerwise else 1):
                raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        recompute_statistics(model, Breaking([x, x]), layerwise=layerwise)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    assert model.training
    assert not model[1]._forward_pre_hooks


def test_progress_counts_batches_over_all_passes():
    calls = []
    batches = data().split([5, 5, 3])
    recompute_statistics(network(), batches, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]
    calls.clear()
    recompute_statistics(network(), batches, layerwise=True, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(step, 9) for step in range(1, 10)]
    calls.clear()
    recompute_statistics(network(), iter(batches), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, None), (2, None), (3, None)]


def test_loaders_of_pairs_lists_and_data_sets_are_understood():
    x = data()
    expected = network()
    recompute_statistics(expected, [x])
    for loader in ([(x, "labels")], [[x, 3]], torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), 13)):
        model = network()
        recompute_statistics(model, loader)
        for name, value in statistics(expected).items():
            torch.testing.assert_close(model.state_dict()[name], value, rtol=1e-12, atol=1e-13)


def test_another_domain_is_normalized_by_its_own_statistics():
    # AdaBN: the weights stay, and a domain that is the old one in other units gives the old results
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(3, eps=1e-15), torch.nn.Linear(3, 2)).double()
    old = torch.randn(200, 3, dtype=torch.float64)
    new = 40.0 + 7.0 * old
    recompute_statistics(model, [old])
    expected = model.eval()(old)
    recompute_statistics(model, new.split(64))
    torch.testing.assert_close(model(new), expected, rtol=0, atol=1e-12)


def test_a_layer_that_is_not_called_keeps_its_statistics():
    class Unused(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unused, self.used = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)

        def forward(self, x):
            return self.used(input=x)

    model = Unused()
    assert recompute_statistics(model, [torch.randn(5, 2)], layerwise=True) == {"used": 5}
    assert torch.equal(model.unused.running_var, torch.ones(2))


@pytest.mark.parametrize(
    ("model", "loader", "options", "kind", "message"),
    [
        (torch.nn.Linear(2, 2), [torch.ones(2, 2)], {}, ValueError, "model of type Linear has no batch norm layer"),
        (
            torch.nn.BatchNorm1d(2, track_running_stats=False),
            [torch.ones(2, 2)],
            {},
            ValueError,
            "Expected at least one with track_running_stats=True.",
        ),
        (torch.nn.BatchNorm1d(2), [], {}, ValueError, "loader yielded no batch. Expected a DataLoader or a list"),
        (
            torch.nn.Sequential(torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)),
            iter([torch.randn(4, 2)]),
            {"layerwise": True},
            ValueError,
            "loader yielded no batch in the second pass. Expected a DataLoader or a list; a generator is empty",
        ),
        (torch.nn.BatchNorm1d(2), [{"x": 1}], {}, TypeError, "loader yielded a dict. Expected a tensor, or a tuple"),
        (torch.nn.BatchNorm1d(2), [("x", 1)], {}, TypeError, "loader yielded a tuple. Expected a tensor, or a tuple"),
        (
            torch.nn.Sequential(torch.nn.BatchNorm1d(2)),
            [torch.ones(1, 2)],
            {"layerwise": True},
            ValueError,
            "loader gave the layer '0' one value per channel, which has no variance.",
        ),
    ],
)
def test_what_cannot_be_recomputed_is_refused_with_a_way_out(model, loader, options, kind, message):
    with pytest.raises(kind) as caught:
        recompute_statistics(model, loader, **options)
    assert message in str(caught.value)
