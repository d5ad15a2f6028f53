"""PyTorch's own behaviors of these modules, one by one: ours does the same, or stands in the table of limits."""

import copy
import io
import pickle
import warnings
from pathlib import Path

import pytest
import torch
from torch.func import functional_call, grad, jacfwd, jacrev, jvp, vmap

from bncourse.torch_bn import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d, SyncBatchNorm, synchronized
from bncourse.torch_bn.limits import LIMITS

NATIVE = {BatchNorm1d: torch.nn.BatchNorm1d, BatchNorm2d: torch.nn.BatchNorm2d, BatchNorm3d: torch.nn.BatchNorm3d}
CASES = {}
ONLY = {}


def case(function):
    CASES[function.__name__.replace("_", " ")] = function
    return function


def batch(*shape, seed=0, dtype=torch.float64):
    return (3 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 1).to(dtype)


def double(kind, *args, **kwargs):
    layer = kind(*args, dtype=torch.float64, **kwargs)
    for index, parameter in enumerate(layer.parameters()):
        parameter.data = batch(*parameter.shape, seed=10 + index)
    return layer


@case
def track_running_stats_set_to_false_later(bn1, bn2):
    layer = double(bn1, 3)
    layer(batch(6, 3))
    layer.track_running_stats = False
    results = [layer(batch(5, 3, seed=1))]
    return [*results, layer.eval()(batch(4, 3, seed=2)), *layer.state_dict().values()]


@case
def track_running_stats_set_to_true_later(bn1, bn2):
    layer = double(bn1, 3, track_running_stats=False)
    layer.track_running_stats = True
    return [layer(batch(6, 3)), layer.eval()(batch(6, 3, seed=1))]


@case
def statistics_taken_away(bn1, bn2):
    layer = double(bn1, 3)
    torch.func.replace_all_batch_norm_modules_(layer)
    return [layer(batch(6, 3)), layer.eval()(batch(6, 3, seed=1))]


@case
def no_count_and_a_momentum(bn1, bn2):
    layer = double(bn1, 3)
    layer.num_batches_tracked = None
    return [layer(batch(6, 3)), layer.running_mean, layer.running_var]


@case
def no_count_and_no_momentum(bn1, bn2):
    layer = double(bn1, 3, momentum=None)
    layer.num_batches_tracked = None
    return [layer(batch(6, 3)), layer.running_mean, layer.running_var]


@case
def cumulative_momentum(bn1, bn2):
    layer = double(bn1, 3, momentum=None)
    for seed in range(3):
        layer(batch(6, 3, seed=seed))
    return list(layer.state_dict().values())


@case
def momentum_of_zero_and_of_one(bn1, bn2):
    layers = [double(bn1, 3, momentum=momentum) for momentum in (0.0, 1.0)]
    results = [layer(batch(6, 3)) for layer in layers]
    return results + [value for layer in layers for value in layer.state_dict().values()]


@case
def empty_batch_in_evaluation(bn1, bn2):
    layer = double(bn2, 3).eval()
    x = batch(0, 3, 2, 2).requires_grad_()
    y = layer(x)
    return [y, *torch.autograd.grad(y.sum(), [x, *layer.parameters()])]


@case
def no_bias(bn1, bn2):
    layer = double(bn1, 3, bias=False)
    x = batch(6, 3).requires_grad_()
    y = layer(x)
    return [y, *torch.autograd.grad(y, [x, layer.weight], batch(6, 3, seed=1)), *layer.state_dict().values()]


@case
def bias_set_to_none_later(bn1, bn2):
    layer = double(bn1, 3)
    layer.bias = None
    return [layer(batch(6, 3)), layer.eval()(batch(6, 3))]


@case
def frozen_parameters(bn1, bn2):
    layer = double(bn1, 3).requires_grad_(False)
    x = batch(6, 3).requires_grad_()
    y = layer(x)
    y.backward(batch(6, 3, seed=1))
    return [y, x.grad]


@case
def input_without_a_gradient(bn1, bn2):
    layer = double(bn1, 3)
    y = layer(batch(6, 3))
    y.backward(batch(6, 3, seed=1))
    return [y, layer.weight.grad, layer.bias.grad]


@case
def gradient_by_torch_func_in_training(bn1, bn2):
    layer = double(bn1, 3, track_running_stats=False)

    def loss(parameters, x):
        return (functional_call(layer, parameters, (x,)) * batch(6, 3, seed=1)).sum()

    parameters = dict(layer.named_parameters())
    return [*grad(loss)(parameters, batch(6, 3)).values(), grad(loss, argnums=1)(parameters, batch(6, 3))]


