"""Two beliefs at once, as learners have them: programs made of one slip here and another there. Wrong on purpose."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.diagnose import diagnose
from bncourse.diagnosis.evidence.specimens.registry import SPECIMENS, Specimen, plain_backward, plain_forward
from bncourse.diagnosis.report import Report
from bncourse.diagnosis.running_stats import right_update
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]
Rule = Callable[..., Any]

VARIANCES: dict[str, Rule] = {
    "": lambda x: ((x - x.mean(0)) ** 2).mean(0),
    "variance-unbiased": lambda x: x.var(0, ddof=1),
    "variance-is-sum": lambda x: ((x - x.mean(0)) ** 2).sum(0),
    "variance-about-zero": lambda x: (x**2).mean(0),
    "scalar-statistics": lambda x: x.var(),
    "layer-norm": lambda x: x.var(1, keepdims=True),
}
ROOTS: dict[str, Rule] = {
    "": lambda var, eps: (var + eps) ** -0.5,
    "eps-outside-root": lambda var, eps: 1 / (var**0.5 + eps),
    "eps-ignored": lambda var, eps: var**-0.5,
    "eps-hard-coded": lambda var, eps: (var + 1e-5) ** -0.5,
    "variance-without-root": lambda var, eps: 1 / (var + eps),
    "multiplied-by-std": lambda var, eps: (var + eps) ** 0.5,
}
AFFINES: dict[str, Rule] = {
    "": lambda x_hat, gamma, beta: gamma * x_hat + beta,
    "gamma-missing": lambda x_hat, gamma, beta: x_hat + beta,
    "gamma-one-plus": lambda x_hat, gamma, beta: x_hat + gamma * x_hat + beta,
    "beta-missing": lambda x_hat, gamma, beta: gamma * x_hat,
    "affine-order": lambda x_hat, gamma, beta: (x_hat + beta) * gamma,
}
CENTERS: dict[str, Rule] = {"": lambda x, over: x - x.mean(**over), "mean-not-subtracted": lambda x, over: x}
FORWARD_RULES = (VARIANCES, ROOTS, AFFINES, CENTERS)


class Pair(NamedTuple):
    """Two beliefs, and a program that holds both."""

    beliefs: tuple[str, str]
    functions: dict[str, Any]

    def diagnose(self, seed: int = 0) -> Report:
        """Diagnose the program."""
        return diagnose(seed=seed, **self.functions)


def _two_forward_slips(one: str, other: str) -> Rule:
    """A forward pass with two slips of different kinds."""
    chosen = [next((name for name in (one, other) if name in rules), "") for rules in FORWARD_RULES]

    def forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
        over = {"layer-norm": {"axis": 1, "keepdims": True}, "scalar-statistics": {}}.get(chosen[0], {"axis": 0})
        centered = CENTERS[chosen[3]](x, over)
        inv_std = ROOTS[chosen[1]](VARIANCES[chosen[0]](x), eps)
        x_hat = centered * inv_std
        return AFFINES[chosen[2]](x_hat, gamma, beta), {"x_hat": x_hat, "inv_std": inv_std, "gamma": gamma}

    return forward


def _kind(belief: str) -> int | None:
    return next((position for position, rules in enumerate(FORWARD_RULES) if belief and belief in rules), None)


def _mixed(one: Specimen, other: Specimen) -> Rule:
    """A backward pass with one specimen's wrong parts, and then the other's."""

    def backward(dy: Array, cache: Any) -> Any:
        right = plain_backward(dy, dict(cache))
        found = [specimen.gradient(dy.copy(), dict(cache)) for specimen in (one, other)]
        merged = []
        for first, second, truth in zip(*found, right, strict=True):
            merged.append(second if np.array_equal(first, truth) else first)
        return tuple(merged)

    return backward


def _composed(one: Specimen, other: Specimen) -> Rule:
    """A dx with both slips: what each does to the three paths, one after the other."""

    def backward(dy: Array, cache: Any) -> Any:
        x_hat, s, gamma = cache["x_hat"], cache["inv_std"], cache["gamma"]
        terms = np.stack([dy, np.broadcast_to(-dy.mean(0), dy.shape), -x_hat * (dy * x_hat).mean(0)]) * gamma * s
        dx = np.empty(dy.shape)
        found = [specimen.gradient(dy.copy(), dict(cache))[0] for specimen in (one, other)]
        for feature in range(dy.shape[1]):
            columns = terms[:, :, feature].T
            first, second = (np.linalg.lstsq(columns, wrong[:, feature], rcond=None)[0] for wrong in found)
            dx[:, feature] = columns @ (first * second)
        _, dgamma, dbeta = plain_backward(dy, cache)
        return dx, dgamma, dbeta

    return backward


def _full_cache(forward: Rule) -> Rule:
    """The forward pass with a cache that also holds what a wrong backward pass may ask for."""

    def run(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> tuple[Array, Any]:
        y, cache = forward(x, gamma, beta, eps)
        return y, {**plain_forward(x, gamma, beta, eps)[1], "y": y, **cache}

    return run


PARTS = ("dgamma", "dbeta")
UNSHAPED = {"raised", "nothing-returned", "wrong-structure"}
"""Beliefs after which there are no gradients to be wrong in a second way."""


def _is_about_dx(specimen: Specimen) -> bool:
    return specimen.role == "backward" and not specimen.belief.startswith((*PARTS, "parameter-"))


def combine(one: Specimen, other: Specimen, *, in_span: Callable[[str], bool]) -> Pair | None:
    """Make a program that holds both beliefs; None where they exclude one another.

    Parameters
    ----------
    one, other : Specimen
        Of two beliefs.
    in_span : callable
        Whether a belief only weighs the three paths of dx.
    """
    if one.belief == other.belief:
        return None
    beliefs = (one.belief, other.belief)
    roles = {one.role, other.role}
    if roles == {"forward"}:
        kinds = {_kind(belief) for belief in beliefs}
        if len(kinds) < 2 or None in kinds:
            return None
        return Pair(beliefs, {"forward": _two_forward_slips(*beliefs)})
    if roles == {"backward"}:
        if _is_about_dx(one) and _is_about_dx(other):
            if not (in_span(one.belief) and in_span(other.belief)):
                return None
            return Pair(beliefs, {"forward": plain_forward, "backward": _composed(one, other)})
        if _is_about_dx(one) == _is_about_dx(other) or {one.belief, other.belief} & UNSHAPED:
            return None
        return Pair(beliefs, {"forward": plain_forward, "backward": _mixed(one, other)})
    if len(roles) == 1 or not roles <= {"forward", "backward", "inference", "running"}:
        return None
    functions: dict[str, Any] = {"forward": plain_forward, "backward": plain_backward}
    functions |= {"inference": reference.batch_norm_inference, "running": right_update}
    for specimen in (one, other):
        functions[specimen.role] = specimen.function
    if "forward" in roles:
        functions["forward"] = _full_cache(functions["forward"])
    return Pair(beliefs, functions)


def random_pairs(count: int, seed: int, *, in_span: Callable[[str], bool]) -> list[Pair]:
    """Draw pairs of beliefs that can be held together, each with a program that holds both."""
    rng = np.random.default_rng(seed)
    usable = [specimen for specimen in SPECIMENS if not specimen.belief.startswith("law-")]
    found: list[Pair] = []
    while len(found) < count:
        one, other = (usable[position] for position in rng.choice(len(usable), 2, replace=False))
        pair = combine(one, other, in_span=in_span)
        if pair is not None:
            found.append(pair)
    return found
