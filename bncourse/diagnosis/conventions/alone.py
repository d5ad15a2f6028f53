"""An inference, an update or a backward pass without a forward pass in training: each is judged by itself."""

from bncourse.diagnosis.conventions import backward_alone
from bncourse.diagnosis.conventions.layout import constant_of, oriented
from bncourse.diagnosis.conventions.meaning import differences
from bncourse.diagnosis.conventions.report import FunctionReport
from bncourse.diagnosis.conventions.said_once import once_each
from bncourse.diagnosis.conventions.translation import Translation, as_inference, probe_of, values_of
from bncourse.diagnosis.forwards import look_at_inference
from bncourse.diagnosis.running_stats import diagnose_update


def alone(its: Translation) -> list[FunctionReport]:
    """One report a function of a normalization that has no forward pass.

    Parameters
    ----------
    its : Translation
        The normalization.
    """
    unit, found = its.unit, []
    if unit.inference:
        found.append(_inference(its))
    if unit.update and its.update_is_moving_average():
        found.append(_update(its))
    for name in unit.backwards:
        wrong, notes, said = backward_alone.look(name, its)
        found.append(FunctionReport.judged(name, f"{unit.title}, backward", once_each(wrong), notes, said))
    return found


def _update(its: Translation) -> FunctionReport:
    notes: list[str] = []
    rules = its.rules()._replace(spatial=())
    has_momentum = its.update_takes_momentum()
    if not has_momentum:
        rules = rules._replace(momentum="constant")
    wrong = tuple(diagnose_update(its.update_alone(), seed=0, notes=notes, rules=rules))
    said = () if wrong else differences(its, tuple(notes), momentum=has_momentum)
    return FunctionReport.judged(its.unit.update, f"{its.unit.title}, running statistics", wrong, (), said)


def _inference(its: Translation) -> FunctionReport:
    notes: list[str] = []
    rules = its.rules()
    one = oriented(its.inference_alone(), rules, its.convention, probe_of(rules))
    inference = as_inference(one)
    if not one.takes("eps", values_of(probe_of(rules))):
        rules = rules._replace(eps=constant_of(inference, probe_of(rules), inference=True))
    seen = look_at_inference(inference, 0, notes, rules=rules)
    return FunctionReport.judged(
        its.unit.inference, f"{its.unit.title}, inference", seen.findings, tuple(dict.fromkeys(notes))
    )
