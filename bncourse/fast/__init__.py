"""Take what `numpy_bn` takes and give what it gives, in compiled loops: float32 and float64, forward and backward.

The same functions with the same signatures and the same `Cache`. Nothing else in the package imports this one.
"""

try:
    import numba as _numba  # noqa: F401
except ImportError as error:
    raise ImportError("bncourse.fast needs numba, which is not installed. Use: pip install 'bncourse[fast]'") from error

from bncourse.fast.functional import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_inference,
    batch_norm_inference_backward,
)
from bncourse.fast.threads import set_num_threads

__all__ = [
    "batch_norm_backward",
    "batch_norm_forward",
    "batch_norm_inference",
    "batch_norm_inference_backward",
    "set_num_threads",
]
