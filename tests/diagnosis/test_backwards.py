"""Beliefs in programs that look unlike the specimens: the staged graph, with one line wrong."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from bncourse.diagnosis import diagnose

RIGHT_LINES = {
    "dx_hat": "dy * gamma",
    "dinverse": "(dx_hat * centered).sum(0)",
    "dcentered": "dx_hat / std",
    "dstd": "-dinverse / std**2",
    "dvar": "0.5 * dstd / std",
    "dsquares": "np.ones((N, 1)) * dvar / N",
    "dcentered_2": "2 * centered * dsquares",
    "dmean": "-(dcentered + dcentered_2).sum(0)",
    "dx": "dcentered + dcentered_2 + np.ones((N, 1)) * dmean / N",
    "dgamma": "(dy * x_hat).sum(0)",
    "dbeta": "dy.sum(0)",
}


def forward(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    centered = x - x.mean(0)
    var = (centered**2).mean(0)
    std = np.sqrt(var + eps)
    names = {"x": x, "gamma": gamma, "beta": beta, "eps": eps, "centered": centered, "var": var, "std": std}
    names |= {"x_hat": centered / std, "N": len(x), "np": np}
    return gamma * names["x_hat"] + beta, names


def with_lines(**wrong: str) -> Any:
    lines = {**RIGHT_LINES, **wrong}

    def backward(dy: Any, cache: Any) -> Any:
        names = {**cache, "dy": dy}
        for name, line in lines.items():
            names[name] = eval(line, names)
        return names["dx"], names["dgamma"], names["dbeta"]

    return backward


SLIPS = [
    ({"dx_hat": "dy"}, "dx-gamma-missing"),
    ({"dx_hat": "dy * (1 + gamma)"}, "dx-gamma-one-plus"),
    ({"dx_hat": "dy * gamma**2"}, "dx-gamma-doubled"),
    ({"dstd": "dinverse / std**2"}, "variance-path-flipped"),
    ({"dstd": "-dinverse / std"}, "variance-path-root-lost"),
    ({"dvar": "dstd / std"}, "factor-half-lost"),
    ({"dvar": "0.5 * dstd / np.sqrt(var)"}, "backward-eps-ignored"),
    ({"dvar": "0.5 * dstd / (np.sqrt(var) + eps)"}, "backward-eps-outside-root"),
    ({"dsquares": "np.ones((N, 1)) * dvar"}, "variance-path-sum"),
    ({"dsquares": "np.ones((N, 1)) * dvar / (N - 1)"}, "variance-path-count-minus-one"),
    ({"dcentered_2": "centered * dsquares"}, "factor-two-lost"),
    ({"dcentered_2": "0"}, "variance-path-missing"),
    ({"dcentered_2": "2 * x * dsquares", "dmean": "-dcentered.sum(0)"}, "x-for-x-hat"),
    ({"dmean": "dcentered.sum(0)"}, "mean-path-flipped"),
    ({"dmean": "0"}, "mean-path-missing"),
    ({"dx": "dcentered + dcentered_2 + dmean"}, "mean-path-sum"),
    ({"dx": "dcentered + dcentered_2 + dmean / N**2"}, "mean-path-divided-twice"),
    ({"dx": "dcentered + dcentered_2"}, "mean-path-missing"),
    ({"dx": "dcentered"}, "statistics-detached"),
    ({"dx": "dcentered_2 + np.ones((N, 1)) * dmean / N"}, "direct-path-missing"),
    ({"dx": "-(dcentered + dcentered_2 + dmean / N)"}, "dx-flipped"),
    ({"dx": "(dcentered + dcentered_2 + dmean / N) / N"}, "dx-divided-by-count"),
    ({"dinverse": "dx_hat * centered"}, "batch-sum-missing"),
    ({"dinverse": "(dx_hat * centered).sum(1, keepdims=True)", "dmean": "-dcentered.sum(0)"}, None),
    ({"dgamma": "(dy * x).sum(0)"}, "dgamma-with-x"),
    ({"dgamma": "(dy * centered).sum(0)"}, "dgamma-with-centered"),
    ({"dgamma": "(dx_hat * x_hat).sum(0)"}, "dgamma-times-gamma"),
    ({"dgamma": "(dy * x_hat).sum()"}, "parameter-gradient-total-sum"),
    ({"dgamma": "np.mean(dy * x_hat, axis=0)"}, "dgamma-mean"),
    ({"dbeta": "dy.mean(0)"}, "dbeta-mean"),
    ({"dbeta": "dx_hat.sum(0)"}, "dbeta-times-gamma"),
    ({"dbeta": "dy"}, "parameter-gradient-not-summed"),
]


def test_the_staged_graph_without_a_slip_is_right() -> None:
    assert diagnose(forward, with_lines()).correct


@pytest.mark.parametrize(("wrong", "belief"), SLIPS, ids=lambda value: str(value))
def test_a_line_wrong_in_the_staged_graph_is_named(wrong: dict[str, str], belief: str | None) -> None:
    for seed in range(6):
        report = diagnose(forward, with_lines(**wrong), seed=seed)
        assert not report.correct
        if belief is not None:
            assert report.beliefs[0] == belief, (seed, report.beliefs)


def test_two_lines_wrong_are_both_named() -> None:
    for seed in range(6):
        report = diagnose(forward, with_lines(dx_hat="dy", dcentered_2="centered * dsquares"), seed=seed)
        assert set(report.beliefs) >= {"dx-gamma-missing", "factor-two-lost"}


def test_a_name_that_the_cache_does_not_hold_speaks_of_the_cache() -> None:
    report = diagnose(forward, lambda dy, cache: cache["inverse"])
    assert report.beliefs == ("cache-order",)
    assert report.findings[0].message == "Your function raised KeyError: 'inverse'"


class Slots:
    """A cache with neither a dict nor an order."""

    __slots__ = ("normalized", "scale", "spread")

    def __init__(self, scale: Any, spread: Any, normalized: Any) -> None:
        self.scale, self.spread, self.normalized = scale, spread, normalized


@dataclass(frozen=True)
class Frozen:
    scale: Any
    spread: Any
    normalized: Any


class Named(NamedTuple):
    scale: Any
    spread: Any
    normalized: Any


def dictionary(scale: Any, spread: Any, normalized: Any) -> Any:
    return {"scale": scale, "spread": spread, "normalized": normalized}


def plain_tuple(*parts: Any) -> Any:
    return parts


def of_cache(cache: Any) -> Any:
    if isinstance(cache, tuple):
        return cache
    return cache.values() if isinstance(cache, dict) else (cache.scale, cache.spread, cache.normalized)


@pytest.mark.parametrize("pack", [Slots, Frozen, Named, SimpleNamespace, dictionary, plain_tuple])
def test_two_entries_in_each_others_place_are_seen_in_a_cache_of_any_kind(pack: Any) -> None:
    if pack is SimpleNamespace:
        packed = lambda one, two, three: SimpleNamespace(scale=one, spread=two, normalized=three)  # noqa: E731
    else:
        packed = pack

    def packs(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        std = np.sqrt(x.var(axis=0) + eps)
        normalized = (x - x.mean(axis=0)) / std
        return gamma * normalized + beta, packed(std, gamma, normalized)

    def unpacks(dy: Any, cache: Any) -> Any:
        gamma, std, normalized = of_cache(cache)
        inside = gamma * dy
        bracket = inside - inside.mean(axis=0) - normalized * (inside * normalized).mean(axis=0)
        return bracket / std, (dy * normalized).sum(axis=0), dy.sum(axis=0)

    assert diagnose(packs, unpacks).beliefs == ("cache-order",)


def test_a_cache_that_cannot_be_looked_into_is_left_alone() -> None:
    def hides(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        y, names = forward(x, gamma, beta, eps)
        return y, lambda dy: with_lines(dx_hat="dy")(dy, names)

    assert diagnose(hides, lambda dy, cache: cache(dy)).beliefs == ("dx-gamma-missing",)
