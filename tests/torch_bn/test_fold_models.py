import copy

import pytest
import torch

import bncourse.torch_bn
from bncourse.torch_bn import fold_layer, fold_model, foldable_pairs


def randomize(model, seed=0):
    """Parameters and statistics far from those of a fresh layer, which would hide every mistake."""
    torch.manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            if module.affine:
                torch.nn.init.normal_(module.weight)
                torch.nn.init.normal_(module.bias)
            if module.track_running_stats:
                module.running_mean.normal_(0, 3)
                module.running_var.uniform_(0.1, 4)
            module.eps = 0.1
    return model.double().eval()


LAYERS = [
    (torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), (3, 4)),
    (torch.nn.Conv1d(4, 6, 3, padding=1, groups=2), torch.nn.BatchNorm1d(6), (3, 4, 7)),
    (torch.nn.Conv2d(4, 6, (3, 2), stride=2, bias=False), torch.nn.BatchNorm2d(6), (3, 4, 7, 6)),
    (torch.nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), torch.nn.BatchNorm2d(6), (3, 4, 7, 6)),
    (torch.nn.Conv3d(4, 6, 2, dilation=2), torch.nn.BatchNorm3d(6, affine=False), (2, 4, 4, 5, 4)),
    (torch.nn.ConvTranspose1d(4, 6, 3, groups=2, stride=2), torch.nn.BatchNorm1d(6), (3, 4, 5)),
    (torch.nn.ConvTranspose2d(4, 6, (3, 2), groups=2, bias=False), torch.nn.BatchNorm2d(6), (3, 4, 5, 3)),
    (torch.nn.ConvTranspose3d(4, 6, 2, padding=1), torch.nn.BatchNorm3d(6), (2, 4, 3, 4, 3)),
    (torch.nn.Linear(4, 6), bncourse.torch_bn.BatchNorm(6), (3, 4)),
]


@pytest.mark.parametrize(("layer", "batch_norm", "shape"), LAYERS)
def test_a_folded_layer_equals_layer_and_batch_norm(layer, batch_norm, shape):
    pair = randomize(torch.nn.Sequential(copy.deepcopy(layer), copy.deepcopy(batch_norm)))
    state = {name: value.clone() for name, value in pair.state_dict().items()}
    x = torch.randn(shape, dtype=torch.float64)
    folded = fold_layer(pair[0], pair[1])
    torch.testing.assert_close(folded(x), pair(x), rtol=0, atol=1e-12)
    assert type(folded) is type(layer)
    for name, value in pair.state_dict().items():
        assert torch.equal(value, state[name])


class Residual(torch.nn.Module):
    """Names out of order, a branch, a pre-activation norm, a norm after a sum, a shared layer and an untracked one."""

    def __init__(self, norm):
        super().__init__()
        self.last_norm, self.first_norm = norm(4), norm(4)
        self.stem = torch.nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.block = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Conv2d(4, 4, 3, padding=1), norm(4))
        self.branching = torch.nn.Conv2d(4, 4, 1)
        self.branching_norm = norm(4)
        self.shared, self.shared_norm = torch.nn.Conv2d(4, 4, 1), norm(4)
        self.untracked = torch.nn.Sequential(torch.nn.Conv2d(4, 4, 1), norm(4, track_running_stats=False))

    def forward(self, x):
        x = self.first_norm(self.stem(x))
        x = self.last_norm(x + self.block(x))
        both = self.branching(x)
        x = both + self.branching_norm(both)
        x = self.shared_norm(self.shared(self.shared(x)))
        return self.untracked(x)


@pytest.mark.parametrize("norm", [torch.nn.BatchNorm2d, bncourse.torch_bn.BatchNorm2d])
def test_a_model_is_folded_exactly_where_that_is_certain(norm):
    model = randomize(Residual(norm))
    assert foldable_pairs(model) == [("stem", "first_norm"), ("block.1", "block.2")]
    x = torch.randn(2, 3, 6, 5, dtype=torch.float64)
    expected = model(x)
    folded = fold_model(model)
    torch.testing.assert_close(folded(x), expected, rtol=0, atol=1e-11)
    torch.testing.assert_close(model(x), expected, rtol=0, atol=0)
    assert isinstance(folded.first_norm, torch.nn.Identity)
    assert isinstance(folded.last_norm, norm)
    assert isinstance(model.first_norm, norm)


