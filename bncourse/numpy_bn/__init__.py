"""Batch normalization by hand, in NumPy. This package may import `conventions` and NumPy, never its twin.

Read `functional` first: the transform, and the gradient beside it.
"""

from bncourse.numpy_bn.elementary import Dropout, Linear, ReLU, Sigmoid
from bncourse.numpy_bn.folding import (
    Affine,
    Folded,
    fold_batch_norm,
    inference_affine,
)
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
from bncourse.numpy_bn.ghost import (
    GhostCache,
    ghost_batch_norm_backward,
    ghost_batch_norm_forward,
    ghost_batches,
)
from bncourse.numpy_bn.invariances import (
    effective_learning_rate,
    equilibrium_norm,
    radial_gradient,
    rescale_weights,
    weight_norms,
)
from bncourse.numpy_bn.layer import BatchNorm
from bncourse.numpy_bn.lrn import (
    ResponseCache,
    local_response_norm_backward,
    local_response_norm_forward,
    window_sum,
)
from bncourse.numpy_bn.moments import batch_moments, merge_moments
from bncourse.numpy_bn.network import Layer, Sequential
from bncourse.numpy_bn.normalization import (
    NormalizationCache,
    StandardizeCache,
    normalization_axes,
    normalize_backward,
    normalize_forward,
    standardize_backward,
    standardize_forward,
)
from bncourse.numpy_bn.outside_gradient import (
    Trajectory,
    add_bias_and_center,
    bias_gradient_inside,
    bias_gradient_outside,
    train_bias,
)
from bncourse.numpy_bn.recurrent import (
    CellCache,
    CellGradients,
    CellMoments,
    CellParameters,
    PerStepStatistics,
    lstm_step_backward,
    lstm_step_forward,
    lstm_step_inference,
)
from bncourse.numpy_bn.renorm import (
    Corrections,
    RenormCache,
    batch_renorm_backward,
    batch_renorm_forward,
    renorm_corrections,
)
from bncourse.numpy_bn.results import Moments
from bncourse.numpy_bn.running import PopulationStatistics, RunningStatistics, unbiased, update_running
from bncourse.numpy_bn.training import SGD, Adam, softmax_cross_entropy
from bncourse.numpy_bn.whitening import (
    WhiteningCache,
    whiten_backward,
    whiten_forward,
)

__all__ = [
    "SGD",
    "Adam",
    "Affine",
    "BatchNorm",
    "Cache",
    "CellCache",
    "CellGradients",
    "CellMoments",
    "CellParameters",
    "Corrections",
    "Dropout",
    "Folded",
    "GhostCache",
    "Gradients",
    "Layer",
    "Linear",
    "Moments",
    "NormalizationCache",
    "PerStepStatistics",
    "PopulationStatistics",
    "ReLU",
    "RenormCache",
    "ResponseCache",
    "RunningStatistics",
    "Sequential",
    "Sigmoid",
    "Stages",
    "StandardizeCache",
    "Trajectory",
    "WhiteningCache",
    "add_bias_and_center",
    "batch_moments",
    "batch_norm_backward",
    "batch_norm_backward_staged",
    "batch_norm_forward",
    "batch_norm_inference",
    "batch_norm_inference_backward",
    "batch_renorm_backward",
    "batch_renorm_forward",
    "bias_gradient_inside",
    "bias_gradient_outside",
    "effective_learning_rate",
    "equilibrium_norm",
    "fold_batch_norm",
    "ghost_batch_norm_backward",
    "ghost_batch_norm_forward",
    "ghost_batches",
    "inference_affine",
    "local_response_norm_backward",
    "local_response_norm_forward",
    "lstm_step_backward",
    "lstm_step_forward",
    "lstm_step_inference",
    "merge_moments",
    "normalization_axes",
    "normalize_backward",
    "normalize_forward",
    "radial_gradient",
    "renorm_corrections",
    "rescale_weights",
    "softmax_cross_entropy",
    "standardize_backward",
    "standardize_forward",
    "train_bias",
    "unbiased",
    "update_running",
    "weight_norms",
    "whiten_backward",
    "whiten_forward",
    "window_sum",
]
