"""The diagnosis of batch normalization for programs of another library: it looks at their numbers alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bncourse.diagnosis.backwards import look_at_backward
from bncourse.diagnosis.call import GRADIENTS
from bncourse.diagnosis.catalogue import beliefs
from bncourse.diagnosis.forwards import look_at_forward
from bncourse.diagnosis.report import Finding

Array = np.ndarray[Any, Any]


def name_transform(part: str, function: Callable[..., Any], tensor: Callable[[Array], Any]) -> None:
    """Raise what the numbers of a batch normalization say about its author's belief; do nothing where they say nothing.

    Parameters
    ----------
    part : str
        What is looked at: "forward", "dx", "dgamma" or "dbeta". A gradient after a wrong forward pass is not looked at.
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
        return y.detach().numpy(), (x, gamma, beta, eps)

    def backward(dy: Array, cache: Any) -> list[Any]:
        *inputs, eps = cache
        found = function(*map(tensor, inputs), tensor(dy), eps=eps)
        return [one.detach().numpy() for one in found[1:]]

    seen = look_at_forward(forward, 0, [], repeat=False)
    findings: list[Finding] = list(seen.findings)
    if part in GRADIENTS:
        findings = look_at_backward(forward, backward, seen, [], (part,)).findings.get(part, []) if seen.right else []
    for found in findings:
        if found.belief is not None and beliefs()[found.belief].part == part and not found.belief.startswith("law-"):
            raise replace(found, experiment="").misconception()  # its lines are for NumPy's functions
