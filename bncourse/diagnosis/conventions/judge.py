"""From a file to its reports: every normalization found, translated, and diagnosed."""

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from bncourse.diagnosis.call import GRADIENTS, EngineError
from bncourse.diagnosis.conventions.calls import Array, CannotCallError, Orientation, described, in_students_code, word
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.find import Unit, convention_of, find_units, is_wanted
from bncourse.diagnosis.conventions.functions import Backward, Forward, Outcome, Values, autograd
from bncourse.diagnosis.conventions.known import CONVENTIONS, Convention
from bncourse.diagnosis.conventions.report import FileReport, FunctionReport
from bncourse.diagnosis.conventions.source import NotHereError, Program, UnreadableError, load
from bncourse.diagnosis.diagnose import diagnose
from bncourse.diagnosis.probes import Probe, make_probe
from bncourse.diagnosis.report import Finding
from bncourse.diagnosis.rules import PLACES, Rules
from bncourse.diagnosis.running_stats import CONVENTIONAL

TITLES = {
    "batch": "batch norm",
    "layer": "layer norm",
    "group": "group norm",
    "instance": "instance norm",
    "rms": "RMS norm",
}
USUAL_EPS = 1e-5
SINGLE = "It works in float32, also where it is given float64."
NOTHING = (
    "nothing in it looks like a normalization. Expected functions such as batchnorm_forward(x, gamma, beta, ...) or a "
    "class such as BatchNorm with a method forward"
)


def diagnose_file(path: str | Path, convention: str | None = None) -> FileReport:
    """Say what a student's file believes about batch, layer, group, instance or RMS norm.

    Parameters
    ----------
    path : path
        A .py file or a notebook.
    convention : str, optional
        Name of the course's convention, one of `CONVENTIONS`; by default it is told from the signatures, and what
        differs between courses is no mistake.

    Raises
    ------
    ValueError
        If no convention has this name.
    """
    path = Path(path)
    text = read_text(path)
    if isinstance(text, FileReport):
        return text
    return look_at_source(text, convention, path.name, folder=str(path.resolve().parent))