@case
def gradient_by_torch_func_with_captured_statistics(bn1, bn2):
    layer = double(bn1, 3)
    with pytest.raises(RuntimeError, match="would mutate a captured Tensor"):
        grad(lambda x: layer(x).sum())(batch(6, 3))
    return []


@case
def numbers_whose_squares_overflow(bn1, bn2):
    x = batch(6, 3, dtype=torch.float32)
    return [bn1(3)(1e30 * x), bn1(3)(1e-30 * x)]


@case
def forward_mode_in_both_modes(bn1, bn2):
    layer = double(bn1, 3, track_running_stats=False)
    results = jvp(layer, (batch(6, 3),), (batch(6, 3, seed=1),))
    layer = double(bn1, 3).eval()
    return [*results, *jvp(layer, (batch(6, 3),), (batch(6, 3, seed=1),))]


@case
def forward_mode_for_the_parameters(bn1, bn2):
    layer = double(bn1, 3, track_running_stats=False)
    tangents = {name: torch.ones_like(value) for name, value in layer.named_parameters()}
    return list(
        jvp(lambda p: functional_call(layer, p, (batch(6, 3),)), (dict(layer.named_parameters()),), (tangents,))
    )


@case
def dual_numbers(bn1, bn2):
    import torch.autograd.forward_ad as fwd

    layer = double(bn1, 3)
    with fwd.dual_level():
        return list(fwd.unpack_dual(layer(fwd.make_dual(batch(6, 3), batch(6, 3, seed=1)))))


@case
def jacobians_both_ways(bn1, bn2):
    layer = double(bn1, 2, track_running_stats=False)
    return [jacrev(layer)(batch(4, 2)), jacfwd(layer)(batch(4, 2))]


@case
def second_derivatives(bn1, bn2):
    layer = double(bn1, 2, track_running_stats=False)
    return [torch.autograd.functional.hessian(lambda x: layer(x).pow(3).sum(), batch(4, 2))]


@case
def vmap_over_inputs_in_both_modes(bn1, bn2):
    layer = double(bn1, 3, track_running_stats=False)
    return [vmap(layer)(batch(5, 6, 3)), vmap(double(bn1, 3).eval())(batch(5, 6, 3))]


@case
def an_ensemble_of_layers(bn1, bn2):
    layers = [double(bn1, 3).eval() for _ in range(2)]
    layers[1].running_mean += 1
    parameters, buffers = torch.func.stack_module_state(layers)
    return [vmap(lambda p, b, x: functional_call(layers[0], (p, b), (x,)))(parameters, buffers, batch(2, 6, 3))]


@case
def hooks(bn1, bn2):
    layer, seen = double(bn1, 3), []
    layer.register_forward_pre_hook(lambda m, args: seen.append(args[0]))
    layer.register_forward_hook(lambda m, args, y: seen.append(y))
    layer.register_full_backward_pre_hook(lambda m, dy: seen.append(dy[0]))
    layer.register_full_backward_hook(lambda m, dx, dy: seen.append(dx[0]))
    layer(batch(6, 3).requires_grad_()).backward(batch(6, 3, seed=1))
    return seen


@case
def inplace_activation_afterwards(bn1, bn2):
    x = batch(6, 3).requires_grad_()
    y = torch.nn.Sequential(double(bn1, 3), torch.nn.ReLU(inplace=True))(x)
    y.backward(batch(6, 3, seed=1))
    return [y, x.grad]


@case
def inference_mode_and_no_grad(bn1, bn2):
    layer = double(bn1, 3)
    with torch.inference_mode():
        results = [layer(batch(6, 3)).clone()]
    with torch.no_grad():
        results.append(layer(batch(6, 3, seed=1)))
    return [*results, *layer.state_dict().values(), layer(batch(6, 3, seed=2))]


@case
def backward_twice(bn1, bn2):
    x = batch(6, 3).requires_grad_()
    y = double(bn1, 3)(x)
    return [torch.autograd.grad(y, x, batch(6, 3, seed=1), retain_graph=True)[0] for _ in range(2)]


@case
def averaged_weights_and_their_statistics(bn1, bn2):
    model = torch.nn.Sequential(double(bn1, 3))
    torch.optim.swa_utils.update_bn([batch(6, 3), batch(4, 3, seed=1)], model)
    return list(model.state_dict().values())


@case
def half_parameters_and_half_input(bn1, bn2):
    layer = bn2(3).bfloat16()
    return [layer(batch(4, 3, 5, 5, dtype=torch.bfloat16)).shape, layer.running_mean.dtype, layer.weight.dtype]


