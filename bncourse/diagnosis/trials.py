"""A student's pair of functions on one probe: what it gave, and the same numbers as mistaken programs would give them.

What explains one trial is tried on others that the search has not used; only what explains all of them is said.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis import call, fingerprints, paths, transforms
from bncourse.diagnosis.call import GRADIENTS, Function
from bncourse.diagnosis.expected import Expected, expected_of
from bncourse.diagnosis.fingerprints import Arrays
from bncourse.diagnosis.layouts import Layout
from bncourse.diagnosis.numerical_gradient import Own, own_gradient
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.transform_families import Switches

Array = np.ndarray[Any, Any]

FRESH = (7001, 8009)
"""What is added to a seed for the probes that the search does not use."""


class View(NamedTuple):
    """From where a gradient is looked at: whose normalized values, and which values share a mean."""

    model: str
    """right, own (the student's forward pass, as it was explained), or batch (in inference, the batch's)."""
    layout: Layout


@dataclass(eq=False)
class Trial:
    """One pair of functions on one probe."""

    forward: Function
    backward: Function
    probe: Probe
    inference: bool = False
    switches: Switches | None = None
    """The program that explains a wrong forward pass."""
    caches: list[Any] = field(default_factory=list)
    dtype: Any = np.float64
    values: dict[str, call.Value] = field(default_factory=dict)
    _cached: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def expected(self) -> Expected:
        """What is right."""
        return expected_of(self.probe, inference=self.inference)

    @cached_property
    def own_model(self) -> transforms.Normalized:
        """The forward pass as it was explained; the right one where it is right, or is not explained."""
        if self.switches is None:
            return self.expected.right
        return transforms.transform(self.probe, self.switches, inference=self.inference)

    @cached_property
    def own(self) -> Own | None:
        """Gradient of the student's own forward pass."""
        return None if self.inference else own_gradient(self.forward, self.probe, self.dtype)

    def fresh(self) -> list["Trial"]:
        """The same functions on probes that no search has used."""
        if "fresh" not in self._cached:
            seed, spatial, layout, eps = self.probe.key
            others = [make_probe(seed + more, spatial=spatial, layout=layout, eps=eps) for more in FRESH]
            self._cached["fresh"] = [
                Trial(self.forward, self.backward, other, self.inference, self.switches, [], self.dtype)
                for other in others
            ]
        found: list[Trial] = self._cached["fresh"]
        return found

    # --- calling

    def cache(self) -> Any:
        """A cache that no backward pass has had yet."""
        if self.caches:
            return self.caches.pop(0)
        probe, part = self.probe, "inference" if self.inference else "forward"
        statistics = (probe.running_mean, probe.running_var) if self.inference else ()
        result = call.call(self.forward, part, probe.x, probe.gamma, probe.beta, *statistics, eps=probe.eps)
        return call.pair(result, part)[1]

    def run(self, dy: Array, cache: Any = None) -> Any:
        """Call the backward pass."""
        return call.call(self.backward, "dx", dy, self.cache() if cache is None else cache, dy=True)

    def part(self, name: str, dy: Array | None = None, cache: Any = None) -> call.Value:
        """One of the gradients, read.

        Raises
        ------
        Slip
            If it cannot be.
        """
        if dy is None and cache is None:
            if name not in self.values:
                found = call.gradients(self.run(self.probe.dy), "dx", [])
                for part in GRADIENTS:
                    try:
                        self.values[part] = self.read(found[part], part)
                    except call.Slip:
                        if part == name:
                            raise
            return self.values[name]
        upstream = self.probe.dy if dy is None else dy
        return self.read(call.gradients(self.run(upstream, cache), "dx", [])[name], name)

    def read(self, value: Any, name: str) -> call.Value:
        """Read a gradient in the shape that it must have."""
        reader = call.like if name == "dx" else call.per_channel
        return reader(value, self.probe.x, name, [])

    def allowed(self, dtype: Any) -> float:
        """Tolerance for a gradient of this dtype; none is finer than the forward pass that it started from."""
        return self.probe.allowed(np.float32 if self.dtype == np.float32 else dtype)

    def error(self, found: Array, expected: Array, name: str) -> float:
        """Largest difference relative to the terms that are added, set by set or channel by channel."""
        size = self.expected.sizes[name]
        with np.errstate(all="ignore"):
            if name == "dx":
                worst = float((np.abs(self.probe.rows(found - expected)).max(axis=0) / size).max())
            else:
                worst = float((np.abs(found - expected) / size).max())
        return worst if np.isfinite(worst) else np.inf

    # --- what mistaken programs would give

    def arrays(self, view: View) -> Arrays:
        """What a backward pass is made of, seen from there."""
        key = ("arrays", view)
        if key not in self._cached:
            probe, rows = self.probe, view.layout.rows
            model = self.own_model if view.model == "own" else self.expected.right
            x_hat = model.x_hat
            if view.model == "batch":
                x_hat = probe.layout.normalize(probe.x, probe.eps)[0]
            wide = (
                np.broadcast_to(one, probe.x.shape)
                for one in (probe.dy, probe.x, model.y, x_hat, model.inv_std, model.gain)
            )
            self._cached[key] = Arrays(*(rows(one) for one in wide))
        found: Arrays = self._cached[key]
        return found

    def moves(self, view: View) -> paths.Moves:
        """What beliefs do to the coefficients, seen from there."""
        key = ("moves", view)
        if key not in self._cached:
            probe = replace(self.probe, layout=view.layout)
            arrays = self.arrays(view)
            matrix = view.layout.rows(probe.x)
            about = matrix.mean(axis=0) if view.layout.centered else 0
            var = probe.running_var if self.inference else ((matrix - about) ** 2).mean(axis=0)
            with np.errstate(all="ignore"):
                self._cached[key] = paths.moves(probe, arrays.inv_std.mean(axis=0), var)
        found: paths.Moves = self._cached[key]
        return found

    def bases(self, view: View) -> list[tuple[str, paths.Basis, Array, Arrays]]:
        """The three paths with every way of using gamma: the belief, the basis, and what stands in front."""
        key = ("bases", view)
        if key not in self._cached:
            ways = fingerprints.gammas(self.arrays(view))
            if view.layout.kind == "batch":
                ways = ways[:1]
            self._cached[key] = [
                (belief, paths.make_basis(one.gain * one.dy, one.x_hat, one.inv_std), front, one)
                for belief, one, front in ways
            ]
        found: list[tuple[str, paths.Basis, Array, Arrays]] = self._cached[key]
        return found


class Candidate(NamedTuple):
    """Beliefs, and the dx (in our layout) that a program which holds them gives on a trial."""

    beliefs: tuple[str, ...]
    predict: Callable[[Trial], Array]


def survives(trial: Trial, name: str, predict: Callable[[Trial], Array], allowed: float) -> bool:
    """Whether a mistaken program gives the student's numbers on probes that the search has not used."""
    try:
        for other in trial.fresh():
            found, expected = other.part(name).array, predict(other)
            with np.errstate(all="ignore"):
                size = max(float(np.abs(expected).max()), float(np.abs(found).max()), 1e-300)
                if not np.abs(found - expected).max() <= allowed * max(size, float(other.expected.sizes[name].max())):
                    return False
    except call.Slip:
        return False
    return True
