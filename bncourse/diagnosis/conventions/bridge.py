"""What a student pastes first, so that the two lines of an experiment call the own functions, whatever their course."""

import contextlib

import numpy as np

from bncourse.diagnosis.conventions.bridge_layers import of_layer
from bncourse.diagnosis.conventions.bundles import text_of
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.functions import Forward
from bncourse.diagnosis.conventions.gradients import Backward
from bncourse.diagnosis.conventions.known import Convention
from bncourse.diagnosis.conventions.outcomes import Values
from bncourse.diagnosis.conventions.syntax import word
from bncourse.diagnosis.conventions.unbundled import Unbundled
from bncourse.diagnosis.conventions.units import Unit
from bncourse.diagnosis.conventions.written import Written, autograd

WHOLE = {0: "({}, None)", 2: "{}"}
"""A call as (y, cache), by how many results it returns."""


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
    if isinstance(forward, Layer):
        return "\n".join(of_layer(forward, at, convention, has_backward=bool(unit.backwards)))
    if backward is not None and not (backward.signature.has("dy") and backward.signature.has("cache")):
        return ""
    if backward is not None and isinstance(backward.function, Unbundled):
        backward = None
    lines = forward.of_bundles.text() if forward.of_bundles else []
    if forward.signature.has("settings"):
        lines += _with_settings(forward, convention)
    else:
        lines += _with_arguments(forward, backward, convention)
    if backward is not None:
        with contextlib.suppress(Exception):
            backward(np.ones_like(at.x), forward.run(at))
        lines += _backward(forward, backward)
    elif forward.torch:
        lines += autograd(forward.orientation)
    if forward.of_bundles is None and unit.inference not in ("", "inference"):
        lines += [f"inference = {unit.inference}"]
    weighs_new = convention.momentum == "new"
    lines += [f"update = {unit.update}"] if unit.update not in ("", "update") and weighs_new else []
    return "\n".join(lines)


def _call(forward: Forward, given: dict[str, str]) -> str:
    """Write the call of a function with these expressions, role by role."""
    parts = []
    for one in forward.signature.parameters:
        role = forward.signature.roles.get(one.name)
        if role in given:
            by_name = one.kind is one.KEYWORD_ONLY or role not in ("x", "gamma", "beta")
            positional = one.kind is one.POSITIONAL_ONLY or not by_name
            parts.append(given[role] if positional else f"{one.name}={given[role]}")
    name = forward.of_bundles.called if forward.of_bundles else forward.name
    return f"{name}{'.apply' if forward.applied else ''}({', '.join(parts)})"


def _with_arguments(forward: Forward, backward: Backward | None, convention: Convention) -> list[str]:
    """A function of x, gamma, beta and eps, perhaps with running statistics and a flag."""
    known, its = forward.signature, Written(forward.orientation, torch=forward.torch)
    count = forward.results[0]
    base = {"x": its.x("x"), "gamma": its.vector("g"), "beta": its.vector("b"), "eps": "eps", "groups": "2"}
    flag = isinstance(known.default("mode"), bool)

    def call(train: bool, **more: str) -> str:
        mode = str(train) if flag else f'"{word(forward.tree, train=train)}"'
        return _call(forward, {**base, "train": str(train), "eval": str(not train), "mode": mode, **more})

    stateful = known.has("running_mean")
    if its.plain and not stateful and not known.has("mode"):
        whole = WHOLE.get(count, f"(lambda found: (found[0], found[{forward.cache_at or '1:'}]))({{}})")
        return [f"forward = lambda x, g, b, eps=1e-5: {whole.format(call(True))}"]
    rest = {"running_mean": "m", "running_var": "v", "momentum": "0.9"} if stateful else {}
    start = ["    m, v = np.zeros(len(g)), np.ones(len(g))"] if stateful else []
    statistics = {name: its.still(one) if len(one) == 1 else one for name, one in rest.items()}
    y = "found" if count == 0 else "found[0]"
    kept = {0: "None", 2: "found[1]"}.get(count, f"found[{forward.cache_at or '1:'}]")
    lines = ["def forward(x, g, b, eps=1e-5):", *start]
    if forward.torch:
        lines += [f"    leaves = [{base['x']}, {base['gamma']}, {base['beta']}]"]
        base |= {"x": "leaves[0]", "gamma": "leaves[1]", "beta": "leaves[2]"}
        kept = kept if backward is not None else f"({y}, leaves)"
    lines += [f"    found = {call(True, **statistics)}", f"    return {its.back(y)}, {kept}"]
    if not stateful:
        return lines
    base |= {"x": its.still_x("x"), "gamma": its.still("g"), "beta": its.still("b")}
    weight = "momentum" if convention.momentum == "new" else "1 - momentum"
    ones = {"gamma": its.still("np.ones(len(m))"), "beta": its.still("np.zeros(len(m))"), "eps": "1e-5"}
    still = ["    with torch.no_grad():", f"        found = {call(False, **statistics)}"]
    lines += ["def inference(x, g, b, m, v, eps=1e-5):"]
    lines += still if forward.torch else [still[1][4:]]
    lines += [f"    return {its.back(y)}"]
    if count >= 3:
        moved = call(True, **{**statistics, **ones, "momentum": weight})
        lines += ["def update(m, v, x, momentum):", f"    found = {moved}"]
        moved_to = f"    return {its.flat('found[1]')}, {its.flat('found[2]')}"
        asked = call(False, **{**statistics, **ones})
        still = ["    with torch.no_grad():", f"        found = {asked}"] if forward.torch else [f"    found = {asked}"]
        lines += [moved_to, "def after_inference(m, v, x):", *still, moved_to]
    return lines


