"""A function that moves running statistics, of any course, called as ours."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bncourse.diagnosis.conventions.arrays import Array, to_numpy
from bncourse.diagnosis.conventions.errors import by_us
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.running_stats import NAMES

AMONG = ("running_mean", "running_var", "momentum", "eps", "mean", "var", "x")


@dataclass
class Update:
    """A function of running_mean, running_var and a batch, or the batch's mean and variance."""

    name: str
    function: Callable[..., Any]
    program: Program

    @by_us
    def __call__(self, mean: Array, var: Array, x: Array, momentum: float) -> Any:
        """Return the moved statistics, also where they are moved in place."""
        signature = Signature(self.function, AMONG)
        axes = (0, *range(2, x.ndim))
        given: dict[str, Any] = {"running_mean": mean.copy(), "running_var": var.copy(), "momentum": momentum}
        given |= {"x": x.copy(), "mean": x.mean(axis=axes), "var": x.var(axis=axes), "eps": 1e-5}
        result = to_numpy(signature.call(self.function, given))
        if result is None:
            return given["running_mean"], given["running_var"]
        if isinstance(result, dict):
            return tuple(result.get(name) for name in NAMES)
        return result
