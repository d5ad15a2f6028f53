"""The checks that notebooks call: each returns None, or raises one `Misconception`.

A check hands exaggerated inputs to the student's functions (eps = 0.1, few samples, uneven scales, random
upstream gradients) and grades the values that come back, never the steps. It prints nothing, warns of nothing
and logs nothing, because a notebook grader reads any output on stderr as a failure.

What a check expects of the functions (the reference's signatures):

- `forward(x, gamma, beta, eps=eps) -> (y, cache)`; the cache is the student's own and is handed back unread,
  so it may also be an opaque handle on something in another process;
- `backward(dy, cache) -> (dx, dgamma, dbeta)`, a tuple, list, named tuple, or mapping with these keys;
- `staged(dy, cache) -> (gradients, stages)`: stages is a mapping or named tuple with the names of
  `numpy_bn.functional.Stages`, or a plain tuple in their order;
- `inference(x, gamma, beta, running_mean, running_var, eps=eps) -> (y, cache)`, or y alone;
- `inference_backward(dy, cache) -> (dx, dgamma, dbeta)`;
- `update(running_mean, running_var, x, momentum=momentum) -> (running_mean, running_var)`: the new values
  of the running statistics after the training batch x; `momentum` is the weight of the new value.

An array of shape (1, C) where (C,) is asked for, float32 for float64, or a list for an array are let pass.
A function that raises is a finding: the message begins with the type and first line of what it raised. A
function may carry an attribute `mutated_arguments`, the names (or positions) of the array arguments that its
last call changed in place; a proxy of a function in another process sets it; for a local function the
checks see such changes themselves.

A wrong forward pass is charged once: gradients that are the exact derivative of the student's own forward pass are let
pass where they are as much work as the right ones (`follow_through` in the catalogue); where they are not, the
forward pass is charged again.

Keyword options: `seed`, 0 or more (other numbers, shapes and eps); `hint`, 0 to 3 (how many hints are shown); and
`repeat`, whether every function is called twice with the same numbers, to see that it answers the same. Once is enough
where the same function has been repeated for another seed: hidden tests after a visible one need not ask again.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from bncourse.diagnosis import call
from bncourse.diagnosis.backwards import look_at_backward
from bncourse.diagnosis.call import GRADIENTS, Function
from bncourse.diagnosis.catalogue import beliefs
from bncourse.diagnosis.forwards import Seen, look_at_forward, look_at_inference
from bncourse.diagnosis.laws import broken_backward_laws, broken_forward_laws
from bncourse.diagnosis.probes import make_probe
from bncourse.diagnosis.raising import by_own_names, raise_first, raise_for_gradients
from bncourse.diagnosis.report import Finding, Misconception, finding
from bncourse.diagnosis.rules import PLACES, Rules
from bncourse.diagnosis.running_stats import diagnose_update
from bncourse.diagnosis.stages import compare_stages

Array = np.ndarray[Any, Any]

__all__ = [
    "Misconception",
    "check_backward",
    "check_conv",
    "check_dbeta",
    "check_dgamma",
    "check_dx",
    "check_forward",
    "check_inference",
    "check_inference_backward",
    "check_laws",
    "check_running",
    "check_staged",
]

STAGES_OF = "The stages were compared with those of the right forward pass: fix yours first."


@by_own_names
def check_forward(forward: Function, *, seed: int = 0, hint: int = 1, repeat: bool = True) -> None:
    """Pass if y is the normalized, scaled and shifted batch.

    Parameters
    ----------
    forward : callable
        `forward(x, gamma, beta, eps=eps) -> (y, cache)`.
    seed, hint, repeat
        See the head of this file.

    Raises
    ------
    Misconception
        If y is wrong, or there is none.
    """
    raise_first(look_at_forward(forward, seed, [], repeat=repeat).findings, hint)


@by_own_names
def check_backward(forward: Function, backward: Function, *, seed: int = 0, hint: int = 1, repeat: bool = True) -> None:
    """Pass if dx, dgamma and dbeta are the derivatives of the loss.

    Parameters
    ----------
    forward, backward : callable
        `forward(x, gamma, beta, eps=eps) -> (y, cache)` and `backward(dy, cache) -> (dx, dgamma, dbeta)`.
    seed, hint, repeat
        See the head of this file.

    Raises
    ------
    Misconception
        For the first of the three that is wrong.
    """
    raise_for_gradients(look_at_forward(forward, seed, [], repeat=repeat), forward, backward, GRADIENTS, hint)


@by_own_names
def check_dx(forward: Function, backward: Function, *, seed: int = 0, hint: int = 1, repeat: bool = True) -> None:
    """Pass if dx is right, whatever dgamma and dbeta are; parameters as in `check_backward`."""
    raise_for_gradients(look_at_forward(forward, seed, [], repeat=repeat), forward, backward, ("dx",), hint)


@by_own_names
def check_dgamma(forward: Function, backward: Function, *, seed: int = 0, hint: int = 1, repeat: bool = True) -> None:
    """Pass if dgamma is right, whatever dx and dbeta are; parameters as in `check_backward`."""
    raise_for_gradients(look_at_forward(forward, seed, [], repeat=repeat), forward, backward, ("dgamma",), hint)


@by_own_names
def check_dbeta(forward: Function, backward: Function, *, seed: int = 0, hint: int = 1, repeat: bool = True) -> None:
    """Pass if dbeta is right, whatever dx and dgamma are; parameters as in `check_backward`."""
    raise_for_gradients(look_at_forward(forward, seed, [], repeat=repeat), forward, backward, ("dbeta",), hint)


@by_own_names
def check_staged(forward: Function, staged: Function, *, seed: int = 0, hint: int = 1, repeat: bool = True) -> None:
    """Pass if every named intermediate gradient is right, and the gradients too.

    Parameters
    ----------
    forward, staged : callable
        `forward(x, gamma, beta, eps=eps) -> (y, cache)` and `staged(dy, cache) -> (gradients, stages)`.
    seed, hint, repeat
        See the head of this file.

    Raises
    ------
    Misconception
        For the first stage that is wrong, under its name; then for the gradients.
    """
    seen = look_at_forward(forward, seed, [], repeat=repeat)
    if seen.y is None:
        raise_first(seen.findings, hint)

    def gradients_of(dy: Array, cache: Any) -> Any:
        return staged(dy, cache)[0]

    try:
        first = compare_stages(forward, staged, seen.probe)
    except call.Slip as slip:
        found = slip.finding if seen.right else replace(seen.findings[0], remark=STAGES_OF)
        if found.belief == "stage-wrong":
            found = _by_its_dx(found, forward, gradients_of, seen)
        raise found.misconception(hint) from found.cause
    raise_for_gradients(seen, forward, gradients_of, GRADIENTS, hint, first)


def _by_its_dx(found: Finding, forward: Function, gradients_of: Function, seen: Seen) -> Finding:
    """Name the belief behind a wrong stage where dx, which holds it, tells."""
    for one in look_at_backward(forward, gradients_of, seen, [], ("dx",)).findings.get("dx", []):
        if one.belief and beliefs()[one.belief].part == "dx" and not one.belief.startswith("law-"):
            return finding(one.belief, found.part)
    return found


@by_own_names
def check_inference(inference: Function, *, seed: int = 0, hint: int = 1, repeat: bool = True) -> None:
    """Pass if y is normalized with the given running statistics, and with nothing of the batch.

    Parameters
    ----------
    inference : callable
        `inference(x, gamma, beta, running_mean, running_var, eps=eps) -> (y, cache)`, or y alone.
    seed, hint, repeat
        See the head of this file.

    Raises
    ------
    Misconception
        If y is wrong, or there is none.
    """
    raise_first(look_at_inference(inference, seed, [], repeat=repeat).findings, hint)


@by_own_names
def check_inference_backward(
    inference: Function, inference_backward: Function, *, seed: int = 0, hint: int = 1, repeat: bool = True
) -> None:
    """Pass if the gradients are those of a transform whose statistics are constants.

    Parameters
    ----------
    inference, inference_backward : callable
        `inference(x, gamma, beta, running_mean, running_var, eps=eps) -> (y, cache)` and
        `inference_backward(dy, cache) -> (dx, dgamma, dbeta)`.
    seed, hint, repeat
        See the head of this file.

    Raises
    ------
    Misconception
        For the first of the three that is wrong.
    """
    raise_for_gradients(
        look_at_inference(inference, seed, [], repeat=repeat), inference, inference_backward, GRADIENTS, hint
    )


@by_own_names
def check_running(update: Function, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if the running mean and the running (unbiased) variance move towards the batch's by the momentum.

    Parameters
    ----------
    update : callable
        `update(running_mean, running_var, x, momentum=momentum) -> (running_mean, running_var)`.
    seed, hint : int
        See the head of this file.

    Raises
    ------
    Misconception
        If one of the two is wrong.
    """
    raise_first(diagnose_update(update, seed=seed, notes=[]), hint)