def read_text(path: Path) -> str | FileReport:
    """Read a file in whatever encoding it has; where it cannot be read, return a report that says why."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return FileReport(path.name, problem=f"it cannot be read: {error.strerror}.")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def diagnose_source(text: str, convention: str | None = None, name: str = "layers.py") -> dict[str, Any]:
    """Do the same for the text of a file, and return plain data.

    Parameters
    ----------
    text : str
        Python, or a notebook as JSON.
    convention : str, optional
        As in `diagnose_file`.
    name : str
        How the file is called in messages; `.ipynb` at its end makes it a notebook.

    Returns
    -------
    dict
        `status` ("right", "mistaken" or "unreadable"), `convention`, `problem`, and `functions`: a list with `name`,
        `what`, `status`, `findings`, `notes`, `differences` and `reason` of each.
    """
    return look_at_source(text, convention, name).data()


def look_at_source(
    text: str,
    convention: str | None = None,
    name: str = "layers.py",
    *,
    folder: str | None = None,
    stopped: Mapping[str, str] = MappingProxyType({}),
    tell: Callable[[list[str], FileReport], None] = lambda names, report: None,
) -> FileReport:
    """Find, translate and diagnose what a text defines.

    Parameters
    ----------
    text, convention, name
        As in `diagnose_source`.
    folder : str, optional
        Where the modules lie that it imports from beside it.
    stopped : mapping
        Names of functions that are not to be run, and why.
    tell : callable
        Called before each normalization with the names of its functions and what has been said so far.
    """
    if convention is not None and convention not in CONVENTIONS:
        raise ValueError(f"No convention is called {convention!r}. Expected one of {', '.join(CONVENTIONS)}.")
    try:
        program = load(text, name, is_wanted, folder)
        units = find_units(program)
    except UnreadableError as error:
        return FileReport(name, problem=str(error))
    if not units:
        return FileReport(name, problem=f"{NOTHING}.")
    first = next((unit for unit in units if unit.forward is not None), units[0])
    chosen = CONVENTIONS[convention or convention_of(first)]
    report = FileReport(name, chosen.name, chosen.title)
    for unit in units:
        unit.problem = next((stopped[one] for one in unit.names if one in stopped), unit.problem)
        tell(unit.names, report)
        own = CONVENTIONS[convention or convention_of(unit)]
        for one in Judge(unit, own, program, declared=convention is not None).reports():
            report.functions.append(_once(one, report.functions, program))
    return report


def _once(report: FunctionReport, before: list[FunctionReport], program: Program) -> FunctionReport:
    """Say a slip once that a function has from another one of the file, which it calls or inherits from."""
    tree = program.trees.get(report.name.split(".")[0])
    if tree is None or not report.findings:
        return report
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    said = {found.belief for found in report.findings}
    for other in before:
        name = other.name.split(".")[0]
        if name in used and name != tree.name and None not in said and said <= {one.belief for one in other.findings}:
            report.findings = ()
            report.reason = f"It uses {name}, whose mistake shows here too."
            break
    return report


class Judge:
    """One normalization, translated and diagnosed."""

    def __init__(self, unit: Unit, convention: Convention, program: Program, *, declared: bool) -> None:
        self.unit, self.convention, self.program, self.declared = unit, convention, program, declared
        self.notes: list[str] = []

    def reports(self) -> list[FunctionReport]:
        """One report a function."""
        unit = self.unit
        what = TITLES[unit.kind] + (" on feature maps" if unit.maps else "")
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
            rules = rules._replace(eps=self._constant(forward, probe))
        if not forward.takes("momentum", values):
            rules = rules._replace(momentum="constant")
        return rules

    def _constant(self, forward: Forward | Layer, probe: Probe) -> float:
        """Measure the constant that stands in the place of eps, on values that hardly vary."""
        matrix = probe.rows(probe.x)
        about = matrix.mean(axis=0) if probe.layout.centered else 0
        small = matrix.mean(axis=0) * (1 if probe.layout.centered else 1e-3) + (matrix - matrix.mean(axis=0)) * 1e-3
        x = probe.layout.back(small, probe.x.shape)
        about = small.mean(axis=0) if probe.layout.centered else 0
        y = forward.run(self._values(probe, x=x)).y
        if not isinstance(y, np.ndarray) or y.shape != x.shape:
            return USUAL_EPS
        gamma, beta = (probe.layout.across(one, x.ndim) for one in (probe.gamma, probe.beta))
        centered = small - about
        slope = (probe.rows((y - beta) / gamma) * centered).sum(axis=0) / (centered**2).sum(axis=0)
        constants = 1 / slope**2 - (centered**2).mean(axis=0)
        found = float(np.median(constants))
        near = np.isfinite(constants).all() and np.ptp(constants) <= 1e-4 * abs(found)
        return found if near and 1e-13 < found < 0.5 else USUAL_EPS

    def _oriented(self, forward: Forward | Layer, rules: Rules) -> Forward | Layer:
        """Choose the layout in which it is right, or else the usual one in which it runs."""
        probe = make_probe(0, spatial=rules.spatial, layout=rules.layout)
        right = rules.layout.forward(*probe.wide, probe.eps)
        first = ["last", "first"] if self.convention.channels == "last" else ["first", "last"]
        if not rules.spatial:
            first = (
                ["first"]
                if self.convention.name in ("bncourse", "cs231n") or self.unit.kind != "batch"
                else ["first", "rows"]
            )
        ways = [Orientation(channels, vector) for channels in first for vector in ("flat", "wide")]
        runs: list[Forward | Layer] = []
        problem: Exception | None = None
        for way in ways:
            turned = forward.turned(way)
            try:
                y = turned.run(self._values(probe)).y
            except (NotHereError, CannotCallError):
                raise
            except Exception as error:
                problem = problem or error
                continue
            if isinstance(y, np.ndarray) and y.shape == probe.x.shape and np.abs(y - right).max() < 1e-2:
                return turned
            if y is None or (isinstance(y, np.ndarray) and y.shape == probe.x.shape):
                runs.append(turned)
        return runs[0] if runs else forward.turned(ways[0])

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
        forward = self._oriented(forward, rules)
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
        own = tuple(one for one in report.findings if one.part not in GRADIENTS)
        label = f"{forward.name}.{forward.forward_name}" if isinstance(forward, Layer) else forward.name
        notes = tuple(one for one in dict.fromkeys((*self.notes, *report.notes)) if one not in CONVENTIONAL.values())
        differences = self._differences(report.notes) if running is not None else ()
        found.append(FunctionReport(label, f"{what}, forward", _status(own), own, notes, differences))
        others = [(name, report)] if backward is not None else []
        others += [(other, diagnose(canonical, passes[other], rules=rules)) for other in list(passes)[1:]]
        for other, its in others:
            wrong = tuple(one for one in its.findings if one.part in GRADIENTS)
            found.append(FunctionReport(other, f"{what}, backward", _status(wrong), wrong))
        for one in found:
            if any(finding.belief == "imprecise" for finding in one.findings):
                one.findings = tuple(finding for finding in one.findings if finding.belief != "imprecise")
                one.status, one.notes = _status(one.findings), (*one.notes, SINGLE)
            for finding in one.findings:
                if isinstance(finding.cause, (NotHereError, CannotCallError)):
                    one.status, one.findings = "unreadable", ()
                    one.reason = f"It could not be called: {finding.cause}."
        return found

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
            chosen = Forward(self.unit.inference, function, tree, self.program, "batch")  # type: ignore[arg-type]
            chosen = chosen.turned(forward.orientation)
        elif not (forward.has_modes(self._start(rules)) and forward.keeps_statistics(self._start(rules))):
            return None

        def run(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Any:
            return chosen.run(Values(x, gamma, beta, eps, False, mean.copy(), var.copy())).y

        return run

    def _running(self, forward: Forward | Layer, rules: Rules) -> Callable[..., Any] | None:
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


def _status(findings: tuple[Finding, ...]) -> Any:
    return "mistaken" if findings else "right"


__all__ = ["Outcome", "diagnose_file", "diagnose_source", "look_at_source", "word"]
