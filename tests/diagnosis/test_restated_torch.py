"""A module and a folded convolution of other names and layouts, turned round to the published ones."""

import pytest
import torch

from bncourse.diagnosis.report import Misconception
from bncourse.diagnosis.restated_torch import LAYOUTS, RestatedTorch
from bncourse.diagnosis.tasks import name_belief

STD = RestatedTorch("std", "HWIO")


class Layer(torch.nn.Module):
    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(num_features))
        self.bias = torch.nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_std", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))


def test_a_module_is_known_by_the_published_names_alone() -> None:
    layer = STD.module(Layer)(3)
    names = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
    assert set(layer.state_dict()) == names
    assert {name for name, _ in layer.named_buffers()} == names - {"weight", "bias"}
    assert {name for name, _ in layer.named_parameters()} == {"weight", "bias"}
    layer.load_state_dict({name: value + 1 for name, value in layer.state_dict().items()})
    assert layer.running_var.tolist() == [2.0] * 3 and layer.num_batches_tracked == 1
    assert not hasattr(layer, "running_std") and hasattr(STD.module(Layer), "state_dict")
    assert [STD.said(name) for name in ("running_var", "weight")] == ["running_std", "weight"]


def test_what_bears_the_published_name_and_should_not_is_missing_and_too_much() -> None:
    class Published(Layer):
        """Last year's: it keeps a variance."""

        def __init__(self, num_features: int) -> None:
            super().__init__(num_features)
            self.register_buffer("running_var", self._buffers.pop("running_std"))

    kept = STD.module(Published)(3)
    state = set(kept.state_dict())
    assert "running_var" not in state and len(state) == 5 and not hasattr(kept, "running_var")


def test_beliefs_about_the_state_are_named_in_either_convention() -> None:
    name_belief("pytorch/module-state", STD.module(Layer))

    class Plain(Layer):
        def __init__(self, num_features: int) -> None:
            super().__init__(num_features)
            self.running_std = self._buffers.pop("running_std")

    with pytest.raises(Misconception) as raised:
        name_belief("pytorch/module-state", STD.module(Plain))
    assert raised.value.belief == "module-state-statistics-plain"


@pytest.mark.parametrize("spread", ["var", "std", "precision"])
@pytest.mark.parametrize("weights", list(LAYOUTS))
def test_a_folded_convolution_is_turned_back(spread: str, weights: str) -> None:
    own = RestatedTorch(spread, weights)  # type: ignore[arg-type]
    letters = dict(zip("OIHW", (5, 4, 2, 3), strict=True))
    shape = tuple(letters[axis] for axis in weights)

    def fold(weight: torch.Tensor, bias: None, *given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gamma, beta, mean, kept, eps = given
        assert tuple(weight.shape) == shape
        var = {"var": kept, "std": kept**2, "precision": 1 / kept}[spread]
        scale = gamma / (var + eps).sqrt()
        wide = scale.reshape([-1 if axis == "O" else 1 for axis in weights])
        return weight * wide, beta - scale * mean

    weight, vectors = torch.rand(5, 4, 2, 3).double(), [torch.rand(5).double() + 0.5 for _ in range(4)]
    found, bias = own.fold(fold)(weight, None, *vectors, 0.1)
    gamma, beta, mean, var = vectors
    scale = gamma / (var + 0.1).sqrt()
    torch.testing.assert_close(found, weight * scale.reshape(-1, 1, 1, 1), rtol=1e-12, atol=0)
    torch.testing.assert_close(bias, beta - scale * mean, rtol=1e-12, atol=1e-12)
