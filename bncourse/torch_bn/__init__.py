"""Batch normalization by hand, in PyTorch. This package may import `conventions` and PyTorch, never its twin.

Read `functional` first: the transform, and the gradient beside it.
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "bncourse.torch_bn needs PyTorch, which is not installed. Use: pip install 'bncourse[torch]'"
    ) from error

from bncourse.torch_bn.autograd import BatchNormFunction
from bncourse.torch_bn.beyond import (
    BatchRenorm,
    GhostBatchNorm,
    Normalization,
)
from bncourse.torch_bn.fold_models import (
    fold_layer,
    fold_model,
    foldable_pairs,
)
from bncourse.torch_bn.folding import (
    Affine,
    Folded,
    fold_batch_norm,
    inference_affine,
)
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
from bncourse.torch_bn.ghost import (
    GhostCache,
    ghost_batch_norm_backward,
    ghost_batch_norm_forward,
    ghost_batches,
)
from bncourse.torch_bn.invariances import (
    effective_learning_rate,
    equilibrium_norm,
    radial_gradient,
    rescale_weights,
    weight_norms,
)
from bncourse.torch_bn.layer import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d
from bncourse.torch_bn.lrn import (
    ResponseCache,
    local_response_norm_backward,
    local_response_norm_forward,
    window_sum,
)
from bncourse.torch_bn.moments import batch_moments, merge_moments
from bncourse.torch_bn.normalization import (
    NormalizationCache,
    StandardizeCache,
    normalization_axes,
    normalize_backward,
    normalize_forward,
    standardize_backward,
    standardize_forward,
)
from bncourse.torch_bn.outside_gradient import (
    Trajectory,
    add_bias_and_center,
    bias_gradient_inside,
    bias_gradient_outside,
    train_bias,
)
from bncourse.torch_bn.recompute import (
    recompute_statistics,
)
from bncourse.torch_bn.recurrent import (
    CellCache,
    CellGradients,
    CellMoments,
    CellParameters,
    PerStepStatistics,
    lstm_step_backward,
    lstm_step_forward,
    lstm_step_inference,
)
from bncourse.torch_bn.recurrent_layer import (
    BatchNormLSTMCell,
    PerStepBatchNorm,
)
from bncourse.torch_bn.renorm import (
    Corrections,
    RenormCache,
    batch_renorm_backward,
    batch_renorm_forward,
    renorm_corrections,
)
from bncourse.torch_bn.results import Moments
from bncourse.torch_bn.running import PopulationStatistics, RunningStatistics, unbiased, update_running
from bncourse.torch_bn.sync import (
    SyncBatchNorm,
    SyncBatchNormFunction,
    joined_moments,
    synchronized,
)
from bncourse.torch_bn.whitening import (
    WhiteningCache,
    whiten_backward,
    whiten_forward,
)

__all__ = [
    "Affine",
    "BatchNorm",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "BatchNormFunction",
    "BatchNormLSTMCell",
    "BatchRenorm",
    "Cache",
    "CellCache",
    "CellGradients",
    "CellMoments",
    "CellParameters",
    "Corrections",
    "Folded",
    "GhostBatchNorm",
    "GhostCache",
    "Gradients",
    "Moments",
    "Normalization",
    "NormalizationCache",
    "PerStepBatchNorm",
    "PerStepStatistics",
    "PopulationStatistics",
    "RenormCache",
    "ResponseCache",
    "RunningStatistics",
    "Stages",
    "StandardizeCache",
    "SyncBatchNorm",
    "SyncBatchNormFunction",
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
    "fold_layer",
    "fold_model",
    "foldable_pairs",
    "ghost_batch_norm_backward",
    "ghost_batch_norm_forward",
    "ghost_batches",
    "inference_affine",
    "joined_moments",
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
    "recompute_statistics",
    "renorm_corrections",
    "rescale_weights",
    "standardize_backward",
    "standardize_forward",
    "synchronized",
    "train_bias",
    "unbiased",
    "update_running",
    "weight_norms",
    "whiten_backward",
    "whiten_forward",
    "window_sum",
]