@case
def channels_last_stays(bn1, bn2):
    x = batch(4, 3, 5, 5).to(memory_format=torch.channels_last).requires_grad_()
    y = double(bn2, 3)(x)
    (dx,) = torch.autograd.grad(y, x, batch(4, 3, 5, 5, seed=1).to(memory_format=torch.channels_last))
    return [
        y,
        dx,
        y.is_contiguous(memory_format=torch.channels_last),
        dx.is_contiguous(memory_format=torch.channels_last),
    ]


@case
def meta_device(bn1, bn2):
    with torch.device("meta"):
        layer = bn2(3)
    y = layer(torch.empty(4, 3, 5, 5, device="meta"))
    return [y.shape, y.device, layer.running_mean.device]


@case
def skip_init(bn1, bn2):
    return [value.shape for value in torch.nn.utils.skip_init(bn2, 3).state_dict().values()]


@case
def states_of_version_one(bn1, bn2):
    layer = bn1(3)
    state = layer.state_dict()
    del state["num_batches_tracked"]
    state._metadata[""]["version"] = 1
    return [str(layer.load_state_dict(state)), layer.num_batches_tracked]


@case
def a_state_without_statistics_is_refused(bn1, bn2):
    with pytest.raises(RuntimeError, match="Missing key") as caught:
        bn1(3).load_state_dict({"weight": torch.ones(3), "bias": torch.zeros(3)})
    return [str(caught.value).split("\n\t")[1]]


@case
def copies(bn1, bn2):
    layer = double(bn1, 3, momentum=0.3)
    layer(batch(6, 3))
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    twins = [copy.deepcopy(layer), copy.copy(layer), pickle.loads(pickle.dumps(layer))]
    return [twin.eval()(batch(6, 3)) for twin in [*twins, torch.load(file, weights_only=False)]]


@case
def reset_and_text(bn1, bn2):
    layer = double(bn1, 3)
    layer(batch(6, 3))
    layer.reset_parameters()
    return [repr(layer), *layer.state_dict().values()]


@case
def fused_into_a_convolution(bn1, bn2):
    torch.manual_seed(0)
    convolution, layer = torch.nn.Conv2d(3, 3, 1).double().eval(), double(bn2, 3).eval()
    return [torch.nn.utils.fusion.fuse_conv_bn_eval(convolution, layer)(batch(2, 3, 4, 4))]


@case
def traced_by_jit(bn1, bn2):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(double(bn1, 3).eval(), batch(6, 3))
    return [traced(batch(4, 3, seed=1))]


@case
def exported(bn1, bn2):
    return [torch.export.export(double(bn1, 3).eval(), (batch(6, 3),)).module()(batch(6, 3, seed=1))]


@case
def refuses_a_wrong_number_of_axes_with_a_value_error(bn1, bn2):
    for kind, shape in ((bn1, (3,)), (bn1, (2, 3, 4, 5)), (bn2, (2, 3, 4))):
        with pytest.raises(ValueError, match=r"D|axes"):
            kind(3)(torch.zeros(shape))
    return []


@case
def results_can_be_flattened_whatever_the_strides(bn1, bn2):
    found = []
    for training in (True, False):
        x = batch(4, 5, 3, seed=1)
        found.append(double(bn1, 3).train(training)(x.transpose(1, 2)).view(4, -1))
        found.append(double(bn2, 3).train(training)(batch(4, 3, 5, 6).transpose(2, 3)).view(4, -1))
        found.append(double(bn2, 3).train(training)(batch(8, 3, 5, 6)[::2, :, 1:, ::2]).stride())
        found.append(double(bn2, 3).train(training)(batch(4, 5, 6, 3).permute(0, 3, 1, 2)).stride())
    return found


@case
def refuses_one_running_statistic_without_the_other(bn1, bn2):
    for name in ("running_mean", "running_var"):
        for training in (True, False):
            layer = double(bn1, 3).train(training)
            setattr(layer, name, None)
            with pytest.raises((ValueError, RuntimeError), match=name if not training else "running_"):
                layer(batch(6, 3))
    return []


@case
def refuses_complex_numbers(bn1, bn2):
    with pytest.raises((TypeError, NotImplementedError)):
        bn1(3)(torch.ones(4, 3, dtype=torch.complex64))
    return []


@case
def an_older_state_without_a_count_is_taken(bn1, bn2):
    layer, other = double(bn1, 3), double(bn1, 3)
    layer(batch(6, 3))
    state = layer.state_dict()
    del state["num_batches_tracked"]
    state._metadata[""]["version"] = 1
    other.load_state_dict(state)
    plain = double(bn1, 3)
    missing = plain.load_state_dict(dict(state), strict=False).missing_keys
    return [*other.state_dict().values(), missing, other(batch(6, 3, seed=1)), plain.num_batches_tracked]


