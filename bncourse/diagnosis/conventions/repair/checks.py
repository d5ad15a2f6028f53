"""A quick look at one normalization: is what it gives on one batch right, roughly? What passes is judged in full.

The batch is one that the judgment does not use, so that what is right in both is right on numbers of its own.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bncourse.diagnosis.call import GRADIENTS
from bncourse.diagnosis.conventions.arrays import Array
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.known import Convention
from bncourse.diagnosis.conventions.layout import USUAL_EPS, oriented, written_eps
from bncourse.diagnosis.conventions.outcomes import Values
from bncourse.diagnosis.conventions.repair.running import Counter, Key
from bncourse.diagnosis.conventions.report import FunctionReport
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.translation import Translation, as_inference, probe_of, values_of
from bncourse.diagnosis.conventions.units import Unit
from bncourse.diagnosis.expected import expected_of, right_output
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.rules import Rules

SEED = 3
"""Of the batch; the judgment's own seeds are 0 and large ones."""
CLOSE = 1e-3
"""Relative to the largest number of a channel: rounding, and an eps that is known roughly, are no mistakes here."""
MOMENTUM = 0.3
STATISTICS = ("running", "running_mean", "running_var")


@dataclass
class Check:
    """What one run of the functions gives, part by part, and which parts are right."""

    wanted: set[str]
    """Parts that must be right."""
    first: Callable[[], Any]
    """What comes before: it is done once, where the change is in none of its functions."""
    then: Callable[[Any], dict[str, Any]]
    """Given what came before, what each part is."""
    right: Callable[[dict[str, Any]], set[str]]
    """Which of these are right."""
    before: set[Key] = field(default_factory=set)
    """Functions of the file that ran in it."""
    ready: Any = None

    def watched(self, counter: Counter) -> None:
        """Run it once, to see which functions come before."""
        self.ready, self.before = counter.watched(self.first)
        try:
            self.then(copy.deepcopy(self.ready))
        except Exception:  # what cannot be copied, or cannot run a second time, is made afresh
            self.ready = None
            self.then(self.first())

    def given(self, changed: Key) -> dict[str, Any]:
        """What each part is with a change in one function."""
        fresh = self.ready is None or changed in self.before
        return self.then(self.first() if fresh else copy.deepcopy(self.ready))

    def holds(self, changed: Key) -> bool:
        """Whether it is right with a change in one function."""
        return self.wanted <= self.right(self.given(changed))


class Maker:
    """Makes the layers of a class once, and hands out copies where the change is in nothing that makes them."""

    def __init__(self, layer: Layer, counter: Counter) -> None:
        self.layer, self.counter = layer, counter
        self.made: dict[Any, Any] = {}
        self.makers: set[Key] = set()
        self.changed: Key | None = None

    def quick(self, values: Values) -> Layer:
        """The same class, its layers made here; a change of its code does not change its parameters."""
        quick = copy.copy(self.layer)
        quick.make = self.make  # type: ignore[method-assign]
        known = quick.signature(self.layer.make(values))
        quick.signature = lambda layer: known  # type: ignore[method-assign]
        return quick

    def make(self, values: Values) -> Any:
        """A layer with these values."""
        numbers = (values.gamma, values.running_mean, values.running_var)
        known = tuple(one if one is None else one.tobytes() for one in numbers)
        key = (*known, values.x.shape, values.eps, values.momentum, values.train, values.groups)
        if self.changed in self.makers or (self.changed is not None and key not in self.made):
            return self.layer.make(values)
        if key not in self.made:
            self.made[key], makers = self.counter.watched(lambda: self.layer.make(values))
            self.makers |= makers
        return copy.deepcopy(self.made[key])


