"""What a function is asked for: which normalization, on tables or on feature maps, and whose convention."""

from typing import Literal, NamedTuple

from bncourse.diagnosis.layouts import Layout

PLACES = (2, 5)
"""Rows and columns of the feature maps that are tried: unlike one another, the samples and the channels."""


class Rules(NamedTuple):
    """The defaults are this course's: batch norm on tables (N, C)."""

    kind: str = "batch"
    """batch, layer, group, instance or rms."""
    spatial: tuple[int, ...] = ()
    """Rows and columns, for feature maps."""
    groups: int = 1
    eps: float | None = None
    """Where a function has an eps of its own and takes none: which."""
    running_variance: Literal["unbiased", "biased", "either"] = "unbiased"
    momentum: Literal["argument", "constant", "either"] = "argument"
    """Whether the momentum is an argument, a constant of the function's own, or may also weigh the old value."""
    inference_eps: float | None = None
    """As eps, for inference, where that is another one."""

    @property
    def layout(self) -> Layout:
        """Which values share a mean and a variance."""
        return Layout(self.kind, self.groups)


BATCH_NORM = Rules()
