"""Say what the catalogue says of batch norm of another normalization, in which other values share a mean.

The catalogue's words are those of batch norm: a mean belongs to a feature, and is taken over the samples of a batch.
For layer norm it belongs to a sample and is taken over its features, so these words change places. Gamma and beta keep
theirs: in every normalization they are one number for each feature, and their gradients are sums over the batch.
"""

import re
from collections.abc import Mapping
from functools import cache

_SAMPLE = {"batch": "sample", "samples": "features", "sample": "feature", "features": "samples", "feature": "sample"}
_GROUP = {"batch": "group", "samples": "values", "sample": "value", "features": "groups", "feature": "group"}
_IMAGE = {"batch": "map", "samples": "pixels", "sample": "pixel", "features": "maps", "feature": "map"}
STATISTICS = {"layer": _SAMPLE, "rms": _SAMPLE, "group": _GROUP, "instance": _IMAGE}
"""What shares a mean, and what its values are, where the catalogue says batch, feature and sample."""
_CHANNEL = {"features": "channels", "feature": "channel"}
PARAMETERS: Mapping[str, Mapping[str, str]] = {"layer": {}, "rms": {}, "group": _CHANNEL, "instance": _CHANNEL}
"""The same where gamma, beta, shapes or other samples are spoken of."""

KEEP_THEIR_WORDS = {
    *("gamma-missing", "gamma-one-plus", "beta-missing", "affine-missing", "affine-order", "shift-subtracted"),
    *("shift-divided", "beta-gamma-exchanged", "gamma-pulled-out", "dx-gamma-missing", "dx-gamma-doubled"),
    *(
        "dx-gamma-one-plus",
        "gamma-partial",
        "normalized-over-batch",
        "groups-ignored",
        "group-per-channel",
        "group-strided",
    ),
    *("group-size-for-count", "rms-mean-subtracted", "rms-mean-path", "law-permutation", "layer-norm"),
}
"""Beliefs that speak of gamma, of whole samples, or of this very normalization."""

ROOT_MEAN_SQUARE = (
    (
        "^(Shifting a whole sample leaves the loss as it is, so )?dx must sum to zero.*",
        "dx must predict the change of the loss when one number of x moves a little.",
    ),
    ("^Shifting or scaling a whole", "With a small eps, scaling a whole"),
    ("^Shifting a whole sample must leave dx as it is", "With a small eps, doubling x must halve dx"),
    ("^Shifting a whole batch must leave dgamma", "With a small eps, doubling x must leave dgamma"),
    ("The paths through the mean and the variance lack their sums", "The path through the mean square lacks its sum"),
    ("The paths through the mean and through the variance are both missing", "The other one is missing"),
    ("the paths through the mean and the variance contain sums", "the path through the mean square contains a sum"),
    ("([Tt])he paths through the mean and the variance", r"\1he path through the mean square"),
    ("(?:the )?mean and (?:the )?variance", "the mean square"),
    (" and the path through the mean(?! square)", ""),
    ("The direct path are", "The direct path is"),
    ("; the other two are right", "; the other one is right"),
    ("All three paths", "Both paths"),
    ("by three paths", "by two paths"),
    ("the third path", "the second path"),
    ("x minus (?:its|the) mean", "x"),
    ("the squared deviations(?: from the mean)?", "the squares of x"),
    ("the centered values", "x"),
    ("standard deviations?", "root mean square"),
    ("\\bvariance\\b", "mean square"),
)
"""RMS norm has no mean to subtract, and no variance."""


@cache
def said_of(text: str, kind: str, *, belief: str, part: str) -> str:
    """Say a sentence of the catalogue of another normalization.

    Parameters
    ----------
    text : str
        The sentence, in the words of batch norm.
    kind : str
        Of which normalization; "batch" leaves it as it is.
    belief, part : str
        To which entry of the catalogue it belongs.

    Examples
    --------
    >>> said_of("Divide by the number of samples, which lie on axis 0.", "layer", belief="mean-path-sum", part="dx")
    'Divide by the number of features.'
    """
    if kind not in STATISTICS or part in ("conv", "stages", "inference", "running"):
        return text
    keeps = belief in KEEP_THEIR_WORDS or part in ("dgamma", "dbeta", "any")
    if belief in ("count-of-features", "variance-divided-by-features"):
        words: Mapping[str, str] = _SAMPLE
    else:
        words = PARAMETERS[kind] if keeps else STATISTICS[kind]
    if not keeps:
        text = re.sub(r",? which lie on axis [01]", "", text)
        text = text.replace("batch normalization", "this normalization")
    if words:
        found = re.compile(r"\b(" + "|".join((*words, *map(str.capitalize, words))) + r")\b")
        text = found.sub(lambda match: _like(match.group(), words[match.group().lower()]), text)
    if kind == "rms" and not belief.startswith("rms-"):
        for old, new in ROOT_MEAN_SQUARE:
            text = re.sub(old, new, text)
    return text


def _like(old: str, new: str) -> str:
    """The new word, with a capital where the old one had it."""
    return new.capitalize() if old[0].isupper() else new
