"""One normalization of a file: called as its course calls it, diagnosed, and reported function by function."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse.diagnosis.call import GRADIENTS, EngineError
from bncourse.diagnosis.conventions.bridge import bridge, shown
from bncourse.diagnosis.conventions.calls import Array, CannotCallError, described, in_students_code
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.find import Unit
from bncourse.diagnosis.conventions.functions import Forward, Values
from bncourse.diagnosis.conventions.gradients import Backward, autograd
from bncourse.diagnosis.conventions.imports import NotHereError
from bncourse.diagnosis.conventions.known import Convention
from bncourse.diagnosis.conventions.layout import USUAL_EPS, constant_of, oriented
from bncourse.diagnosis.conventions.report import FunctionReport
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.updates import Update
from bncourse.diagnosis.diagnose import diagnose
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.report import Finding
from bncourse.diagnosis.rules import PLACES, Rules
from bncourse.diagnosis.running_stats import CONVENTIONAL, diagnose_update

TITLES = {
    "batch": "batch norm",
    "layer": "layer norm",
    "group": "group norm",
    "instance": "instance norm",
    "rms": "RMS norm",
}
FIRST = "It is not the gradient of this forward pass. Mend that one first, and ask again."
LATER = "The running statistics and the inference can be judged when the forward pass is right."
SINGLE = "It works in float32, also where it is given float64."


class Judge:
    """One normalization, translated and diagnosed."""

    def __init__(self, unit: Unit, convention: Convention, program: Program, *, declared: bool) -> None:
        self.unit, self.convention, self.program, self.declared = unit, convention, program, declared
        self.notes: list[str] = []

    def reports(self) -> list[FunctionReport]:
        """One report a function."""
        unit = self.unit
        what = TITLES[unit.kind] + (" on feature maps" if unit.maps else "")
        if not unit.problem and unit.forward is None and unit.update:
            return [self._update_alone(what)]
        if unit.problem or unit.forward is None:
            reason = unit.problem or "its forward pass was not found, and without one nothing can be said"
            return [
                FunctionReport(name, what, "unreadable", reason=f"It could not be run: {reason}.")
                for name in unit.names
            ]
        try:
            return self._diagnosed(what)
        except (NotHereError, CannotCallError) as error:
            return self._not_run(what, str(error))
        except Exception as error:
            if not isinstance(error, EngineError) and in_students_code(error, self.program):
                first = next(iter(str(error).splitlines()), "")
                return self._not_run(what, f"{type(error).__name__}: {first}")
            said = str(error) if isinstance(error, EngineError) else described(error)
            return self._not_run(what, said, "An error of the checker, not of this function; please report it")

    def _not_run(self, what: str, reason: str, lead: str = "It could not be called") -> list[FunctionReport]:
        name = self.unit.forward.name if self.unit.forward else self.unit.stem
        return [FunctionReport(name, what, "unreadable", reason=f"{lead}: {reason}.")]

    def _update_alone(self, what: str) -> FunctionReport:
        notes: list[str] = []
        rules = Rules(running_variance="either", momentum="either")
        if self.declared and self.convention.is_course:
            rules = Rules(running_variance=self.convention.running_variance)
        update = Update(self.unit.update, self.program.namespace[self.unit.update], self.program)
        wrong = tuple(diagnose_update(self._moves(update), seed=0, notes=notes, rules=rules))
        said = () if wrong else self._differences(tuple(notes))
        return FunctionReport(self.unit.update, f"{what}, running statistics", _status(wrong), wrong, (), said)

    def _moves(self, update: Update) -> Callable[..., Any]:
        def run(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
            return update(mean, var, x, momentum if self.convention.momentum == "new" else 1 - momentum)

        return run

    # --- how it is called

    def _rules(self, forward: Forward | Layer) -> Rules:
        unit = self.unit
        spatial = PLACES if unit.maps or unit.kind in ("group", "instance") else ()
        groups = 2 if unit.kind == "group" else 1
        variance = self.convention.running_variance if self.declared and self.convention.is_course else "either"
        momentum = "argument" if self.declared and self.convention.is_course else "either"
        return Rules(unit.kind, spatial, groups, None, variance, momentum)  # type: ignore[arg-type]

    def _completed(self, forward: Forward | Layer, rules: Rules) -> Rules:
        """The rules for a function that has an eps, or a momentum, of its own."""
        probe = make_probe(0, spatial=rules.spatial, layout=rules.layout)
        values = self._values(probe)
        if not forward.takes("eps", values):
            constant = constant_of(lambda x, gamma, beta: forward.run(self._values(probe, x=x)).y, probe)
            rules = rules._replace(eps=constant or USUAL_EPS)
            still = self._inference(forward, rules)
            if still is not None:
                rules = rules._replace(inference_eps=constant_of(still, probe, inference=True))
        if not forward.takes("momentum", values) and not self._updates(forward, rules):
            rules = rules._replace(momentum="constant")
        return rules

    def _values(self, probe: Probe, **changed: Any) -> Values:
        given = {"x": probe.x, "gamma": probe.gamma, "beta": probe.beta, "eps": probe.eps, "groups": 2}
        return Values(**{**given, **changed})

    def _start(self, rules: Rules) -> Values:
        return self._values(make_probe(0, spatial=rules.spatial, layout=rules.layout))

    # --- what it believes

    def _diagnosed(self, what: str) -> list[FunctionReport]:
        unit = self.unit
        forward = unit.forward
        if forward is None:
            return []
        rules = self._rules(forward)
        forward = oriented(forward, rules, self.convention, make_probe(0, spatial=rules.spatial, layout=rules.layout))
        if forward.orientation.channels != "first":
            said = {"last": "The channels lie on the last axis.", "rows": "The samples lie in columns."}
            self.notes.append(said[forward.orientation.channels])
        rules = self._completed(forward, rules)
        canonical = self._forward(forward, rules)
        first = canonical(*make_probe(0, spatial=rules.spatial, layout=rules.layout).wide, eps=0.1)
        if first is not None and first[0] is None:
            names = [forward.name, *self._backward_names()]
            return [FunctionReport(name, what, "missing") for name in names]
        found: list[FunctionReport] = []
        inference, running = self._inference(forward, rules), self._running(forward, rules)
        passes = self._backwards(forward)
        if self._lacks_shift(forward, rules):
            passes = {name: _with_shift(one) for name, one in passes.items()}
        name, backward = next(iter(passes.items()), ("", None))
        report = diagnose(canonical, backward, inference=inference, running=running, rules=rules)
        apart = self._apart(forward, rules)
        own = tuple(one for one in report.findings if one.part not in GRADIENTS and one.part not in apart)
        if any(one.belief and one.part in ("forward", "conv") for one in own):
            named = tuple(one for one in own if one.belief)
            self.notes += [LATER] if named != own else []
            own = named
        label = f"{forward.name}.{forward.forward_name}" if isinstance(forward, Layer) else forward.name
        notes = tuple(one for one in dict.fromkeys((*self.notes, *report.notes)) if one not in CONVENTIONAL.values())
        known = running is not None and not any(one.part.startswith("running") for one in report.findings)
        differences = self._differences(report.notes) if known else ()
        found.append(FunctionReport(label, f"{what}, forward", _status(own), own, notes, differences))
        for part in dict.fromkeys(apart.values()):
            wrong = tuple(one for one in report.findings if apart.get(one.part) == part)
            where = "inference" if part == unit.inference else "running statistics"
            found.append(FunctionReport(part, f"{what}, {where}", _status(wrong), wrong))
        others = [(name, report)] if backward is not None else []
        others += [(other, diagnose(canonical, passes[other], rules=rules)) for other in list(passes)[1:]]
        for other, its in others:
            wrong = tuple(one for one in its.findings if one.part in GRADIENTS)
            found.append(FunctionReport(other, f"{what}, backward", _status(wrong), wrong))
            if any(one.belief for one in own) and all(_says_little(one) for one in wrong):
                found[-1].findings, found[-1].reason = (), FIRST if wrong else ""
        for one in found:
            if any(finding.belief == "imprecise" for finding in one.findings):
                one.findings = tuple(finding for finding in one.findings if finding.belief != "imprecise")
                one.status, one.notes = _status(one.findings), (*one.notes, SINGLE)
            for finding in one.findings:
                if isinstance(finding.cause, (NotHereError, CannotCallError)):
                    one.status, one.findings = "unreadable", ()
                    one.reason = f"It could not be called: {finding.cause}."
        self._show(found, forward, passes.get(next(iter(passes), "")), rules)
        return found

    def _show(self, found: list[FunctionReport], forward: Forward | Layer, backward: Any, rules: Rules) -> None:
        """Keep the experiments that show what they claim with the file's functions, and say what to paste first."""
        if not any(finding.experiment for one in found for finding in one.findings):
            return
        known = backward if isinstance(backward, Backward) else None
        first = bridge(self.unit, forward, known, self.convention, self._start(rules))
        names = {**self.program.namespace, "np": np}
        try:
            exec(first, names)
        except Exception:
            first = ""
        for one in found:
            one.findings = tuple(shown(finding, self.unit.kind, names) for finding in one.findings)
            one.paste_first = first if any(finding.experiment for finding in one.findings) else ""

    def _apart(self, forward: Forward | Layer, rules: Rules) -> dict[str, str]:
        """Parts that functions of their own do, and their names."""
        unit, parts = self.unit, {}
        if unit.inference:
            parts["inference"] = unit.inference
        if self._updates(forward, rules):
            parts |= dict.fromkeys(("running", "running_mean", "running_var"), unit.update)
        return parts

    def _updates(self, forward: Forward | Layer, rules: Rules) -> bool:
        """Whether a function of its own moves the running statistics."""
        return bool(self.unit.update) and not forward.keeps_statistics(self._start(rules))

    def _differences(self, notes: tuple[str, ...]) -> tuple[str, ...]:
        """What the file's running statistics mean, where that differs between courses."""
        momentum, variance = self.convention.momentum, self.convention.running_variance
        if not self.declared or not self.convention.is_course:
            if CONVENTIONAL["momentum-swapped"] in notes:
                momentum = "old" if momentum == "new" else "new"
            variance = "biased" if CONVENTIONAL["running-variance-biased"] in notes else "unbiased"
        return tuple(self.convention.differences(momentum, variance))

    def _backward_names(self) -> list[str]:
        if isinstance(self.unit.forward, Layer):
            return [f"{self.unit.forward.name}.{name}" for name in self.unit.backwards]
        return self.unit.backwards

    def _forward(self, forward: Forward | Layer, rules: Rules) -> Callable[..., Any]:
        lacks_shift = self._lacks_shift(forward, rules)

        def run(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Any:
            outcome = forward.run(Values(x, gamma, beta, eps, groups=rules.groups))
            if lacks_shift and isinstance(outcome.y, np.ndarray):
                return outcome.y + rules.layout.across(beta, x.ndim), outcome
            return outcome.y, outcome

        return run

    def _lacks_shift(self, forward: Forward | Layer, rules: Rules) -> bool:
        """Whether it has no beta because RMS norm needs none; it is added then, to be judged as the others are."""
        return self.unit.kind == "rms" and not forward.takes("beta", self._start(rules))

    def _backwards(self, forward: Forward | Layer) -> dict[str, Callable[..., Any]]:
        lay = forward.orientation
        if forward.torch and not self.unit.backwards:
            return {f"{forward.name}, by autograd": lambda dy, cache: autograd(dy, cache, lay)}
        if isinstance(forward, Layer):
            return dict.fromkeys(self._backward_names(), forward.backward)
        found: dict[str, Callable[..., Any]] = {}
        for name in self.unit.backwards:
            function, tree = self.program.namespace[name], self.program.trees[name]
            by_names = self.convention.name not in ("bncourse", "cs231n")
            found[name] = Backward(name, function, tree, forward, by_names)  # type: ignore[arg-type]
        return found

    def _inference(self, forward: Forward | Layer, rules: Rules) -> Callable[..., Any] | None:
        if self.unit.kind != "batch":
            return None
        chosen = forward
        if self.unit.inference:
            function, tree = self.program.namespace[self.unit.inference], self.program.trees[self.unit.inference]
            chosen = Forward(self.unit.inference, function, tree, self.program, "batch")
            chosen = chosen.turned(forward.orientation)
        elif not (forward.has_modes(self._start(rules)) and forward.keeps_statistics(self._start(rules))):
            return None

        def run(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
            return chosen.run(Values(x, gamma, beta, eps, False, mean.copy(), var.copy())).y

        return run

    def _running(self, forward: Forward | Layer, rules: Rules) -> Callable[..., Any] | None:
        if self.unit.kind == "batch" and self._updates(forward, rules):
            return self._moves(Update(self.unit.update, self.program.namespace[self.unit.update], self.program))
        if self.unit.kind != "batch" or not forward.keeps_statistics(self._start(rules)):
            return None

        def run(mean: Array, var: Array, x: Array, momentum: float = 0.1) -> Any:
            weight = momentum if self.convention.momentum == "new" else 1 - momentum
            ones = np.ones(x.shape[1])
            values = Values(x, ones, 0 * ones, rules.eps or USUAL_EPS, True, mean.copy(), var.copy(), weight)
            moved = forward.run(values).statistics
            return moved.get("running_mean"), moved.get("running_var")

        return run


def _with_shift(backward: Callable[..., Any]) -> Callable[..., Any]:
    """A backward pass of a normalization without beta, as one that has a beta."""

    def run(dy: Array, cache: Any) -> Any:
        found = backward(dy, cache)
        dbeta = dy.sum(axis=(0, *range(2, dy.ndim)))
        return (*found[:2], dbeta) if isinstance(found, (tuple, list)) and len(found) in (2, 3) else found

    return run


def _says_little(found: Finding) -> bool:
    return found.belief is None or found.belief.startswith("law-")


def _status(findings: tuple[Finding, ...]) -> Any:
    return "mistaken" if findings else "right"
