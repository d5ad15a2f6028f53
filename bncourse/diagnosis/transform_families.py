"""Every way of normalizing that learners are known to write, as settings of a few switches, and the belief behind each.

A family belongs to one normalization, on tables or on maps, in training or in inference. Each setting of a switch that
is not the right one is a belief of the catalogue.
"""

from typing import NamedTuple

CONSTANTS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12)
"""Values that learners write in the place of eps."""
USUAL = (1e-3, 1e-5, 1e-8)
"""Those that are tried together with a second mistake."""


class Switches(NamedTuple):
    """How a program normalizes; the defaults are right in training."""

    axes: str = "sets"
    center: str = "mean"
    variance: str = "biased"
    root: str = "inside"
    affine: str = "scale-shift"


Family = dict[str, dict[str, str]]

ROOTS = {
    "outside": "eps-outside-root",
    "ignored": "eps-ignored",
    "subtracted": "eps-subtracted",
    "no-root": "variance-without-root",
    "no-root-no-eps": "variance-without-root",
    "double": "root-twice",
    "inverse": "multiplied-by-std",
    "not-divided": "variance-not-divided",
    **{f"constant {value}": "eps-hard-coded" for value in CONSTANTS},
    **{f"constant outside {value}": "eps-hard-coded" for value in CONSTANTS},
}
AFFINES = {
    "no-scale": "gamma-missing",
    "one-plus": "gamma-one-plus",
    "no-shift": "beta-missing",
    "none": "affine-missing",
    "exchanged": "beta-gamma-exchanged",
    "shift-first": "affine-order",
    "shift-subtracted": "shift-subtracted",
    "shift-divided": "shift-divided",
    "shift-divided-scaled": "shift-divided",
}
VARIANCES = {
    "unbiased": "variance-unbiased",
    "sum": "variance-is-sum",
    "about-zero": "variance-about-zero",
    "absolute": "variance-absolute",
    "over-features": "variance-divided-by-features",
    "shared": "variance-shared",
    "shared-about-all": "variance-shared",
    "shared-sum": "variance-shared",
    "shared-sum-over-samples": "variance-shared",
}
FORWARD: Family = {
    "axes": {
        "sample": "layer-norm",
        "all": "scalar-statistics",
        "sets over features": "variance-divided-by-features",
    },
    "center": {"none": "mean-not-subtracted", "added": "mean-added", "shared": "mean-shared"},
    "variance": VARIANCES,
    "root": ROOTS,
    "affine": AFFINES,
}
CONV: Family = {
    **FORWARD,
    "axes": {
        "samples": "conv-per-pixel",
        "all": "conv-channels-shared",
        "places": "conv-instance-norm",
        "sample": "conv-layer-norm",
        "channels-last": "conv-channels-last",
        "channels": "conv-pixel-channels",
        "sets over samples": "conv-count",
    },
    "variance": {**VARIANCES, "sum over samples": "conv-count"},
}
_OTHER: Family = {
    "axes": {"batch": "normalized-over-batch", "samples": "normalized-over-batch", "all": "scalar-statistics"},
    "center": {"none": "mean-not-subtracted", "added": "mean-added"},
    "variance": {name: belief for name, belief in VARIANCES.items() if not name.startswith("shared")},
    "root": ROOTS,
    "affine": AFFINES,
}
LAYER = _OTHER
GROUP: Family = {
    **_OTHER,
    "axes": {
        **_OTHER["axes"],
        "sample": "groups-ignored",
        "places": "group-per-channel",
        "strided": "group-strided",
        "swapped": "group-size-for-count",
    },
}
INSTANCE: Family = {**_OTHER, "axes": {**_OTHER["axes"], "sample": "groups-ignored", "channels": "conv-pixel-channels"}}
RMS: Family = {
    **_OTHER,
    "center": {"mean": "rms-mean-subtracted"},
    "variance": {"biased": "rms-mean-subtracted", "sum-about-zero": "variance-is-sum"},
}
INFERENCE: Family = {
    "axes": {},
    "center": {"batch": "inference-batch-mean", "none": "inference-mean-missing", "added": "inference-mean-added"},
    "variance": {"batch": "inference-batch-variance", "batch-unbiased": "inference-batch-variance"},
    "root": {
        "outside": "inference-eps-outside-root",
        "ignored": "inference-eps-ignored",
        "subtracted": "inference-eps-subtracted",
        "no-root": "inference-running-var-is-std",
        "no-root-no-eps": "inference-running-var-is-std",
        "twice": "inference-eps-twice",
        **{f"constant {value}": "inference-eps-hard-coded" for value in CONSTANTS},
        **{f"constant outside {value}": "inference-eps-hard-coded" for value in CONSTANTS},
    },
    "affine": {
        "no-scale": "inference-without-gamma",
        "one-plus": "inference-gamma-one-plus",
        "no-shift": "inference-without-beta",
        "none": "inference-without-affine",
        "shift-first": "inference-affine-order",
        "shift-subtracted": "inference-shift-subtracted",
        "shift-divided": "inference-shift-divided",
        "shift-divided-scaled": "inference-shift-divided",
    },
}
FAMILIES = {
    "forward": FORWARD,
    "conv": CONV,
    "inference": INFERENCE,
    "layer": LAYER,
    "group": GROUP,
    "instance": INSTANCE,
    "rms": RMS,
}
TOGETHER = {
    frozenset({"inference-batch-mean", "inference-batch-variance"}): "inference-batch-statistics",
    frozenset({"variance-absolute", "variance-without-root"}): "variance-absolute",
}
"""Two switches that one belief turns."""
RIGHT = Switches()
RIGHT_RMS = Switches(center="none", variance="about-zero")


def right_switches(kind: str) -> Switches:
    """Which settings are right for a family."""
    return RIGHT_RMS if kind == "rms" else RIGHT
