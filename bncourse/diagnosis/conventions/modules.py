"""What an autograd engine and an optimizer do with a layer that its numbers do not show."""

from bncourse.diagnosis.conventions import scalars
from bncourse.diagnosis.conventions.arrays import is_torchs
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.engine import engine_adds_up
from bncourse.diagnosis.conventions.engine_functions import OfEngine
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.outcomes import Values
from bncourse.diagnosis.conventions.slots import STATE, Slot
from bncourse.diagnosis.report import Finding, finding


def of_module(layer: Layer, values: Values) -> tuple[Finding, ...]:
    """Name parameters that no optimizer is given, and running statistics that keep the graph of every batch.

    Parameters
    ----------
    layer : Layer
        The class; one that is no module has neither.
    values : Values
        What it is tried on.
    """
    if not layer.module:
        return ()
    made = layer.made_new(values)
    found = []
    gives_others = any("parameters" in vars(one) for one in layer.made.__mro__ if one.__module__ == "student")
    if not gives_others and any(_never_trained(layer.find(made, role)) for role in ("gamma", "beta")):
        found.append(finding("tensors-not-parameters"))
    used = layer.run(values).layer
    if any(_keeps_graph(layer.find(used, role)) for role in STATE[:2]):
        found.append(finding("running-graph-kept"))
    return tuple(found)


def of_engine(forward: Layer | Forward, values: Values) -> tuple[Finding, ...]:
    """Name an engine of the file's own that keeps the gradient of one use where it should add up those of all.

    Parameters
    ----------
    forward : Layer or Forward
        A class or a function whose gradients are wrong; one without an engine is none of these.
    values : Values
        What it is tried on.
    """
    try:
        right = _adds_up(forward, values)
    except Exception:  # an engine of another form is judged by its gradients only
        return ()
    return () if right else (finding("gradient-not-accumulated"),)


def _adds_up(forward: Layer | Forward, values: Values) -> bool:
    if isinstance(forward, Layer):
        engine = forward.engine(values)
    else:
        engine = forward.function.engine if isinstance(forward.function, OfEngine) else None
    if isinstance(engine, scalars.Engine):
        return scalars.engine_adds_up(engine, forward.program)
    return engine is None or engine_adds_up(engine)


def _never_trained(slot: Slot | None) -> bool:
    """Whether it is an attribute that holds a plain tensor, which `parameters()` does not give."""
    return slot is not None and slot.path == slot.key and is_torchs(slot.value)


def _keeps_graph(slot: Slot | None) -> bool:
    return slot is not None and getattr(slot.value, "grad_fn", None) is not None
