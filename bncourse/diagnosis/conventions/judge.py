"""One normalization of a file: called as its course calls it, diagnosed, and reported function by function."""

from dataclasses import replace
from typing import Any

import numpy as np

from bncourse.diagnosis.backwards import look_at_backward
from bncourse.diagnosis.call import GRADIENTS, EngineError
from bncourse.diagnosis.conventions import state
from bncourse.diagnosis.conventions.alone import alone
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.errors import CannotCallError, described, in_students_code
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.imports import NotHereError, OldNumPy, StandIn
from bncourse.diagnosis.conventions.known import Convention
from bncourse.diagnosis.conventions.layout import gamma_on_columns, oriented
from bncourse.diagnosis.conventions.meaning import differences, own_convention
from bncourse.diagnosis.conventions.modules import of_engine, of_module
from bncourse.diagnosis.conventions.own_form import of_own_form
from bncourse.diagnosis.conventions.report import FunctionReport
from bncourse.diagnosis.conventions.said_once import add_maps, is_unnamed, once_each, once_in_inference
from bncourse.diagnosis.conventions.showing import show
from bncourse.diagnosis.conventions.source import Program
from bncourse.diagnosis.conventions.translation import Translation, probe_of, values_of
from bncourse.diagnosis.conventions.units import Unit
from bncourse.diagnosis.diagnose import diagnose
from bncourse.diagnosis.forwards import look_at_inference
from bncourse.diagnosis.numerical_gradient import own_gradient
from bncourse.diagnosis.report import Finding
from bncourse.diagnosis.report import finding as of_belief
from bncourse.diagnosis.rules import Rules
from bncourse.diagnosis.running_stats import CONVENTIONAL

FIRST = "It is not the gradient of this forward pass. Fix that one first, and check again."
LATER = "The running statistics and the inference can be judged when the forward pass is right."
SINGLE = "It works in float32, also where it is given float64."
WRITES = {
    "x": "It writes into its input: the caller's x is another one after the call.",
    "dy": "It writes into its input: the caller's upstream gradient is another one after the call.",
}
OWN_FORM = "The running statistics are kept in a form of this file's own, and have not been judged."
STANDS_IN = "A class that it inherits from lies in a file that is not here; an empty one was put in its place."
NUMPY_INSTEAD = "It was run with NumPy in the place of {}, which is not installed here."
NOT_THE_PAPERS = (
    "Your code normalizes by the variance with N - 1, and its gradient fits that; PyTorch and the paper divide by N."
)
STARTS_AT_ZERO = "In your code running_var starts at 0; PyTorch's starts at 1."
TOO = "The same shows in inference."
LAYOUTS = {"last": "The channels lie on the last axis.", "rows": "The samples lie in columns."}


