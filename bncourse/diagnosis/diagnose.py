"""One call that says all: whether this batch normalization is right, and if not, what its author believed."""

from dataclasses import replace

from bncourse.diagnosis.backwards import Graded, look_at_backward
from bncourse.diagnosis.call import Function
from bncourse.diagnosis.forwards import look_at_forward, look_at_inference
from bncourse.diagnosis.report import Report
from bncourse.diagnosis.rules import BATCH_NORM, PLACES, Rules
from bncourse.diagnosis.running_stats import diagnose_update

FITS = "Your backward pass is the right gradient of your forward pass, so only the forward pass is charged."


def diagnose(
    forward: Function,
    backward: Function | None = None,
    *,
    inference: Function | None = None,
    inference_backward: Function | None = None,
    running: Function | None = None,
    conv: bool = False,
    seed: int = 0,
    rules: Rules = BATCH_NORM,
) -> Report:
    """Say what is right, what is wrong, and which belief explains it.

    Parameters
    ----------
    forward : callable
        `forward(x, gamma, beta, eps=eps) -> (y, cache)`.
    backward : callable, optional
        `backward(dy, cache) -> (dx, dgamma, dbeta)`.
    inference : callable, optional
        `inference(x, gamma, beta, running_mean, running_var, eps=eps) -> (y, cache)`, or y alone.
    inference_backward : callable, optional
        `inference_backward(dy, cache) -> (dx, dgamma, dbeta)`; needs `inference`.
    running : callable, optional
        `running(running_mean, running_var, x, momentum=momentum) -> (running_mean, running_var)`.
    conv : bool
        Whether forward and backward are also meant for feature maps (N, C, H, W).
    seed : int
        Other numbers, the same kind of probe.
    rules : Rules
        Which normalization they are meant for, and whose convention they follow; by default batch norm on tables.

    Returns
    -------
    Report
        The first finding is the most basic one. A wrong forward pass is charged once: a backward pass that is its exact
        gradient is not charged.

    Raises
    ------
    ValueError
        If inference_backward is given without inference.

    Examples
    --------
    >>> from bncourse.numpy_bn import batch_norm_backward, batch_norm_forward
    >>> diagnose(batch_norm_forward, batch_norm_backward).correct
    True
    >>> def backward(dy, cache):
    ...     dx, dgamma, dbeta = batch_norm_backward(dy, cache)
    ...     return dy * cache.gamma * cache.inv_std, dgamma, dbeta
    >>> diagnose(batch_norm_forward, backward).findings[0].message
    "Your code believes that the batch's mean and variance are constants."
    """
    if inference_backward is not None and inference is None:
        raise ValueError(
            "inference_backward is given and inference is not, but its cache comes from there. Expected both."
        )
    notes: list[str] = []
    seen = look_at_forward(forward, seed, notes, rules=rules)
    found = list(seen.findings)
    followed: list[str] = []

    def charge(graded: Graded, name: str) -> None:
        followed.extend(f"{name}{part}" for part in graded.follow_through)
        charged = [one for part in graded.findings for one in graded.findings[part]]
        known = {(one.part, one.belief) for one in found}
        found.extend(one for one in charged if (one.part, one.belief) not in known)

    if backward is not None and seen.y is not None:
        graded = look_at_backward(forward, backward, seen, notes)
        if found and set(graded.follow_through) >= {"dx"} and not graded.findings:
            found[0] = replace(found[0], remark=FITS)
        charge(graded, "")
    if conv:
        maps = look_at_forward(forward, seed, notes, rules=rules._replace(spatial=PLACES))
        beliefs = {one.belief for one in found}
        found.extend(one for one in maps.findings if one.belief is None or one.belief not in beliefs)
        if backward is not None and maps.y is not None:
            charge(_new(look_at_backward(forward, backward, maps, notes), beliefs), "conv ")
    if inference is not None:
        still = look_at_inference(inference, seed, notes, rules=rules, trained=seen.explanation)
        found.extend(still.findings)
        if inference_backward is not None and still.y is not None:
            charge(look_at_backward(inference, inference_backward, still, notes), "inference ")
    if running is not None:
        switches = seen.explanation.switches if seen.explanation else None
        found.extend(diagnose_update(running, seed=seed, notes=notes, rules=rules, switches=switches))
    return Report(tuple(found), tuple(dict.fromkeys(notes)), tuple(followed))


def _new(graded: Graded, beliefs: set[str | None]) -> Graded:
    """Leave out what was found on plain batches already."""
    fresh = {
        part: [one for one in graded.findings[part] if one.belief not in beliefs or one.belief is None]
        for part in graded.findings
    }
    return Graded({part: kept for part, kept in fresh.items() if kept}, graded.follow_through)
