"""More of PyTorch's own behaviors of these modules: subclasses, settings, dtypes, transforms, extreme numbers."""

import copy
import io

import numpy as np
import pytest
import torch
from torch.func import functional_call, grad, jacfwd, jvp, vmap
from torch.nn.utils import parametrize, prune

from bncourse.torch_bn import BatchNorm1d, BatchNorm2d, SyncBatchNorm
from tests.torch_bn.test_torch_bn import batch, double

CASES = {}


def case(function):
    CASES[function.__name__.replace("_", " ")] = function
    return function


def state(layer):
    return [value.detach().clone() for value in layer.state_dict().values()]


@case
def a_layer_in_two_places(bn1, bn2):
    layer = double(bn1, 3)
    model = torch.nn.Sequential(layer, torch.nn.Tanh(), layer)
    return [model(batch(6, 3)), *state(layer), len(list(model.parameters()))]


@case
def a_scale_of_zero(bn1, bn2):
    layer, x = double(bn1, 3), batch(6, 3).requires_grad_()
    torch.nn.init.zeros_(layer.weight)
    y = layer(x)
    return [y, *torch.autograd.grad(y, [x, layer.weight, layer.bias], batch(6, 3, seed=1))]


@case
def a_constant_channel(bn1, bn2):
    layer = double(bn1, 3)
    return [layer(torch.full((5, 3), 7.1, dtype=torch.float64)), *state(layer)]


@case
def a_shared_parameter_that_is_a_view(bn1, bn2):
    flat = torch.nn.Parameter(batch(6))
    layer = double(bn1, 3)
    del layer.weight
    layer.weight = flat[::2]
    (dflat,) = torch.autograd.grad(layer(batch(6, 3)), flat, batch(6, 3, seed=1))
    return [dflat]


@case
def the_gradient_of_the_result_comes_transposed_or_expanded(bn1, bn2):
    layer, x, factor = double(bn2, 3), batch(4, 3, 5, 6).requires_grad_(), batch(6, 1, 1)
    sums = [(layer(x).transpose(1, 3) * factor).sum(), layer(x).mean(), layer(x)[:, 1].sum()]
    return [dx for loss in sums for dx in torch.autograd.grad(loss, [x, layer.weight])]


@case
def overlapping_memory(bn1, bn2):
    return [double(bn1, 3)(batch(40).as_strided((5, 3), (2, 7)))]


@case
def settings_of_numpys_and_of_other_types(bn1, bn2):
    layers = [
        double(bn1, np.int64(3), eps=np.float64(1e-3), momentum=np.float32(0.25)),
        double(bn1, 3, eps=1, momentum=True),
        double(bn1, 3, 1e-3, 0.2, True, True),
    ]
    return [one for layer in layers for one in (layer(batch(6, 3)), *state(layer))]


@case
def settings_that_change_later(bn1, bn2):
    layer = double(bn1, 3)
    for eps, momentum, features in ((0.5, None, 3), (0.1, 0.0, 7), (0.2, 1.0, 3)):
        layer.eps, layer.momentum, layer.num_features = eps, momentum, features
        layer(batch(6, 3, seed=int(10 * eps)))
    return [layer(batch(6, 3)), *state(layer)]


@case
def a_count_that_is_large_or_a_fraction(bn1, bn2):
    found = []
    for count, momentum in ((torch.tensor(2**40), 0.1), (torch.tensor(3.5), None)):
        layer = double(bn1, 3, momentum=momentum)
        layer.num_batches_tracked = count
        layer(batch(6, 3))
        found += state(layer)
    return found


@case
def statistics_that_are_no_variance(bn1, bn2):
    found = []
    for var in (0.0, -1.0, float("nan"), float("inf")):
        layer = double(bn1, 3).eval()
        layer.running_var[1] = var
        found.append(torch.nan_to_num(layer(batch(6, 3)), nan=77.0))
    return found


@case
def numbers_at_the_ends_of_single_precision(bn1, bn2):
    found = []
    for scale in (1e19, 1e25, 1e30, 1e-15, 1e-25):
        layer, x = bn1(3), (scale * batch(6, 3)).float().requires_grad_()
        y = layer(x)
        dx, dgamma = torch.autograd.grad(y.pow(3).sum(), [x, layer.weight])
        found += [
            y.double().round(decimals=4),
            (dx.double() * scale).round(decimals=3),
            dgamma.double().round(decimals=2),
        ]
        found.append(torch.isfinite(layer.running_var).tolist())
    return found


