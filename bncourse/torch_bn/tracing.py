"""A layer's call as one node of a graph that `torch.fx` traces, as PyTorch's own layers are."""

from typing import Any

import torch
import torch.fx

from bncourse.torch_bn.results import Array


def one_node(layer: torch.nn.Module, x: torch.fx.Proxy) -> Array:
    """Return what stands for the layer's result while its model is traced.

    Raises
    ------
    torch.fx.proxy.TraceError
        If the layer itself is traced, as PyTorch's raise too.
    """
    tracer: Any = x.tracer
    if getattr(tracer, "root", None) is layer:
        raise torch.fx.proxy.TraceError(
            f"{type(layer).__name__} cannot be traced by itself, as its PyTorch counterpart cannot. Trace a model that "
            "contains it; it becomes one node."
        )
    node: Array = tracer.create_proxy("call_module", tracer.path_of_module(layer), (x,), {})
    return node
