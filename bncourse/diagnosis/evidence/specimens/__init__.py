"""Wrong programs, on purpose: one or more for every belief of the catalogue.

Each is an own, small implementation in the way in which a learner would write it. The checks are proven on them: the
reference passes every check, every specimen fails, and is diagnosed as itself.
"""

from bncourse.diagnosis.evidence.specimens import (
    backward,
    conv,
    forward,
    general,
    inference,
    kinds,
    other_norms,
    running,
    sums,
)
from bncourse.diagnosis.evidence.specimens.registry import OTHERS, SPECIMENS, OtherSpecimen, Specimen

__all__ = [
    "OTHERS",
    "SPECIMENS",
    "OtherSpecimen",
    "Specimen",
    "backward",
    "conv",
    "forward",
    "general",
    "inference",
    "kinds",
    "other_norms",
    "running",
    "sums",
]
