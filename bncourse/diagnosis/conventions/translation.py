"""One normalization of a file as functions of this course: forward, backward, inference and running statistics.

Nothing is judged here. What a course means by its settings is translated, so that the same values reach the student's
function that would reach one of this course.
"""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.arrays import Array
from bncourse.diagnosis.conventions.bundles import bundles
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.engine_functions import OfEngine
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.gradients import Backward, autograd
from bncourse.diagnosis.conventions.known import Convention
from bncourse.diagnosis.conventions.layout import USUAL_EPS, constant_of, runs_on, turned, written_eps
from bncourse.diagnosis.conventions.outcomes import Values
from bncourse.diagnosis.conventions.reach import tells_shapes_apart
from bncourse.diagnosis.conventions.signature import Signature
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.syntax import names_in
from bncourse.diagnosis.conventions.unbundled import function_of
from bncourse.diagnosis.conventions.units import Unit
from bncourse.diagnosis.conventions.updates import Update
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.rules import PLACES, Rules

Function = Callable[..., Any]
MOVES = re.compile(r"update|running|moving|merge|accumul|ema|observe|track", re.I)
"""Names of functions that may move running statistics."""


class Translation:
    """What the functions of one normalization do, in our words.

    Parameters
    ----------
    unit : Unit
        Which functions belong together.
    convention : Convention
        What their course means by momentum and the like.
    program : Program
        The file.
    declared : bool
        Whether the course was named, so that what differs from it is a mistake.
    """

    def __init__(self, unit: Unit, convention: Convention, program: Program, *, declared: bool) -> None:
        self.unit, self.convention, self.program, self.declared = unit, convention, program, declared
        self.course_counts = declared and convention.is_course

    # --- with which values

    def rules(self) -> Rules:
        """Which normalization is asked for, and whose convention counts."""
        unit = self.unit
        spatial = PLACES if unit.maps or unit.kind in ("group", "instance") else ()
        groups = 2 if unit.kind == "group" else 1
        variance = self.convention.running_variance if self.course_counts else "either"
        return Rules(unit.kind, spatial, groups, None, variance, "argument" if self.course_counts else "either")

    def completed(self, forward: Forward | Layer, rules: Rules) -> Rules:
        """The rules for a function that has an eps, or a momentum, of its own."""
        probe = probe_of(rules)
        values = values_of(probe)
        if not forward.takes("eps", values):
            constant = constant_of(lambda x, gamma, beta: forward.run(values_of(probe, x=x)).y, probe)
            rules = rules._replace(eps=constant or written_eps(forward) or USUAL_EPS)
            still = self.inference(forward, rules)
            if still is not None:
                rules = rules._replace(inference_eps=constant_of(still, probe, inference=True))
        takes = self.update_takes_momentum() if self.updates(forward, rules) else forward.takes("momentum", values)
        if not takes:
            rules = rules._replace(momentum="constant")
        return rules

    def takes_maps(self, forward: Forward | Layer) -> bool:
        """Whether batch norm on feature maps is meant too, by a function that is for tables as well."""
        if self.unit.kind != "batch" or self.unit.maps or not tells_shapes_apart(forward.tree, self.program):
            return False
        rules = self.rules()._replace(spatial=PLACES)
        return runs_on(forward, rules, self.convention, probe_of(rules))

    def takes_maps_only(self, forward: Forward | Layer) -> bool:
        """Whether it runs on feature maps and not on tables."""
        if self.unit.kind != "batch" or self.unit.maps:
            return False
        tables = self.rules()
        maps = tables._replace(spatial=PLACES)
        return not runs_on(forward, tables, self.convention, probe_of(tables)) and runs_on(
            forward, maps, self.convention, probe_of(maps)
        )

    # --- the functions

    def forward(self, forward: Forward | Layer, rules: Rules) -> Function:
        """`forward(x, gamma, beta, eps=eps) -> (y, cache)`."""
        lacks_shift = self.lacks_shift(forward, rules)

        def run(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
            outcome = forward.run(Values(x, gamma, beta, eps, groups=rules.groups))
            if lacks_shift and isinstance(outcome.y, np.ndarray):
                return outcome.y + rules.layout.across(beta, x.ndim), outcome
            return outcome.y, outcome

        return run

    def lacks_shift(self, forward: Forward | Layer, rules: Rules) -> bool:
        """Whether it has no beta because RMS norm needs none; it is added then, to be judged as the others are."""
        return self.unit.kind == "rms" and not forward.takes("beta", values_of(probe_of(rules)))

    def backwards(self, forward: Forward | Layer, rules: Rules) -> dict[str, Function]:
        """Every backward pass, under its name."""
        found = self.own_backwards(forward)
        if self.lacks_shift(forward, rules):
            found = {name: _with_shift(one) for name, one in found.items()}
        return found

    def own_backwards(self, forward: Forward | Layer) -> dict[str, Function]:
        """The same, before a shift is added that RMS norm need not have."""
        lay = forward.orientation
        if forward.torch and not self.unit.backwards:
            return {f"{forward.name}, by autograd": lambda dy, cache: autograd(dy, cache, lay)}
        if isinstance(forward, Layer):
            if not self.unit.backwards and forward.engine(values_of(probe_of(self.rules()))) is not None:
                return {f"{forward.name}, by its autograd": forward.by_engine}
            return dict.fromkeys(self.backward_names(), forward.backward)
        if isinstance(forward.function, OfEngine):
            return (
                {f"{forward.name}, by its autograd": by_its_engine(forward)} if forward.function.takes_tensors else {}
            )
        found: dict[str, Function] = {}
        for name in self.unit.backwards:
            function, tree = function_of(name, self.program), self.program.trees[name]
            by_names = self.convention.name not in ("bncourse", "cs231n")
            several = len(self.unit.backwards) > 1
            found[name] = Backward(name, function, tree, forward, by_names, several)  # type: ignore[arg-type]
        return found

    def backward_names(self) -> list[str]:
        """How the backward passes are called in a report."""
        if isinstance(self.unit.forward, Layer):
            return [f"{self.unit.forward.name}.{name}" for name in self.unit.backwards]
        return self.unit.backwards

    def inference(self, forward: Forward | Layer, rules: Rules) -> Function | None:
        """`inference(x, gamma, beta, mean, var, eps=eps) -> y`; None where there is none."""
        if self.unit.kind != "batch":
            return None
        chosen = forward
        if self.unit.inference:
            chosen = turned(self.inference_alone(), forward.orientation)
        elif not self.is_stateful(forward, rules):
            return None

        return as_inference(chosen)

    def inference_alone(self) -> Forward:
        """The inference that is a function of its own."""
        name = self.unit.inference
        return Forward(name, function_of(name, self.program), self.program.trees[name], self.program, "batch")

    def inference_and_its_backward(self, forward: Forward | Layer) -> tuple[Function, Function] | None:
        """`inference(...) -> (y, cache)` and its backward pass, where both are functions of their own."""
        name = self.unit.inference_backward
        if not (name and self.unit.inference):
            return None
        alone = turned(self.inference_alone(), forward.orientation)

        def run(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
            outcome = alone.run(Values(x, gamma, beta, eps, False, mean.copy(), var.copy()))
            return outcome.y, outcome

        return run, Backward(name, function_of(name, self.program), self.program.trees[name], alone)  # type: ignore[arg-type]

    def is_stateful(self, forward: Forward | Layer, rules: Rules) -> bool:
        """Whether one function does both training and inference, and keeps running statistics."""
        values = values_of(probe_of(rules))
        given = isinstance(forward, Forward) and forward.infers_if_given
        return given or (forward.has_modes(values) and forward.keeps_statistics(values))

    def running(self, forward: Forward | Layer, rules: Rules) -> Function | None:
        """`running(mean, var, x, momentum=momentum) -> (mean, var)`; None where there are no running statistics."""
        if self.unit.kind == "batch" and self.updates(forward, rules):
            return self.update_alone()
        if self.unit.kind != "batch" or not forward.keeps_statistics(values_of(probe_of(rules))):
            return None
        if self.leaves_them_to_another(forward, rules):
            return None

        def run(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
            weight = momentum if self.convention.momentum == "new" else 1 - momentum
            steps = np.arange(x.shape[1])  # what moves the statistics by gamma or beta is no moving average
            eps = rules.eps or USUAL_EPS
            values = Values(x, 1 + 0.1 * steps, 0.2 + 0.1 * steps, eps, True, mean.copy(), var.copy(), weight)
            moved = forward.run(values).statistics
            return moved.get("running_mean"), moved.get("running_var")

        return run

    def update_alone(self) -> Function:
        """The update that is a function of its own."""
        name = self.unit.update
        update = Update(name, function_of(name, self.program), self.program)

        def run(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
            return update(mean, var, x, momentum if self.convention.momentum == "new" else 1 - momentum)

        return run

    def update_takes_momentum(self) -> bool:
        """Whether the update that is a function of its own is given a momentum."""
        return Signature(function_of(self.unit.update, self.program), ("momentum",)).has("momentum")

    def updates(self, forward: Forward | Layer, rules: Rules) -> bool:
        """Whether a function of its own moves the running statistics."""
        if not self.unit.update or not self.update_is_moving_average():
            return False
        kept = forward.keeps_statistics(values_of(probe_of(rules)))
        return not kept or self.leaves_them_to_another(forward, rules)

    def update_is_moving_average(self) -> bool:
        """Whether the update that is a function of its own counts no samples, as an average of all of them does."""
        held = bundles(self.program.trees[self.unit.update], self.program)
        return self.update_takes_momentum() or "count" not in {role for one in held.values() for role in one.values()}

    def leaves_them_to_another(self, forward: Forward | Layer, rules: Rules) -> bool:
        """Whether it is given running statistics and does not move them, as another function of the file does."""
        movers = {name for name in self.program.functions if name != forward.name and MOVES.search(name)}
        if not isinstance(forward, Forward) or not movers or movers & names_in(forward.tree):
            return False
        probe = probe_of(rules)
        moved = forward.run(values_of(probe, running_mean=probe.running_mean, running_var=probe.running_var)).statistics
        pairs = ((moved.get("running_mean"), probe.running_mean), (moved.get("running_var"), probe.running_var))
        return all(np.array_equal(np.asarray(new), old) for new, old in pairs)

    def apart(self, forward: Forward | Layer, rules: Rules) -> dict[str, str]:
        """Parts that functions of their own do, and their names."""
        parts = {"inference": self.unit.inference} if self.unit.inference else {}
        if self.updates(forward, rules):
            parts |= dict.fromkeys(("running", "running_mean", "running_var"), self.unit.update)
        return parts


def probe_of(rules: Rules) -> Probe:
    """Numbers to try a function with."""
    return make_probe(0, spatial=rules.spatial, layout=rules.layout)


def values_of(probe: Probe, **changed: Any) -> Values:
    """The same numbers, as a function of a file is given them."""
    given = {"x": probe.x, "gamma": probe.gamma, "beta": probe.beta, "eps": probe.eps, "groups": 2}
    return Values(**{**given, **changed})


def as_inference(forward: Forward | Layer) -> Function:
    """`inference(x, gamma, beta, mean, var, eps=eps) -> y` by a function that is told to infer."""

    def run(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
        return forward.run(Values(x, gamma, beta, eps, False, mean.copy(), var.copy())).y

    return run


def by_its_engine(forward: Forward) -> Function:
    """The gradient of a function on tensors of its file's own engine; a new graph for each."""
    engine = forward.function

    def run(dy: Array, outcome: Any) -> Any:
        forward.run(outcome.values)
        return engine.gradients(dy, forward.orientation)  # type: ignore[attr-defined]

    return run


def _with_shift(backward: Function) -> Function:
    """A backward pass of a normalization without beta, as one that has a beta."""

    def run(dy: Array, cache: Any) -> Any:
        found = backward(dy, cache)
        dbeta = dy.sum(axis=(0, *range(2, dy.ndim)))
        return (*found[:2], dbeta) if isinstance(found, (tuple, list)) and len(found) in (2, 3) else found

    return run