def test_layers_that_share_a_weight_are_folded_each_for_itself():
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3)
    )
    model[2].weight = model[0].weight
    randomize(model)
    x = torch.randn(5, 3, dtype=torch.float64)
    folded = fold_model(model)
    torch.testing.assert_close(folded(x), model(x), rtol=0, atol=1e-12)


def test_a_layer_with_a_hook_or_a_computed_weight_is_left_alone():
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3)).eval()
    handle = model[0].register_forward_hook(lambda module, inputs, output: 2 * output)
    assert foldable_pairs(model) == []
    handle.remove()
    assert foldable_pairs(model) == [("0", "1")]
    torch.nn.utils.parametrizations.weight_norm(model[0])
    assert foldable_pairs(model) == []
    with pytest.raises(ValueError, match=r"layer is a ParametrizedLinear whose weight is computed"):
        fold_layer(model[0], model[1])


def test_float32_agrees_to_its_rounding_and_half_precision_keeps_its_type():
    model = randomize(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8))).float()
    x = torch.randn(4, 3, 9, 9)
    expected = model.double()(x.double())
    found = fold_model(model.float())(x)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-6 * expected.abs().max().item())
    model[0].half()
    folded = fold_layer(model[0], model[1])
    assert folded.weight.dtype == folded.bias.dtype == torch.float16


def test_an_example_finds_a_batch_norm_over_another_axis_than_the_layers_outputs():
    model = randomize(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)))
    vectors, sequences = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 4, 3, dtype=torch.float64)
    folded = fold_model(model, example=vectors)
    torch.testing.assert_close(folded(vectors), model(vectors), rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match=r"model and its folded copy differ by .* Expected rounding only"):
        fold_model(model, example=sequences)
    with pytest.raises(ValueError, match=r"differ by nan"):
        fold_model(model, example=vectors * torch.nan)


class ByKeyword(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.norm = torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)

    def forward(self, x):
        return self.norm(input=self.layer(x))


def test_what_is_not_certain_is_left_alone():
    assert foldable_pairs(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.BatchNorm1d(2))) == []
    assert foldable_pairs(ByKeyword()) == []


def test_the_comparison_on_an_example_is_relative_to_the_size_of_the_output():
    model = randomize(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)))
    with torch.no_grad():
        model[1].weight.mul_(1e9)
        model[1].bias.mul_(1e9)
    x = torch.randn(50, 3, dtype=torch.float64)
    folded = fold_model(model, example=x)
    torch.testing.assert_close(folded(x), model(x), rtol=0, atol=1e-3)


class Branching(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.norm = torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)

    def forward(self, x):
        return self.norm(self.layer(x)) if x.sum() > 0 else x


@pytest.mark.parametrize(
    ("act", "kind", "message"),
    [
        (
            lambda: fold_layer(torch.nn.ReLU(), torch.nn.BatchNorm1d(2).eval()),
            TypeError,
            "layer is a ReLU. Expected Linear, Conv1d/2d/3d or ConvTranspose1d/2d/3d",
        ),
        (
            lambda: fold_layer(torch.nn.Linear(2, 2), torch.nn.LayerNorm(2)),
            TypeError,
            "batch_norm is a LayerNorm. Expected a batch norm layer.",
        ),
        (
            lambda: fold_layer(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)),
            ValueError,
            "batch_norm is in training mode, where it normalizes with each batch's own statistics. "
            "Expected evaluation mode: call eval() on the model first.",
        ),
        (
            lambda: fold_layer(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2, track_running_stats=False).eval()),
            ValueError,
            "batch_norm keeps no running statistics (track_running_stats=False)",
        ),
        (
            lambda: fold_layer(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(2).eval()),
            ValueError,
            "gamma has shape (2,), but weight of shape (3, 2) has 3 outputs.",
        ),
        (
            lambda: fold_model(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))),
            ValueError,
            "batch_norm is in training mode",
        ),
        (lambda: fold_model(Branching().eval()), ValueError, "model of type Branching cannot be traced by torch.fx"),
    ],
)
def test_what_cannot_be_folded_is_refused_with_a_way_out(act, kind, message):
    with pytest.raises(kind) as caught:
        act()
    assert message in str(caught.value)
