"""What running statistics mean where courses differ: which value momentum weighs, and which variance is averaged."""

from dataclasses import replace

from bncourse.diagnosis.conventions.known import Convention
from bncourse.diagnosis.conventions.translation import Translation
from bncourse.diagnosis.running_stats import CONVENTIONAL


def own_convention(its: Translation, notes: tuple[str, ...]) -> Convention:
    """The convention, with the value that momentum weighs in this file where no course says which.

    Parameters
    ----------
    its : Translation
        The normalization.
    notes : tuple of str
        What the diagnosis has noted of it.
    """
    convention = its.convention
    if its.course_counts or CONVENTIONAL["momentum-swapped"] not in notes:
        return convention
    return replace(convention, momentum="old" if convention.momentum == "new" else "new")


def differences(its: Translation, notes: tuple[str, ...], *, momentum: bool, certain: bool = True) -> tuple[str, ...]:
    """Say what the file's running statistics mean, where that differs between courses.

    Parameters
    ----------
    its, notes
        As in `own_convention`.
    momentum : bool
        Whether it has one that a caller can set.
    certain : bool
        Whether the forward pass is right; where it is wrong, the variance that it averages may be neither of the two.
    """
    convention = own_convention(its, notes)
    variance = str(convention.running_variance)
    if not its.course_counts:
        biased = CONVENTIONAL["running-variance-biased"] in notes
        variance = "biased" if biased else "unbiased" if certain else ""
    weighed = str(convention.momentum) if momentum else ""
    return tuple(its.convention.differences(weighed, variance, declared=its.declared))