class Judge:
    """One normalization, translated and diagnosed."""

    def __init__(self, unit: Unit, convention: Convention, program: Program, *, declared: bool) -> None:
        self.unit, self.convention, self.program, self.declared = unit, convention, program, declared
        self.its = Translation(unit, convention, program, declared=declared)
        self.notes: list[str] = []

    def reports(self) -> list[FunctionReport]:
        """One report a function."""
        unit = self.unit
        if not unit.problem and unit.forward is None and (unit.update or unit.inference or unit.backwards):
            return self._guarded(lambda: alone(self.its))
        if unit.problem or unit.forward is None:
            reason = unit.problem or "its forward pass was not found, and without one nothing can be said"
            return [
                FunctionReport(name, self.unit.title, "unreadable", reason=f"It could not be run: {reason}.")
                for name in unit.names
            ]
        if self.its.takes_maps_only(unit.forward):
            unit.maps = True
        found = self._guarded(self._diagnosed)
        if unit.forward is not None and self.its.takes_maps(unit.forward):
            on_maps = Judge(replace(unit, maps=True), self.convention, self.program, declared=self.declared)
            add_maps(found, on_maps._guarded(on_maps._diagnosed))
        return found

    def _guarded(self, look: Any) -> list[FunctionReport]:
        """Report what could not be called, and an error of the diagnosis's own, as such."""
        try:
            found: list[FunctionReport] = look()
            return found
        except (NotHereError, CannotCallError) as error:
            return self._not_run(str(error))
        except Exception as error:
            if not isinstance(error, EngineError) and in_students_code(error, self.program):
                first = next(iter(str(error).splitlines()), "")
                return self._not_run(f"{type(error).__name__}: {first}")
            said = str(error) if isinstance(error, EngineError) else described(error)
            return self._not_run(said, "An error of the checker, not of this function; please report it")

    def _not_run(self, reason: str, lead: str = "It could not be called") -> list[FunctionReport]:
        name = self.unit.forward.name if self.unit.forward else self.unit.names[0]
        return [FunctionReport(name, self.unit.title, "unreadable", reason=f"{lead}: {reason}.")]

    def looked_at(self) -> tuple[Any, ...]:
        """What of it is judged: whether it has an eps, a momentum, two modes and running statistics that are found."""
        forward = self.unit.forward
        if forward is None:
            return ()
        self.unit.maps = self.unit.maps or self.its.takes_maps_only(forward)
        rules = self.its.rules()
        forward = oriented(forward, rules, self.convention, probe_of(rules))
        values = values_of(probe_of(rules))
        settings = tuple(forward.takes(name, values) for name in ("eps", "momentum"))
        still, running = self.its.inference(forward, rules), self.its.running(forward, rules)
        return (*settings, forward.has_modes(values), still is not None, running is not None)

    # --- what it believes

    def _diagnosed(self) -> list[FunctionReport]:
        unit, its = self.unit, self.its
        forward = unit.forward
        if forward is None:
            return []
        what, rules = self.unit.title, its.rules()
        if unit.kind == "batch" and gamma_on_columns(forward, rules, self.convention):
            belief = (of_belief("conv-gamma-on-columns"),)
            return [FunctionReport.judged(_label(forward), f"{what}, forward", belief)]
        forward = oriented(forward, rules, self.convention, probe_of(rules))
        if forward.orientation.channels in LAYOUTS:
            self.notes.append(LAYOUTS[forward.orientation.channels])
        rules = its.completed(forward, rules)
        canonical = its.forward(forward, rules)
        first = canonical(*probe_of(rules).wide, eps=0.1)
        if first is not None and first[0] is None:
            return [FunctionReport(name, what, "missing") for name in (forward.name, *its.backward_names())]
        found: list[FunctionReport] = []
        inference, running = its.inference(forward, rules), its.running(forward, rules)
        passes = its.backwards(forward, rules)
        name, backward = next(iter(passes.items()), ("", None))
        report = diagnose(canonical, backward, inference=inference, running=running, rules=rules)
        findings = self._of_state(forward, rules, report.findings)
        later: tuple[Finding, ...] = ()
        if isinstance(forward, Layer) and not any(one.belief in state.EXCHANGED for one in findings):
            later = state.of_the_next_batch(forward, probe_of(rules), has_backward=bool(unit.backwards))
        findings = (*(one for one in later if one.part == "forward"), *findings)
        findings += of_module(forward, values_of(probe_of(rules))) if isinstance(forward, Layer) else ()
        apart = its.apart(forward, rules)
        own = tuple(one for one in findings if one.part not in GRADIENTS and one.part not in apart)
        every, own = own, once_in_inference(own)
        self.notes += [TOO] if own != every else []
        if any(one.belief for one in own if one.part in ("forward", "conv")):
            named = tuple(one for one in own if one.belief)
            self.notes += [LATER] if named != own else []
            own = named
        label = _label(forward)
        self.notes += [WRITES["x"]] if "x" in forward.written else []
        modules = [value.__name__ for value in self.program.namespace.values() if isinstance(value, OldNumPy)]
        self.notes += [NUMPY_INSTEAD.format(module) for module in dict.fromkeys(modules) if module != "numpy"]
        self.notes += [STANDS_IN] if isinstance(forward, Layer) and issubclass(forward.made, StandIn) else []
        if isinstance(forward, Forward) and forward.of_bundles is not None and unit.kind == "batch":
            own += of_own_form(forward, its.inference_alone() if unit.inference else None)
            self.notes += [OWN_FORM] if forward.keeps_its_own and not own else []
        if unit.update and not its.update_is_moving_average():
            self.notes.append(OWN_FORM)
        notes = tuple(one for one in dict.fromkeys((*self.notes, *report.notes)) if one not in CONVENTIONAL.values())
        known = running is not None and not any(one.part.startswith("running") for one in findings)
        certain = not any(one.part in ("forward", "conv") for one in findings)
        said = differences(its, report.notes, momentum=rules.momentum != "constant", certain=certain) if known else ()
        if isinstance(forward, Layer) and forward.starts_at_zero(values_of(probe_of(rules))):
            said += (STARTS_AT_ZERO,)
        found.append(FunctionReport.judged(label, f"{what}, forward", own, notes, said))
        for part in dict.fromkeys(apart.values()):
            wrong = tuple(one for one in findings if apart.get(one.part) == part)
            where = "inference" if part == unit.inference else "running statistics"
            found.append(FunctionReport.judged(part, f"{what}, {where}", wrong))
        if (both := its.inference_and_its_backward(forward)) is not None:
            found.append(self._after_inference(*both, rules))
        others = [(name, report)] if backward is not None else []
        others += [(other, diagnose(canonical, passes[other], rules=rules)) for other in list(passes)[1:]]
        for other, its_report in others:
            wrong = tuple(one for one in (*later, *its_report.findings) if one.part in GRADIENTS)
            wrong = once_each(wrong)
            if wrong:
                wrong = of_engine(forward, values_of(probe_of(rules))) or wrong
            found.append(FunctionReport.judged(other, f"{what}, backward", wrong))
            if any(one.belief for one in own) and all(is_unnamed(one.belief) for one in wrong):
                found[-1].findings, found[-1].reason = (), FIRST if wrong else ""
            written = getattr(passes[other], "written", forward.written)
            found[-1].notes += (WRITES["dy"],) if "dy" in written else ()
        for one in found:
            if any(finding.belief == "imprecise" for finding in one.findings):
                one.keep(tuple(finding for finding in one.findings if finding.belief != "imprecise"))
                one.notes += (SINGLE,)
            for finding in one.findings:
                if isinstance(finding.cause, (NotHereError, CannotCallError)):
                    one.status, one.findings = "unreadable", ()
                    one.reason = f"It could not be called: {finding.cause}."
        self._allow_unbiased(found, canonical, list(passes.values()), rules)
        show(found, its, forward, own_convention(its, report.notes))
        return found

    def _after_inference(self, inference: Any, backward: Any, rules: Rules) -> FunctionReport:
        """What is believed of the gradient in inference, where the statistics are constants."""
        seen = look_at_inference(inference, 0, [], rules=rules)
        graded = look_at_backward(inference, backward, seen, []) if seen.y is not None else None
        wrong = tuple(one for part in graded.findings.values() for one in part) if graded else ()
        what = f"{self.unit.title}, backward in inference"
        return FunctionReport.judged(self.unit.inference_backward, what, once_each(wrong))

    def _of_state(self, forward: Forward | Layer, rules: Rules, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Add what is seen only where one function keeps the running statistics from call to call."""
        probe = probe_of(rules)
        if self.unit.kind != "batch" or not forward.keeps_statistics(values_of(probe)):
            return findings
        findings = state.of_training(forward, probe, findings)
        if not any(one.part.startswith("running") for one in findings):
            more, notes = state.of_its_own_momentum(forward, probe)
            findings, self.notes = (*findings, *more), [*self.notes, *notes]
        if self.unit.inference or not self.its.is_stateful(forward, rules):
            return findings
        return state.once(state.of_inference(forward, probe, findings))

    def _allow_unbiased(self, found: list[FunctionReport], forward: Any, backwards: list[Any], rules: Rules) -> None:
        """Take the unbiased variance for a convention where a gradient written by hand is the right one for it."""
        named = [finding.belief for one in found for finding in one.findings]
        if named != ["variance-unbiased"] or not self.unit.backwards or self.declared:
            return
        probe = probe_of(rules)
        own = own_gradient(forward, probe, np.float64)
        cache = forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)[1]
        if own is not None and all(own.agrees(np.asarray(one(probe.dy, cache)[0]), probe) for one in backwards):
            found[0].keep(())
            found[0].differences += (NOT_THE_PAPERS,)


def _label(forward: Forward | Layer) -> str:
    return f"{forward.name}.{forward.forward_name}" if isinstance(forward, Layer) else forward.name