class Checks:
    """What must hold once the mistakes of one report are mended.

    Parameters
    ----------
    unit, convention, program, declared
        As `Judge` takes them.
    report : FunctionReport
        Its findings say what must be right.
    counter : Counter
        It watches which functions run.
    """

    def __init__(
        self,
        unit: Unit,
        convention: Convention,
        program: Program,
        report: FunctionReport,
        counter: Counter,
        *,
        declared: bool,
    ) -> None:
        maps = unit.maps or "on feature maps" in report.what
        self.its = Translation(replace(unit, maps=maps), convention, program, declared=declared)
        self.parts = {found.part for found in report.findings}
        self.maker: Maker | None = None
        self.every: list[Check] = []
        self.beside: list[Check] = []
        """What is looked at to see which lines reach what is wrong alone."""
        rules = self.its.rules()
        if unit.forward is None:
            if self.parts & set(STATISTICS) and unit.update:
                self._add_running(self.its.update_alone(), _probe(rules))
            if "inference" in self.parts and unit.inference:
                alone = oriented(self.its.inference_alone(), rules, convention, probe_of(rules))
                self._want({"inference"}, *_inference(as_inference(alone), rules, written_eps(alone)))
            return
        forward = oriented(unit.forward, rules, convention, probe_of(rules))
        rules = self.its.completed(forward, rules)
        if isinstance(forward, Layer):
            self.maker = Maker(forward, counter)
            forward = self.maker.quick(values_of(probe_of(rules)))
        self._add(forward, rules, report)
        if maps and not unit.maps:  # tables are judged, too
            tables = Translation(unit, convention, program, declared=declared)
            self._add_y(tables.forward(forward, tables.rules()), tables.completed(forward, tables.rules()))

    def _add_y(self, run: Any, rules: Rules) -> None:
        probe = _probe(rules)
        right = rules.layout.forward(*probe.wide, probe.eps)
        self._want({"tables"}, lambda: run(*probe.wide, eps=probe.eps)[0], "tables", lambda y: close(y, right, probe))

    def _add(self, forward: Forward | Layer, rules: Rules, report: FunctionReport) -> None:
        run, probe = self.its.forward(forward, rules), _probe(rules)

        def forward_of(probe: Probe) -> Any:
            return run(*probe.wide, eps=probe.eps)

        def y_is_right(y: Any, probe: Probe) -> bool:
            return close(y, rules.layout.forward(*probe.wide, probe.eps), probe)

        if rules.eps is not None and not _holds(lambda: y_is_right(forward_of(probe)[0], probe)):
            rules = rules._replace(eps=written_eps(forward) or USUAL_EPS)  # what is wrong measures no eps
            probe = _probe(rules)
        y = {"forward"} & {"forward" if part == "conv" else part for part in self.parts}
        self._want(
            y, lambda: forward_of(probe)[0], "forward", lambda one: y_is_right(one, probe), also=bool(self.parts - y)
        )
        gradients = {*GRADIENTS} & self.parts
        passes = self.its.backwards(forward, rules)
        backward = passes.get(report.name) or next(iter(passes.values()), None)
        if gradients and backward is not None:
            self._add_gradients(lambda: forward_of(probe)[1], backward, probe, by_graph=forward.torch)
        if "inference" in self.parts and (inference := self.its.inference(forward, rules)) is not None:
            still = rules.inference_eps or rules.eps
            self._want({"inference"}, *_inference(inference, rules, still))
        if self.parts & set(STATISTICS) and (running := self.its.running(forward, rules)) is not None:
            self._add_running(running, probe)

    def _want(self, wanted: set[str], run: Any, part: str, is_right: Any, *, also: bool = False) -> None:
        """Ask for one part, or look at it beside others without asking for it."""
        check = Check(
            wanted, lambda: None, lambda _: {part: run()}, lambda one: {part} if is_right(one[part]) else set()
        )
        if wanted:
            self.every.append(check)
        elif also:
            self.beside.append(check)

    def _add_gradients(self, cache: Any, backward: Any, probe: Probe, *, by_graph: bool) -> None:
        def then(cache: Any) -> dict[str, Any]:
            result = backward(probe.dy.astype(np.float64), cache)
            if isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], tuple | list):
                result = result[0]
            return dict(zip(GRADIENTS, result, strict=False)) if isinstance(result, tuple | list) else {}

        right = expected_of(probe, inference=False).gradients

        def which(found: dict[str, Any]) -> set[str]:
            return {name for name in found if close(found[name], right[name], probe)}

        first, whole = (lambda: None, lambda _: then(cache())) if by_graph else (cache, then)
        rms = self.its.unit.kind == "rms"
        self.every.append(Check(set(GRADIENTS[:2] if rms else GRADIENTS), first, whole, which))

    def _add_running(self, running: Any, probe: Probe) -> None:
        def moved(_: Any) -> dict[str, Any]:
            old = probe.running_mean.copy(), probe.running_var.copy()
            found = running(*old, probe.x.astype(np.float64), MOMENTUM)
            return dict(zip(STATISTICS[1:], found, strict=False)) if isinstance(found, tuple | list) else {}

        self.every.append(Check(set(STATISTICS[1:]), lambda: None, moved, lambda one: right_statistics(one, probe)))

    def seen(self, changed: Key) -> tuple[dict[str, bytes], set[str]]:
        """Everything that the functions give with a change in one of them, and what of it is right."""
        if self.maker is not None:
            self.maker.changed = changed
        given, right = dict[str, bytes](), set[str]()
        for check in (*self.every, *self.beside):
            found = check.given(changed)
            given |= {name: np.asarray(one).tobytes() for name, one in found.items()}
            right |= check.right(found)
        return given, right

    def hold(self, changed: Key) -> bool:
        """Whether all of them hold with a change in one function."""
        if self.maker is not None:
            self.maker.changed = changed
        return all(one.holds(changed) for one in self.every)


