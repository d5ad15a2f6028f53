"""What one call of a student's code is given, in our layout, and what it gave."""

from dataclasses import dataclass, field
from typing import Any

from bncourse.diagnosis.conventions.arrays import Array

USUAL_MOMENTUM = 0.9
"""What a function is given that asks for a momentum, where its value does not matter."""


@dataclass(frozen=True)
class Values:
    """What one call is given, in our layout."""

    x: Array
    gamma: Array
    beta: Array
    eps: float
    train: bool = True
    running_mean: Array | None = None
    running_var: Array | None = None
    momentum: float | None = None
    """As the student's course means it."""
    groups: int = 1


@dataclass
class Outcome:
    """What one call gave."""

    y: Any
    values: Values
    rest: Any = None
    """What came back beside y and is handed to the backward pass: a cache, or everything."""
    statistics: dict[str, Any] = field(default_factory=dict)
    graph: Any = None
    """For PyTorch: y as a tensor, and the leaves it was computed from."""
    layer: Any = None
    """For a class: the instance."""
    settings: dict[str, Any] = field(default_factory=dict)
    """The dict of settings after the call."""
    whole: Any = None
    """Everything that came back beside y, where a cache is only one thing of several."""
