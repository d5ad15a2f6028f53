"""One question per file: Config -> run -> Result.

It may import `diagnosis` and everything below it. It neither plots nor prints. Each experiment's file holds its
`QUESTION`, its Config in two sizes (`FULL` for the recorded run, `QUICK` for a book build or a test), the `units`
it plans and how it does to `measure` one. `run` does them all.
"""

from bncourse.experiments.result import Config, Result, Unit, load, recorded
from bncourse.experiments.runner import Progress, experiment, run
from bncourse.experiments.statistics import Interval, interval

NAMES = (
    "figure_one",
    "outside_gradient",
    "batch_size",
    "learning_rates",
    "initialization",
    "not_iid",
    "shuffling",
    "inference_statistics",
    "regularization",
    "rotation",
    "covariate_shift",
    "adabn",
    "explosion",
    "depth",
    "residual_convnet",
    "one_update",
    "l1_norm",
    "curvature",
    "affine_only",
    "adaptation",
    "company",
    "internal_shift",
    "landscape",
    "placement",
    "affine_parameters",
    "targets",
    "recurrent",
    "inception",
    "inception_changes",
    "sync",
    "cost",
)
"""The experiments, in the order of the course."""

__all__ = [
    "NAMES",
    "Config",
    "Interval",
    "Progress",
    "Result",
    "Unit",
    "experiment",
    "interval",
    "load",
    "recorded",
    "run",
]
