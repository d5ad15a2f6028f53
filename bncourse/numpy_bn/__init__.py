"""This room is batch normalization by hand, in NumPy. It may import `conventions` and NumPy, never its twin.

Read `functional` first: the transform, and the gradient beside it.
"""

from bncourse.numpy_bn.functional import (
    Cache,
    Gradients,
    Stages,
    batch_norm_backward,
    batch_norm_backward_staged,
    batch_norm_forward,
    batch_norm_inference,
    batch_norm_inference_backward,
)
from bncourse.numpy_bn.moments import Moments, batch_moments, merge_moments
from bncourse.numpy_bn.running import PopulationStatistics, RunningStatistics

__all__ = [
    "Cache",
    "Gradients",
    "Moments",
    "PopulationStatistics",
    "RunningStatistics",
    "Stages",
    "batch_moments",
    "batch_norm_backward",
    "batch_norm_backward_staged",
    "batch_norm_forward",
    "batch_norm_inference",
    "batch_norm_inference_backward",
    "merge_moments",
]