def _probe(rules: Rules) -> Probe:
    return make_probe(SEED, spatial=rules.spatial, layout=rules.layout, eps=rules.eps)


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:
        return False


def close(found: Any, right: Array, probe: Probe) -> bool:
    """Whether an array in the shape of x is right channel by channel, or one number a channel is."""
    if not isinstance(found, np.ndarray) or found.shape != right.shape or found.dtype.kind not in "fiu":
        return False
    columns, expected = (probe.rows(one) if right.ndim > 1 else one.reshape(1, -1) for one in (found, right))
    with np.errstate(all="ignore"):
        apart = np.abs(columns - expected).max(axis=0)
        return bool((apart <= CLOSE * np.abs(expected).max(axis=0) + 1e-9).all())


def _inference(inference: Any, rules: Rules, eps: float | None) -> tuple[Any, str, Any]:
    """How inference is run, and whether y is right there."""
    probe = make_probe(SEED, spatial=rules.spatial, layout=rules.layout, eps=eps)

    def run() -> Any:
        return inference(*probe.wide, probe.running_mean.copy(), probe.running_var.copy(), eps=probe.eps)

    return run, "inference", lambda y: close(y, right_output(probe, inference=True), probe)


def right_statistics(moved: dict[str, Any], probe: Probe) -> set[str]:
    """Which statistics go a part of the way to the batch's, the same for both, whatever the momentum weighs."""
    rows = probe.rows(probe.x.astype(np.float64))
    batch = {"running_mean": [rows.mean(axis=0)], "running_var": [rows.var(axis=0), rows.var(axis=0, ddof=1)]}
    ways: dict[str, list[float]] = {}
    for name, after in moved.items():
        before = getattr(probe, name)
        if isinstance(after, np.ndarray) and after.shape == before.shape:
            with np.errstate(all="ignore"):
                steps = [(after - before) / (one - before) for one in batch[name]]
            ways[name] = [float(one.mean()) for one in steps if np.ptp(one) <= 1e-6 and 0 < one.mean() < 1]
    found = {name for name, each in ways.items() if each}
    same = any(
        abs(one - other) <= 1e-6 for one in ways.get("running_mean", ()) for other in ways.get("running_var", ())
    )
    return found if same or len(found) < 2 else {"running_mean"}


__all__ = ["Checks", "close", "right_statistics"]
