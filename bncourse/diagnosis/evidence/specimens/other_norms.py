"""Wrong layer, group, instance and RMS norms, and wrong updates in other courses. All wrong on purpose."""

from typing import Any

import numpy as np

from bncourse.diagnosis.evidence.specimens.registry import OTHERS, Function, OtherSpecimen, plain_forward
from bncourse.diagnosis.layouts import Layout
from bncourse.diagnosis.rules import PLACES, Rules

Array = np.ndarray[Any, Any]

GROUPS = 2
LAYER, RMS = Rules("layer"), Rules("rms")
GROUP, INSTANCE = Rules("group", PLACES, GROUPS), Rules("instance", PLACES)


def right_forward(rules: Rules) -> Function:
    """A right forward pass of any of the normalizations; its cache holds what a backward pass may ask for."""

    def forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
        layout = Layout(rules.kind, rules.groups)
        x_hat, s = layout.normalize(x, eps)
        gamma = layout.across(gamma, x.ndim)
        cache = {"x": x, "x_hat": x_hat, "s": s, "gamma": gamma, "layout": layout, "eps": eps}
        return gamma * x_hat + layout.across(beta, x.ndim), cache

    return forward


def paths_of(
    dy: Array, cache: Any, weights: tuple[float, float, float] = (1, -1, -1), inside: Any = None, front: Any = None
) -> Any:
    """The three paths with these weights, and the right dgamma and dbeta."""
    layout, x_hat = cache["layout"], cache["x_hat"]
    inside = layout.rows(np.broadcast_to(cache["gamma"] * dy if inside is None else inside, dy.shape))
    normalized = layout.rows(x_hat)
    mean, var = inside.mean(axis=0), normalized * (inside * normalized).mean(axis=0)
    bracket = weights[0] * inside + weights[1] * mean + weights[2] * var
    axes = (0, *range(2, dy.ndim))
    dx = layout.back(bracket, dy.shape) * (cache["s"] if front is None else front)
    return dx, (dy * x_hat).sum(axis=axes), dy.sum(axis=axes)


def _gradient(belief: str, name: str, rules: Rules, backward: Function) -> None:
    OTHERS.append(OtherSpecimen(belief, name, rules, right_forward(rules), backward))


def _over(belief: str, name: str, rules: Rules, normalize: Any) -> None:
    """A forward pass that normalizes in another way."""

    def forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
        layout = Layout(rules.kind, rules.groups)
        return layout.across(gamma, x.ndim) * normalize(x, eps) + layout.across(beta, x.ndim), None

    OTHERS.append(OtherSpecimen(belief, name, rules, forward))


def _standard(array: Array, axes: tuple[int, ...] | None, eps: float) -> Array:
    keep = axes is not None
    mean, var = array.mean(axis=axes, keepdims=keep), array.var(axis=axes, keepdims=keep)
    return np.asarray((array - mean) / np.sqrt(var + eps))


# --- the forward pass
_over("normalized-over-batch", "batch norm for layer norm", LAYER, lambda x, eps: _standard(x, (0,), eps))
_over("normalized-over-batch", "batch norm for group norm", GROUP, lambda x, eps: _standard(x, (0, 2, 3), eps))
_over("groups-ignored", "layer norm for group norm", GROUP, lambda x, eps: _standard(x, (1, 2, 3), eps))
_over("groups-ignored", "layer norm for instance norm", INSTANCE, lambda x, eps: _standard(x, (1, 2, 3), eps))
_over("group-per-channel", "instance norm for group norm", GROUP, lambda x, eps: _standard(x, (2, 3), eps))


def _grouped(x: Array, eps: float, *, strided: bool = False, swapped: bool = False) -> Array:
    n, c, h, w = x.shape
    first = c // GROUPS if swapped or strided else GROUPS
    axes = (1, 3, 4) if strided else (2, 3, 4)
    return _standard(x.reshape(n, first, c // first, h, w), axes, eps).reshape(x.shape)


_over("group-strided", "axes of the split exchanged", GROUP, lambda x, eps: _grouped(x, eps, strided=True))
_over("group-size-for-count", "count and size exchanged", GROUP, lambda x, eps: _grouped(x, eps, swapped=True))
_over("rms-mean-subtracted", "layer norm for RMS norm", RMS, lambda x, eps: _standard(x, (1,), eps))

# --- the three paths, in each of them
for _rules in (LAYER, GROUP, INSTANCE):
    for _belief, _weights in (
        ("mean-path-missing", (1, 0, -1)),
        ("variance-path-missing", (1, -1, 0)),
        ("statistics-detached", (1, 0, 0)),
        ("variance-path-flipped", (1, -1, 1)),
    ):
        _gradient(
            _belief,
            f"{_rules.kind}: {_belief}",
            _rules,
            lambda dy, cache, weights=_weights: paths_of(dy, cache, weights),
        )
    _gradient(
        "dx-gamma-missing",
        f"{_rules.kind}: gamma forgotten",
        _rules,
        lambda dy, cache: paths_of(dy, cache, inside=dy),
    )
_gradient(
    "variance-path-missing",
    "rms: root mean square is a constant",
    RMS,
    lambda dy, cache: paths_of(dy, cache, (1, 0, 0)),
)
_gradient("rms-mean-path", "layer norm's gradient for RMS norm", RMS, paths_of)


def _rows_for_columns(dy: Array, cache: Any) -> Any:
    dx_hat, x_hat, count = dy * cache["gamma"], cache["x_hat"], dy.shape[0]
    mean, var = dx_hat.sum(axis=1, keepdims=True) / count, (dx_hat * x_hat).sum(axis=1, keepdims=True) / count
    return cache["s"] * (dx_hat - mean - x_hat * var), (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def _gamma_in_front(dy: Array, cache: Any) -> Any:
    return paths_of(dy, cache, inside=dy, front=cache["gamma"] * cache["s"])


def _batch_norm_backward(dy: Array, cache: Any) -> Any:
    dx_hat, x_hat = dy * cache["gamma"], cache["x_hat"]
    bracket = dx_hat - dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)
    return cache["s"] * bracket, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


_gradient("count-of-features", "layer: N for D", LAYER, _rows_for_columns)
_gradient("gamma-pulled-out", "layer: gamma in front", LAYER, _gamma_in_front)
_gradient("backward-wrong-axis", "layer: sums over the samples", LAYER, _batch_norm_backward)


# --- another course's running statistics
def _unbiased(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
    keep = 1 - momentum
    return keep * mean + momentum * x.mean(axis=0), keep * var + momentum * x.var(axis=0, ddof=1)


OTHERS.append(
    OtherSpecimen(
        "running-variance-unbiased",
        "PyTorch's variance in a course of the biased one",
        Rules(running_variance="biased"),
        plain_forward,
        running=_unbiased,
    )
)