@by_own_names
def check_conv(
    forward: Function, backward: Function | None = None, *, seed: int = 0, hint: int = 1, repeat: bool = True
) -> None:
    """Pass if feature maps (N, C, H, W) share one mean, variance, gamma and beta per channel.

    Parameters
    ----------
    forward, backward : callable
        As in `check_backward`, for four axes.
    seed, hint, repeat
        See the head of this file.

    Raises
    ------
    Misconception
        If y is wrong, or a gradient is.
    """
    seen = look_at_forward(forward, seed, [], rules=Rules(spatial=PLACES), repeat=repeat)
    raise_first(seen.findings, hint)
    if backward is not None:
        raise_for_gradients(seen, forward, backward, GRADIENTS, hint)


@by_own_names
def check_laws(forward: Function, backward: Function | None = None, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if the functions obey the laws that need no reference; they give nothing away.

    Parameters
    ----------
    forward, backward : callable
        As in `check_backward`; without a backward pass only the forward pass's laws are tried.
    seed, hint : int
        See the head of this file.

    Raises
    ------
    Misconception
        For the first law that is broken; its belief says which.
    """
    probe = make_probe(seed)
    try:
        broken = broken_forward_laws(forward, probe)
        if not broken and backward is not None:
            broken = broken_backward_laws(forward, backward, probe)
    except call.Slip as slip:
        raise slip.finding.misconception(hint) from slip.finding.cause
    raise_first([finding(belief, part) for belief, part in broken[:1]], hint)
