"""Folding the batch norm layers of a whole PyTorch model into the layers before them.

`fold_layer` folds one pair. `fold_model` finds every pair: it traces the model's graph with `torch.fx`, which
shows what follows what however the layers are named, and folds where the result is certain to be the same.
"""

import copy
from typing import Any

import torch

from bncourse.torch_bn.folding import fold_batch_norm

BatchNormLayer = torch.nn.modules.batchnorm._BatchNorm
ConvolutionLayer = torch.nn.modules.conv._ConvNd
TransposedLayer = torch.nn.modules.conv._ConvTransposeNd


def fold_layer(layer: torch.nn.Module, batch_norm: torch.nn.Module) -> torch.nn.Module:
    """One layer that computes `batch_norm(layer(x))` as in inference.

    Parameters
    ----------
    layer : Linear, Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d or ConvTranspose3d
        Its output's channels lie on axis 1; a Linear layer is given (N, in).
    batch_norm : any batch norm layer, PyTorch's or this package's, in evaluation mode

    Returns
    -------
    torch.nn.Module
        A copy of `layer` with other weights, and a bias whether or not `layer` had one. The originals stay.

    Raises
    ------
    TypeError
        If `layer` is of another type, or `batch_norm` is no batch norm.
    ValueError
        If `batch_norm` is in training mode or keeps no statistics, if `layer` is parametrized (its weight is
        computed, not stored), or if the sizes do not fit.
    """
    if not isinstance(layer, torch.nn.Linear | ConvolutionLayer):
        raise TypeError(
            f"layer is a {type(layer).__name__}. Expected Linear, Conv1d/2d/3d or ConvTranspose1d/2d/3d, whose "
            "output batch norm scales and shifts."
        )
    if not isinstance(batch_norm, BatchNormLayer):
        raise TypeError(f"batch_norm is a {type(batch_norm).__name__}. Expected a batch norm layer.")
    if batch_norm.running_mean is None or batch_norm.running_var is None:
        raise ValueError(
            "batch_norm keeps no running statistics (track_running_stats=False), so it is no constant map. "
            "Expected running_mean and running_var; recompute_statistics fills those of a tracking layer."
        )
    if batch_norm.training:
        raise ValueError(
            "batch_norm is in training mode, where it normalizes with each batch's own statistics. "
            "Expected evaluation mode: call eval() on the model first."
        )
    if _weight_is_computed(layer):
        raise ValueError(
            f"layer is a {type(layer).__name__} whose weight is computed by a parametrization or a hook (such as "
            "weight norm). Expected a stored weight: remove the parametrization first."
        )
    transposed = isinstance(layer, TransposedLayer)
    weight, bias = fold_batch_norm(
        layer.weight.detach(),
        None if layer.bias is None else layer.bias.detach(),
        None if batch_norm.weight is None else batch_norm.weight.detach(),
        None if batch_norm.bias is None else batch_norm.bias.detach(),
        batch_norm.running_mean,
        batch_norm.running_var,
        eps=batch_norm.eps,
        transposed=transposed,
        groups=layer.groups if isinstance(layer, TransposedLayer) else 1,
    )
    folded = copy.deepcopy(layer)
    # parameters in half precision and statistics in float32 meet in float32; the layer keeps its own type
    folded.weight = torch.nn.Parameter(weight.to(layer.weight.dtype))
    folded.bias = torch.nn.Parameter(bias.to(layer.weight.dtype))
    return folded


def foldable_pairs(model: torch.nn.Module) -> list[tuple[str, str]]:
    """Names of the pairs (layer, batch norm) that `fold_model` folds, in the order in which they run.

    A pair is certain when the batch norm takes the layer's output, nothing else does, both are called once,
    neither carries hooks, and the batch norm keeps running statistics.

    Raises
    ------
    ValueError
        If the model cannot be traced, because its forward pass depends on values.
    """
    try:
        graph = _Tracer().trace(model)
    except Exception as error:
        raise ValueError(
            f"model of type {type(model).__name__} cannot be traced by torch.fx ({error}), so it is not known what "
            "follows what. Expected a forward pass without branches on values; fold the pairs with fold_layer."
        ) from error
    modules = dict(model.named_modules())
    calls = [node for node in graph.nodes if node.op == "call_module"]
    times_called = [modules[str(node.target)] for node in calls]
    pairs = []
    for node in calls:
        source = node.args[0] if node.args else None
        if not isinstance(source, torch.fx.Node) or source.op != "call_module" or len(source.users) != 1:
            continue
        layer, batch_norm = modules[str(source.target)], modules[str(node.target)]
        if not isinstance(layer, torch.nn.Linear | ConvolutionLayer) or not isinstance(batch_norm, BatchNormLayer):
            continue
        once = all(sum(called is module for called in times_called) == 1 for module in (layer, batch_norm))
        hooked = any(module._forward_hooks or module._forward_pre_hooks for module in (layer, batch_norm))
        if once and not hooked and not _weight_is_computed(layer) and batch_norm.running_mean is not None:
            pairs.append((str(source.target), str(node.target)))
    return pairs


def fold_model(model: torch.nn.Module, *, example: torch.Tensor | None = None) -> torch.nn.Module:
    """Return a copy of a model in which batch norm is folded away wherever that changes nothing but rounding.

    A folded batch norm becomes `torch.nn.Identity`, so that names and structure stay. One that does not follow a
    linear layer or a convolution directly stays as it is; `foldable_pairs` lists those that go.

    Parameters
    ----------
    model : torch.nn.Module
        In evaluation mode.
    example : tensor, optional
        An input on which the result is compared with the model. It finds what no graph shows: a linear layer whose
        output (N, L, C) meets a batch norm over L. It also finds a model that rounding alone can upset.

    Raises
    ------
    ValueError
        If a batch norm to be folded is in training mode, the model cannot be traced, or the example tells the two
        apart.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.ReLU()).eval()
    >>> foldable_pairs(model)
    [('0', '1')]
    >>> fold_model(model)[1]
    Identity()
    """
    folded = copy.deepcopy(model)
    for layer_name, batch_norm_name in foldable_pairs(model):
        layer, batch_norm = folded.get_submodule(layer_name), folded.get_submodule(batch_norm_name)
        _replace(folded, layer_name, fold_layer(layer, batch_norm))
        _replace(folded, batch_norm_name, torch.nn.Identity())
    if example is not None:
        with torch.no_grad():
            expected, found = model(example), folded(example)
        difference, size = (found - expected).abs().max().item(), expected.abs().max().item()
        if not difference <= 1e4 * torch.finfo(expected.dtype).eps * size:
            raise ValueError(
                f"model and its folded copy differ by {difference:.1e} on the example, whose output is as large as "
                f"{size:.1e}. Expected rounding only. Does a linear layer's output (N, L, C) meet a batch norm over L? "
                "Fold the other pairs with fold_layer."
            )
    return folded


class _Tracer(torch.fx.Tracer):
    """Sees every batch norm as one step, also this package's, whose inside would not trace."""

    def is_leaf_module(self, m: torch.nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, BatchNormLayer) or super().is_leaf_module(m, module_qualified_name)


def _weight_is_computed(layer: torch.nn.Module) -> bool:
    """Whether a parametrization or an old-style hook computes the weight again for each call."""
    return "weight" not in layer._parameters


def _replace(model: torch.nn.Module, name: str, module: Any) -> None:
    """Put `module` in the place called `name`."""
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)