@case
def half_precision_beside_single(bn1, bn2):
    found = []
    for dtype in (torch.float16, torch.bfloat16):
        layer, x = bn2(3), batch(4, 3, 5, 5).to(dtype).requires_grad_()
        y = layer(x)
        y.float().square().sum().backward()
        found += [y.dtype, x.grad.dtype, layer.weight.grad.dtype, layer.running_var.double().round(decimals=4)]
    return found


@case
def there_and_back_to_half(bn1, bn2):
    layer = bn1(3).half().float()
    return [layer.num_batches_tracked.dtype, layer.running_mean.dtype, layer.weight.dtype]


@case
def under_autocast_behind_a_convolution(bn1, bn2):
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), bn2(3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = model(batch(4, 3, 5, 6, dtype=torch.float32))
    y.float().square().sum().backward()
    return [y.dtype, model[0].weight.grad.dtype, model[1].running_mean.dtype]


@case
def defaults_of_dtype_and_device(bn1, bn2):
    torch.set_default_dtype(torch.float64)
    try:
        made = bn1(3)
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.device("meta"):
        there = bn1(3)
    return [made.weight.dtype, made.running_var.dtype, there.weight.device, there.num_batches_tracked.device]


@case
def a_subclass_with_its_own_check(bn1, bn2):
    class Any2d(bn2):
        def _check_input_dim(self, input):
            pass

    return [double(Any2d, 3)(batch(6, 3)), double(Any2d, 3)(batch(6, 3, 4))]


@case
def a_subclass_that_goes_on_with_the_result(bn1, bn2):
    class Activated(bn1):
        def forward(self, x):
            return torch.relu(super().forward(x))

    layer = double(Activated, 3)
    return [layer(batch(6, 3)), *state(layer)]


@case
def a_subclass_that_calls_the_function_itself(bn1, bn2):
    class Called(bn1):
        def forward(self, x):
            self.num_batches_tracked.add_(1)
            given = self.running_mean, self.running_var, self.weight, self.bias
            return torch.nn.functional.batch_norm(x, *given, self.training, self.momentum, self.eps)

    layer = double(Called, 3)
    return [layer(batch(6, 3)), layer.eval()(batch(6, 3)), *state(layer)]


@case
def a_subclass_that_starts_otherwise(bn1, bn2):
    class Started(bn1):
        def reset_running_stats(self):
            super().reset_running_stats()
            if self.running_mean is not None:
                self.running_mean.fill_(5.0)

    return [*state(double(Started, 3)), *state(double(Started, 3, track_running_stats=False))]


@case
def the_input_by_its_name(bn1, bn2):
    return [double(bn1, 3)(input=batch(6, 3))]


@case
def more_arguments_are_refused(bn1, bn2):
    with pytest.raises(TypeError, match="takes 2 positional arguments but 3 were given"):
        bn1(3)(batch(6, 3), 1)
    with pytest.raises((TypeError, AttributeError)):
        bn1(3)(np.ones((6, 3)))
    return []


@case
def states_with_their_tensors_and_from_files(bn1, bn2):
    layer = double(bn1, 3)
    layer(batch(6, 3))
    wanted = [(name, value.requires_grad) for name, value in layer.state_dict(keep_vars=True).items()]
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other = double(bn1, 3)
    buffers = [id(value) for value in other.buffers()]
    other.load_state_dict(torch.load(file, weights_only=True))
    return [*wanted, *state(other), buffers == [id(value) for value in other.buffers()]]


@case
def a_state_that_is_assigned(bn1, bn2):
    layer, other = bn1(3), double(bn1, 3)
    layer.load_state_dict(other.state_dict(), assign=True)
    return [layer.weight.dtype, layer.running_mean.dtype, layer.weight.requires_grad, layer(batch(6, 3))]


@case
def a_copy_behind_a_gradient(bn1, bn2):
    layer = double(bn1, 3)
    layer(batch(6, 3)).backward(batch(6, 3, seed=1))
    other = copy.deepcopy(layer)
    return [other.weight.grad, other.weight.grad is layer.weight.grad, other(batch(6, 3))]


@case
def shared_memory(bn1, bn2):
    layer = double(bn1, 3).share_memory()
    return [layer(batch(6, 3)), all(value.is_shared() for value in layer.state_dict().values())]


@case
def a_weight_that_is_computed(bn1, bn2):
    class Doubled(torch.nn.Module):
        def forward(self, weight):
            return 2 * weight

    layer = double(bn1, 3)
    parametrize.register_parametrization(layer, "weight", Doubled())
    pruned = double(bn1, 3)
    prune.custom_from_mask(pruned, "weight", torch.tensor([1.0, 0.0, 1.0]))
    return [layer(batch(6, 3)), pruned(batch(6, 3))]


@case
def second_derivatives_across_the_parameters(bn1, bn2):
    found = []
    for frozen in (False, True):
        layer, x = double(bn1, 3).requires_grad_(not frozen), batch(6, 3).requires_grad_()
        of = x if frozen else layer.weight
        (first,) = torch.autograd.grad(layer(x).pow(3).sum(), of, create_graph=True)
        to = [x] if frozen else [x, layer.weight, layer.bias]
        found += torch.autograd.grad(first.square().sum(), to)
    return found


@case
def forward_mode_over_reverse_mode(bn1, bn2):
    layer = double(bn1, 3, track_running_stats=False)
    return [*jvp(grad(lambda x: layer(x).pow(3).sum()), (batch(6, 3),), (batch(6, 3, seed=1),))]


@case
def forward_mode_jacobian_in_evaluation(bn1, bn2):
    return [jacfwd(double(bn1, 3).eval())(batch(2, 3))]


@case
def a_gradient_for_each_sample(bn1, bn2):
    layer = double(bn1, 3).eval()

    def loss(parameters, x):
        return functional_call(layer, parameters, (x[None],)).pow(2).sum()

    return [*vmap(grad(loss), in_dims=(None, 0))(dict(layer.named_parameters()), batch(4, 3)).values()]


@case
def vmap_over_another_axis(bn1, bn2):
    return [vmap(double(bn1, 3).eval(), in_dims=1, out_dims=2)(batch(4, 5, 3))]


@case
def frozen_in_a_network_that_trains(bn1, bn2):
    model = torch.nn.Sequential(torch.nn.Linear(3, 3, dtype=torch.float64), double(bn1, 3)).train()
    model[1].eval().requires_grad_(False)
    torch.nn.init.eye_(model[0].weight)
    torch.nn.init.zeros_(model[0].bias)
    x = batch(6, 3).requires_grad_()
    y = model(x)
    return [y, *torch.autograd.grad(y, [x, model[0].weight], batch(6, 3, seed=1)), *state(model[1])]


@case
def fused_behind_a_linear_layer(bn1, bn2):
    torch.manual_seed(0)
    linear, layer = torch.nn.Linear(3, 3).double().eval(), double(bn1, 3).eval()
    return [torch.nn.utils.fusion.fuse_linear_bn_eval(linear, layer)(batch(4, 3))]


@case
def trained_for_some_steps(bn1, bn2):
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4, bias=False), bn1(4), torch.nn.Tanh(), torch.nn.Linear(4, 1)
    ).double()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for seed in range(4):
        optimizer.zero_grad()
        model(batch(8, 3, seed=seed)).square().sum().backward()
        optimizer.step()
    return state(model)


