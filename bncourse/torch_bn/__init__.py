"""This room is batch normalization by hand, in PyTorch. It may import `conventions` and PyTorch, never its twin.

Read `functional` first: the transform, and the gradient beside it.
"""

from bncourse.torch_bn.functional import (
    Cache,
    Gradients,
    Stages,
    batch_norm_backward,
    batch_norm_backward_staged,
    batch_norm_forward,
    batch_norm_inference,
    batch_norm_inference_backward,
)

__all__ = [
    "Cache",
    "Gradients",
    "Stages",
    "batch_norm_backward",
    "batch_norm_backward_staged",
    "batch_norm_forward",
    "batch_norm_inference",
    "batch_norm_inference_backward",
]
