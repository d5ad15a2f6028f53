"""What a student pastes first, so that the two lines of an experiment call the own functions, whatever their course."""

from dataclasses import replace
from typing import Any

import numpy as np

from bncourse.diagnosis.catalogue import beliefs
from bncourse.diagnosis.conventions.calls import quiet, returned_names, word
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.find import Unit
from bncourse.diagnosis.conventions.functions import Forward, Values
from bncourse.diagnosis.conventions.gradients import Backward
from bncourse.diagnosis.conventions.known import Convention
from bncourse.diagnosis.conventions.slots import Slot, gradient_slots
from bncourse.diagnosis.experiments import EXPERIMENTS
from bncourse.diagnosis.report import Finding


def bridge(unit: Unit, forward: Forward | Layer, backward: Backward | None, convention: Convention, at: Values) -> str:
    """Define forward, backward, inference and update by what the file defines; "" where that takes more than names.

    Parameters
    ----------
    unit : Unit
        The normalization.
    forward, backward
        Its functions, as they are called.
    convention : Convention
        Which value momentum weighs.
    at : Values
        With which a layer can be made.
    """
    if forward.torch or forward.orientation.channels != "first" or forward.orientation.vector != "flat":
        return ""
    if isinstance(forward, Layer):
        return "\n".join(_of_layer(forward, at, has_backward=bool(unit.backwards)))
    lines = _of_function(forward, convention)
    if backward is not None and not (backward.signature.has("dy") and backward.signature.has("cache")):
        return ""
    if backward is not None and backward.name != "backward":
        lines.append(f"backward = {backward.name}")
    lines += [f"inference = {unit.inference}"] if unit.inference not in ("", "inference") else []
    lines += [f"update = {unit.update}"] if unit.update not in ("", "update") else []
    return "\n".join(lines)


def _call(forward: Forward, given: dict[str, str]) -> str:
    """Write the call of a function with these expressions, role by role."""
    parts = []
    for one in forward.signature.parameters:
        role = forward.signature.roles.get(one.name)
        if role in given:
            parts.append(given[role] if role in ("x", "gamma", "beta") else f"{one.name}={given[role]}")
    return f"{forward.name}({', '.join(parts)})"


def _of_function(forward: Forward, convention: Convention) -> list[str]:
    count = len(returned_names(forward.tree))
    whole = {0: "({}, None)", 2: "{}"}.get(count, "(lambda found: (found[0], found[1:]))({})")
    known = forward.signature
    if not known.has("settings"):
        if known.has("running_mean") or known.has("mode"):
            return []
        call = _call(forward, {"x": "x", "gamma": "g", "beta": "b", "eps": "eps", "groups": "2"})
        return [f"forward = lambda x, g, b, eps=1e-5: {whole.format(call)}"]
    keys = {role: key for key, role in forward.keys.items()}
    names = {role: keys.get(role, role) for role in ("mode", "eps", "momentum", "running_mean", "running_var")}

    def settings(train: bool, **more: str) -> str:
        mode = {names["mode"]: f'"{word(forward.tree, train=train)}"'} if "mode" in keys else {}
        pairs = {**mode, names["eps"]: "eps", **{names[role]: value for role, value in more.items()}}
        return "{" + ", ".join(f'"{key}": {value}' for key, value in pairs.items()) + "}"

    given = {"x": "x", "gamma": "g", "beta": "b", "groups": "2"}
    call = _call(forward, {**given, "settings": settings(True)})
    lines = [f"forward = lambda x, g, b, eps=1e-5: {whole.format(call)}"]
    if "mode" in keys and "running_mean" in keys:
        statistics = {"running_mean": "m", "running_var": "v"}
        still = _call(forward, {**given, "settings": settings(False, **statistics)})
        lines.append(f"inference = lambda x, g, b, m, v, eps=1e-5: {whole.format(still)}")
        weight = "momentum" if convention.momentum == "new" else "1 - momentum"
        held = settings(True, momentum=weight, **statistics).replace(": eps,", ": 1e-5,")
        moved = _call(forward, {**given, "gamma": "np.ones(3)", "beta": "np.zeros(3)", "settings": "held"})
        lines += [
            "def update(m, v, x, momentum):",
            f"    held = {held}",
            f"    {moved}",
            f'    return held["{names["running_mean"]}"], held["{names["running_var"]}"]',
        ]
    return lines


def _path(slot: Slot) -> str:
    """How a place of a layer is written."""
    first, *inner = slot.path.split(".")
    return f"layer.{first}" + "".join(f'["{one}"]' for one in inner)


def _of_layer(layer: Layer, at: Values, *, has_backward: bool) -> list[str]:
    outcome = layer.run(at)
    made = outcome.layer
    if has_backward:
        layer.backward(np.ones_like(at.x), outcome)
    slots = {role: layer.find(made, role) for role in ("gamma", "beta", "eps")}
    known = layer.constructor()
    arguments = {"features": "x.shape[1]", "gamma": "g", "beta": "b", "eps": "eps", "dims": "x.ndim"}
    parts = [
        f"{one.name}={arguments[known.roles[one.name]]}"
        for one in known.parameters
        if known.roles.get(one.name) in arguments
    ]
    held = {name: slot for name, slot in slots.items() if slot is not None and hasattr(slot.value, "shape")}
    held |= {"eps": slots["eps"]} if slots["eps"] is not None else {}
    values = {"gamma": "g", "beta": "b", "eps": "eps"}
    flags = {"train": "True", "eval": "False", "mode": f'"{word(layer.tree, train=True)}"'}
    told = layer.signature(made)
    modes = [f", {name}={flags[role]}" for name, role in told.roles.items() if role in flags]
    call = f"layer.{layer.forward_name}(x{''.join(modes)})"
    lines = ["def forward(x, g, b, eps=1e-5):", f"    layer = {layer.name}({', '.join(parts)})"]
    if layer.is_lazy(at):
        lines.append(f"    {call}")
    for name, slot in held.items():
        lines.append(f"    {_path(slot)} = {values[name]}")
    lines.append(f"    return {call}, layer")
    if not has_backward:
        return lines
    gradients = gradient_slots(made)
    if set(gradients) != {"gamma", "beta"}:
        return []
    lines += ["def backward(dy, layer):", f"    dx = layer.{layer.backward_name}(dy)"]
    found = ", ".join(f"np.ravel({_path(gradients[part])})" for part in ("gamma", "beta"))
    return [*lines, f"    return dx, {found}"]


def shown(found: Finding, kind: str, names: dict[str, Any]) -> Finding:
    """Keep the experiment of a finding if it shows what it claims with these functions; leave it out otherwise.

    Parameters
    ----------
    found : Finding
        What is said.
    kind : str
        Of which normalization.
    names : dict
        The file's names, and what the bridge defines.
    """
    if not found.experiment or found.belief is None:
        return found
    experiment = EXPERIMENTS[beliefs()[found.belief].in_words_of(kind).see]
    before = np.random.get_state()  # noqa: NPY002  (the lines that a student pastes draw from it)
    try:
        np.random.seed(0)  # noqa: NPY002
        here = {**names, "np": np}
        with quiet():
            exec(experiment.setup, here)
            printed = np.abs(np.asarray(eval(experiment.show, here), dtype=float))
    except Exception:
        return replace(found, experiment="")
    finally:
        np.random.set_state(before)  # noqa: NPY002
    zeros = bool((printed < 1e-4).all())
    return found if zeros != experiment.zeros else replace(found, experiment="")