@case
def a_model_of_meta_tensors_becomes_real(bn1, bn2):
    layer = bn1(3, device="meta", dtype=torch.float64)
    shape = tuple(layer(torch.empty(6, 3, device="meta", dtype=torch.float64)).shape)
    layer = layer.to_empty(device="cpu")
    layer.reset_parameters()
    return [shape, layer(batch(6, 3)), *layer.state_dict().values()]


@case
def many_models_at_once(bn1, bn2):
    layers = [double(bn1, 3).eval() for _ in range(3)]
    parameters, buffers = torch.func.stack_module_state(layers)
    x = batch(6, 3)

    def one(parameter, buffer):
        return torch.func.functional_call(layers[0], (parameter, buffer), (x,))

    return [torch.vmap(one)(parameters, buffers)]


@case
def an_activation_in_place_behind_it(bn1, bn2):
    found = []
    for training in (True, False):
        model = torch.nn.Sequential(double(bn1, 3), torch.nn.ReLU(inplace=True)).train(training)
        x = batch(6, 3).requires_grad_()
        found += torch.autograd.grad(model(x).square().sum(), [x, *model.parameters()])
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", CASES)
def test_ours_does_as_pytorchs(name):
    ours, theirs = CASES[name](BatchNorm1d, BatchNorm2d), CASES[name](torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        if isinstance(other, torch.Tensor):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)
        else:
            assert one == other


class Branches(torch.nn.Module):
    """A model that torch.fx can trace."""

    def __init__(self, norms):
        super().__init__()
        self.stem, self.first, self.second = torch.nn.Conv2d(3, 4, 1), *norms

    def forward(self, x):
        x = self.stem(x)
        return torch.relu(self.first(x)) + self.second(x)


@pytest.mark.parametrize("kind", [BatchNorm2d, BatchNorm, torch.nn.BatchNorm2d, SyncBatchNorm])
def test_torch_fx_takes_a_layer_whole_and_both_modes_stay(kind):
    model = Branches([kind(4), kind(4)])
    traced = torch.fx.symbolic_trace(model)
    assert [node.target for node in traced.graph.nodes if node.op == "call_module"] == ["stem", "first", "second"]
    x = batch(2, 3, 4, 4, dtype=torch.float32)
    plain = copy.deepcopy(model)
    for mode in (True, False):
        torch.testing.assert_close(traced.train(mode)(x), plain.train(mode)(x), rtol=0, atol=1e-6)
    torch.testing.assert_close(traced.first.running_var, plain.first.running_var, rtol=0, atol=1e-6)


def test_a_layer_alone_cannot_be_traced_as_pytorchs_cannot():
    for kind in (BatchNorm2d, torch.nn.BatchNorm2d):
        with pytest.raises(torch.fx.proxy.TraceError):
            torch.fx.symbolic_trace(kind(3))


def checkpointed(kind):
    """How often one step has counted in the statistics."""
    layer, x = kind(3), batch(6, 3, dtype=torch.float32).requires_grad_()
    torch.utils.checkpoint.checkpoint(layer, x, use_reentrant=False).sum().backward()
    return int(layer.num_batches_tracked), (layer.running_mean / (0.1 * x.detach().mean(0))).round(decimals=3).tolist()


def in_half(kind):
    """The dtype of the result where the running mean alone was converted."""
    layer = kind(3)
    layer.running_mean = layer.running_mean.half()
    return layer(batch(6, 3, dtype=torch.float32)).dtype


def infinite(kind):
    """The running mean after a batch with one infinite value."""
    layer, x = kind(3), batch(6, 3, dtype=torch.float32)
    x[0, 0] = float("inf")
    layer(x)
    return layer.running_mean[0]


def trained_between(kind):
    """How far a gradient in evaluation is off from that without the training step after it."""
    found = []
    for trains in (False, True):
        layer, x = kind(3).eval(), batch(6, 3, dtype=torch.float32).requires_grad_()
        y = layer(x).square().sum()
        if trains:
            layer.train()(5 * x.detach())
        found.append(torch.autograd.grad(y, x)[0])
    return bool(torch.isclose(*found, rtol=1e-6, atol=1e-6).all())


def changed_in_place(kind):
    """Whether the gradient of the batch as it was is found after the batch has been changed."""
    layer, leaf = kind(3), batch(6, 3, dtype=torch.float32).requires_grad_()
    wanted = torch.autograd.grad((kind(3)(leaf) ** 3).sum(), leaf)[0]
    x = leaf * 1
    y = (layer(x) ** 3).sum()
    x.add_(1)
    return bool(torch.isclose(torch.autograd.grad(y, leaf)[0], wanted, rtol=1e-5, atol=1e-5).all())


