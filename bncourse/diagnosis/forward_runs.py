"""A student's forward pass, ready to be called on any probe, and what can be seen by calling it alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bncourse.diagnosis import call, transforms
from bncourse.diagnosis.bounds import distance
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.trials import FRESH

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Run:
    """A forward pass, ready to be called on any probe."""

    call: Callable[[Probe], call.Value]
    kind: str
    part: str
    probe: Probe
    eps: float | None
    single: bool = False
    """Whether it works in single precision, whatever it returns."""

    @property
    def inference(self) -> bool:
        """Whether it works with running statistics."""
        return self.kind == "inference"

    def fresh(self) -> list[Probe]:
        """Probes that the search has not used."""
        seed, spatial, layout, eps = self.probe.key
        return [make_probe(seed + more, spatial=spatial, layout=layout, eps=eps) for more in FRESH]

    def survives(self, predict: Callable[[Probe], Array]) -> bool:
        """Whether a mistaken program gives the student's numbers on probes that the search has not used."""
        try:
            for probe in self.fresh():
                found, expected = self.call(probe), predict(probe)
                size = np.maximum(transforms.size_of(probe), np.abs(expected))
                dtype = np.float32 if self.single else found.dtype
                if distance(found.array, np.broadcast_to(expected, probe.x.shape), size) > probe.allowed(dtype):
                    return False
        except call.Slip:
            return False
        return True


def is_constant(run: Run, y: Array) -> bool:
    """Whether another batch of the same shape gets the same answer."""
    other = replace(run.probe, x=np.ascontiguousarray(run.probe.x[::-1] ** 3 * 1.3 + 0.7))
    return bool(np.array_equal(run.call(other).array, y))


def is_single(run: Run, y: Array) -> bool:
    """Whether it works in single precision, whatever the type of what it returns."""
    rounded = replace(run.probe, x=run.probe.x.astype(np.float32).astype(np.float64))
    try:
        return bool(np.array_equal(run.call(rounded).array, y))
    except call.Slip:
        return False
