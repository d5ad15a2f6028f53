"""Whose convention the functions of a normalization follow, by their form."""

from bncourse.diagnosis.conventions.bundles import layers_of
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.definitions import words_of
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.units import Unit


def convention_of(unit: Unit) -> str:
    """Name of the convention that a unit follows."""
    if isinstance(unit.forward, Layer):
        text = unit.forward.text
        if unit.forward.module:
            return "pytorch"
        if "retain_derived" in text:
            return "numpy-ml"
        if "use_running_average" in text:
            return "flax"
        if "'BW'" in text or "dLdBW" in text or "running_M" in text:
            return "cmu"
        if "moving_mean" in text and ("'call'" in text or "training" in text):
            return "keras"
        return "class"
    if isinstance(unit.forward, Forward):
        known = unit.forward.signature
        if unit.forward.of_bundles:
            return "deeplearning-ai" if layers_of(unit.forward.tree) else "jax"
        if known.has("settings"):
            return "cs231n"
        if known.has("running_mean"):
            return "d2l"
        names = words_of(unit.forward.tree)
        if names[:3] == ["x", "gamma", "beta"] and names[3:] in (["eps"], []) and not unit.forward.torch:
            return "bncourse" if known.has("eps") else "functions"
    return "functions"