def wants_statistics_gradient(kind):
    """Whether the gradient of a running mean is there after a pass in evaluation."""
    layer = kind(3).eval()
    layer.running_mean.requires_grad_()
    layer(batch(6, 3, dtype=torch.float32)).sum().backward()
    return layer.running_mean.grad is not None


def of_inference(kind):
    """The gradient of the scale for a batch that was made in inference mode."""
    with torch.inference_mode():
        x = batch(6, 3, dtype=torch.float32)
    layer = kind(3)
    layer(x).pow(3).sum().backward()
    return layer.weight.grad.round(decimals=3).tolist()


def converted_in_place(kind):
    """Whether a conversion has changed the model that it was given."""
    synced = torch.nn.SyncBatchNorm if kind is torch.nn.BatchNorm1d else SyncBatchNorm
    model = torch.nn.Sequential(torch.nn.Sequential(kind(3)))
    synced.convert_sync_batchnorm(model)
    return isinstance(model[0][0], synced)


def differs(name):
    """The case of a line of the table: what ours and PyTorch's do."""
    x = batch(6, 3, dtype=torch.float32)
    steps = {
        "momentum outside [0, 1]": lambda bn: bn(3, momentum=2.0),
        "negative eps": lambda bn: bn(3, eps=-1.0),
        "wrong number of channels": lambda bn: bn(4)(x),
        "another precision than the parameters'": lambda bn: bn(3)(x.double()),
        "empty batch or empty maps in training": lambda bn: [bn(3)(x[:0]), bn(3)(x[:, :, None][:, :, :0])],
        "eps of 0 in training": lambda bn: bn(3, eps=0.0)(x),
        "no channels": lambda bn: bn(0).num_features,
        "integers, complex numbers": lambda bn: bn(3)(x.long()),
        "running statistics in another precision": in_half,
        "infinite values in training": infinite,
        "training between an evaluation and its backward pass": trained_between,
        "input changed in place before the backward pass": changed_in_place,
        "one value per channel in training": lambda bn: bn(3)(x[:1]),
        "gradient checkpointing": checkpointed,
        "running statistics that want a gradient": wants_statistics_gradient,
        "inference tensors in training": of_inference,
        "torch.func.functionalize": lambda bn: torch.func.functionalize(bn(3))(x).shape,
        "SyncBatchNorm.convert_sync_batchnorm": converted_in_place,
        "torch.jit.script": lambda bn: torch.jit.script(bn(3)),
        "torch.ao.quantization.fuse_modules": lambda bn: type(
            torch.ao.quantization.fuse_modules(torch.nn.Sequential(torch.nn.Linear(3, 3), bn(3)).eval(), ["0", "1"])[1]
        ),
    }
    return steps[name]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LIMITS)
def test_each_line_of_the_table_of_limits_is_a_difference(name):
    def told(kind):
        try:
            result = differs(name)(kind)
        except Exception as error:
            return type(error), str(error)
        return "passes", result if isinstance(result, type) else str(result)

    assert told(BatchNorm1d) != told(torch.nn.BatchNorm1d)


def test_a_gradient_is_that_of_the_forward_pass_as_it_was():
    assert trained_between(BatchNorm1d) and changed_in_place(BatchNorm1d)


def test_the_book_shows_the_table_of_limits():
    page = Path(__file__).parents[2] / "book/teach/api_torch.md"
    rows = [line for line in page.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert set(rows) >= {f"| {name} | {text} |" for name, text in LIMITS.items()}


def test_conversion_takes_over_qconfig_and_a_missing_bias_and_refuses_what_does_not_know_its_channels():
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(3, bias=False), BatchNorm(3, bias=False), BatchNorm1d(3))
    model[0].qconfig = "a configuration"
    converted = synchronized(model)
    assert converted[0].qconfig == "a configuration"
    assert not hasattr(converted[1], "qconfig")
    assert [layer.bias is None for layer in converted] == [True, True, False]
    x = batch(6, 3, dtype=torch.float32)
    torch.testing.assert_close(converted(x), model(x), rtol=0, atol=1e-5)
    lazy = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LazyBatchNorm1d())
    with pytest.raises(ValueError, match="the layer '1' is a LazyBatchNorm1d that has not seen a batch"):
        synchronized(lazy)
    lazy(batch(6, 2, dtype=torch.float32))
    assert type(synchronized(lazy)[1]) is SyncBatchNorm