def _with_settings(forward: Forward, convention: Convention) -> list[str]:
    """A function with a dict of settings."""
    its = Written(forward.orientation, torch=forward.torch)
    whole = WHOLE.get(forward.results[0], f"(lambda found: (found[0], found[{forward.cache_at or '1:'}]))({{}})")
    if not its.plain:
        whole = f"(lambda found: ({its.back('found[0]')}, found[1]))({{}})"
    keys = {role: key for key, role in forward.keys.items()}
    names = {role: keys.get(role, role) for role in ("mode", "eps", "momentum", "running_mean", "running_var")}

    def settings(train: bool, **more: str) -> str:
        mode = {names["mode"]: f'"{word(forward.tree, train=train)}"'} if "mode" in keys else {}
        pairs = {**mode, names["eps"]: "eps", **{names[role]: value for role, value in more.items()}}
        return "{" + ", ".join(f'"{key}": {value}' for key, value in pairs.items()) + "}"

    given = {"x": its.still_x("x"), "gamma": its.still("g"), "beta": its.still("b"), "groups": "2"}
    call = _call(forward, {**given, "settings": settings(True)})
    lines = [f"forward = lambda x, g, b, eps=1e-5: {whole.format(call)}"]
    if "mode" in keys and "running_mean" in keys:
        statistics = {"running_mean": its.still("m"), "running_var": its.still("v")}
        still = _call(forward, {**given, "settings": settings(False, **statistics)})
        lines.append(f"inference = lambda x, g, b, m, v, eps=1e-5: {whole.format(still)}")
        weight = "momentum" if convention.momentum == "new" else "1 - momentum"
        held = settings(True, momentum=weight, **statistics).replace(": eps,", ": 1e-5,")
        moved = _call(
            forward, {**given, "gamma": its.still("np.ones(3)"), "beta": its.still("np.zeros(3)"), "settings": "held"}
        )
        lines += [
            "def update(m, v, x, momentum):",
            f"    held = {held}",
            f"    {moved}",
            f'    return held["{names["running_mean"]}"], held["{names["running_var"]}"]',
            "def after_inference(m, v, x):",
            f"    held = {settings(False, **statistics).replace(': eps,', ': 1e-5,')}",
            f"    {moved}",
            f'    return held["{names["running_mean"]}"], held["{names["running_var"]}"]',
        ]
    return lines


def _backward(forward: Forward, backward: Backward) -> list[str]:
    """A backward pass that is a function."""
    its = Written(forward.orientation, torch=forward.torch)
    places = backward.places or [(position,) for position in backward.order()]
    if not forward.signature.has("beta"):  # RMS norm needs none; the lines of an experiment ask for its gradient
        return [
            "def backward(dy, cache):",
            f"    found = {backward.name}({its.still_x('dy')}, cache)",
            f"    return {its.back('found[0]')}, {its.flat('found[1]')}, dy.sum(axis=0)",
        ]
    if its.plain and places == [(0,), (1,), (2,)]:
        return [f"backward = {backward.name}"] if backward.name != "backward" else []
    dx, dgamma, dbeta = (text_of("found", place) for place in places)
    call = f"{backward.name}({its.still_x('dy')}, cache)"
    names = {role: name for name, role in backward.signature.roles.items()}
    if list(names)[:2] != ["dy", "cache"]:
        call = f"{backward.name}({names['dy']}={its.still_x('dy')}, {names['cache']}=cache)"
    return [
        "def backward(dy, cache):",
        f"    found = {call}",
        f"    return {its.back(dx)}, {its.flat(dgamma)}, {its.flat(dbeta)}",
    ]