@case
def compilation_as_a_whole_in_both_modes(bn1, bn2):
    layer = double(bn1, 3)
    whole = torch.compile(layer, backend="eager", fullgraph=True)
    return [whole(batch(6, 3)), *state(layer), whole.eval()(batch(6, 3))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_ours_does_as_pytorchs(name):
    ours, theirs = CASES[name](BatchNorm1d, BatchNorm2d), CASES[name](torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)
    assert len(ours) == len(theirs) and (ours or "refused" in name)
    for one, other in zip(ours, theirs, strict=True):
        if isinstance(other, torch.Tensor):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)
        else:
            assert one == other


def refused(layer, x):
    with pytest.raises(ValueError, match=r"D|axis|channels"):
        layer(x)


SYNCHRONIZED = {
    "arguments in PyTorch's order": lambda kind: str(kind(3, 1e-3, 0.2, False, True, "a group", "cpu", torch.float64)),
    "the group is kept": lambda kind: kind(3, 1e-3, 0.2, False, True, "a group").process_group,
    "dtype": lambda kind: kind(3, dtype=torch.float64).weight.dtype,
    "entries of the state": lambda kind: list(kind(3).state_dict()),
    "evaluation": lambda kind: (
        kind(3).eval()(batch(6, 3, dtype=torch.float32)).double().detach().round(decimals=4).tolist()
    ),
    "one axis is refused": lambda kind: refused(kind(3).eval(), torch.zeros(3)),
    "no channels are refused": lambda kind: refused(kind(3).eval(), torch.zeros(2, 0, 3)),
    "conversion": lambda kind: [
        type(layer).__name__
        for layer in kind.convert_sync_batchnorm(
            torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.ReLU()), "a group"
        )
    ],
}


@pytest.mark.parametrize("name", SYNCHRONIZED)
def test_the_synchronized_layer_does_as_pytorchs(name):
    assert SYNCHRONIZED[name](SyncBatchNorm) == SYNCHRONIZED[name](torch.nn.SyncBatchNorm)
