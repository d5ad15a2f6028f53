"""The diagnosis of batch normalization for programs of another library: it looks at their numbers alone."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from bncourse.diagnosis.backwards import look_at_backward
from bncourse.diagnosis.call import GRADIENTS
from bncourse.diagnosis.catalogue import beliefs
from bncourse.diagnosis.forwards import look_at_forward, look_at_inference
from bncourse.diagnosis.report import Finding
from bncourse.diagnosis.rules import BATCH_NORM, PLACES
from bncourse.diagnosis.running_stats import diagnose_update

__all__ = ["GRADIENTS", "name_inference", "name_running", "name_transform"]

Array = np.ndarray[Any, Any]
Tensor = Callable[[Array], Any]


def name_transform(part: str, function: Callable[..., Any], tensor: Tensor) -> None:
    """Raise what the numbers of a batch normalization say about its author's belief; do nothing where they say nothing.

    Parameters
    ----------
    part : str
        What is looked at: "forward", "dx", "dgamma", "dbeta", or "conv" for all four on feature maps. A gradient that
        is right for a wrong forward pass is not named.
    function : callable
        `function(x, gamma, beta, eps=eps) -> y` and `function(x, gamma, beta, dy, eps=eps) -> (y, dx, dgamma, dbeta)`.
    tensor : callable
        Makes a tensor of an array; what comes back has `detach().numpy()`.

    Raises
    ------
    Misconception
        If a belief of the catalogue explains the numbers.
    """

    def forward(x: Array, gamma: Array, beta: Array, eps: float) -> tuple[Any, Any]:
        y = function(tensor(x), tensor(gamma), tensor(beta), eps=eps)
        return _array(y), (x, gamma, beta, eps)

    def backward(dy: Array, cache: Any) -> list[Any]:
        *inputs, eps = cache
        found = function(*map(tensor, inputs), tensor(dy), eps=eps)
        return [_array(one) for one in found[1:]]

    maps = part == "conv"
    rules = BATCH_NORM._replace(spatial=PLACES) if maps else BATCH_NORM
    seen = look_at_forward(forward, 0, [], rules=rules, repeat=False)
    findings: list[Finding] = list(seen.findings) if maps or part == "forward" else []
    parts = GRADIENTS if maps else (part,)
    if part != "forward" and seen.y is not None and not findings:
        found = look_at_backward(forward, backward, seen, [], parts).findings
        findings = [one for name in parts for one in found.get(name, [])]
    _raise(findings, ("conv", "forward", *GRADIENTS) if maps else (part,))


def name_inference(after: Callable[..., Any], tensor: Tensor) -> None:
    """Raise what a module's y in inference says about its author's belief.

    Parameters
    ----------
    after : callable
        `after(channels, [x], start=, training=, gradients=, eps=) -> (module, y, _)`, where `start` sets the tensors
        weight, bias, running_mean and running_var.
    tensor : callable
        As for `name_transform`.
    """

    def inference(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float) -> Any:
        values = {"weight": gamma, "bias": beta, "running_mean": mean, "running_var": var}
        start = {name: tensor(value) for name, value in values.items()}
        return _array(after(x.shape[1], [tensor(x)], start=start, training=False, gradients=False, eps=eps)[1])

    _raise(look_at_inference(inference, 0, [], repeat=False).findings, ("inference",))


def name_running(part: str, after: Callable[..., Any], tensor: Tensor) -> None:
    """Raise what the running statistics of a module say about its author's belief.

    Parameters
    ----------
    part : str
        "running_mean" or "running_var"; what is wrong with both is said of either.
    after : callable
        `after(channels, [x], start=, momentum=) -> (module, y, _)`.
    tensor : callable
        As for `name_transform`.
    """

    def update(mean: Array, var: Array, x: Array, *, momentum: float) -> Any:
        start = {"running_mean": tensor(mean), "running_var": tensor(var)}
        module = after(x.shape[1], [tensor(x)], start=start, momentum=momentum)[0]
        return _array(module.running_mean), _array(module.running_var)

    _raise(diagnose_update(update, seed=0, notes=[]), (part, "running"))


def _array(value: Any) -> Any:
    """The numbers of a tensor; what is none is left as it is."""
    return value.detach().numpy() if hasattr(value, "detach") else value


def _raise(findings: Iterable[Finding], parts: tuple[str, ...]) -> None:
    """Raise the first finding that is a belief about one of these parts, without lines for NumPy's functions."""
    for found in findings:
        belief = beliefs().get(found.belief or "")
        if belief is None or found.belief in NOT_SAID or belief.id.startswith("law-"):
            continue
        if found.part in parts:
            raise replace(found, experiment="").misconception()


NOT_SAID = ("raised", "nothing-returned", "cache-missing", "cache-order", "stages-unnamed")
"""What a test says better, or what is no belief about a function of tensors."""
