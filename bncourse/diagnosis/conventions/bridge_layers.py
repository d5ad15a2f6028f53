"""The same for a class: how one is made, filled, called in training and in inference, and asked for its gradients."""

import inspect
from typing import Any

import numpy as np

from bncourse.diagnosis.conventions.arrays import data_of, is_torchs
from bncourse.diagnosis.conventions.classes import Layer
from bncourse.diagnosis.conventions.known import Convention
from bncourse.diagnosis.conventions.names import role_of
from bncourse.diagnosis.conventions.outcomes import Values
from bncourse.diagnosis.conventions.slots import Slot, gradient_slots, slots
from bncourse.diagnosis.conventions.syntax import word
from bncourse.diagnosis.conventions.written import Written, autograd

VALUES = {"gamma": "g", "beta": "b", "running_mean": "m", "running_var": "v"}


def of_layer(layer: Layer, at: Values, convention: Convention, *, has_backward: bool) -> list[str]:
    """Lines that define forward, and backward, inference and update where the class can do them.

    Parameters
    ----------
    layer : Layer
        The class.
    at : Values
        With which one can be made.
    convention : Convention
        Which value momentum weighs.
    has_backward : bool
        Whether it has a backward pass of its own.
    """
    outcome = layer.run(at)
    made = outcome.layer
    if has_backward:
        layer.backward(np.ones_like(at.x), outcome)
    its = Written(layer.orientation, torch=layer.torch)
    found = {role: layer.find(made, role) for role in (*VALUES, "eps", "momentum")}
    lines = _make(layer, at, its, found)
    told = layer.signature(made)
    x = "x" if not layer.torch else "kept"
    lines += ["def forward(x, g, b, eps=1e-5):", "    layer = make(x, g, b, eps)"]
    call = _called(layer, made, its.x("x") if x == "x" else x, train=True, its=its)
    lines += [f"    {one}" for one in _mode(layer, made, train=True)]
    if layer.torch:
        lines.append(f"    kept = {its.x('x')}")
    lines.append(f"    y = {call}")
    leaves = ", ".join(_path(slot) if slot is not None else "None" for slot in (found["gamma"], found["beta"]))
    by_autograd = layer.torch and not has_backward
    lines.append(f"    return {its.back('y')}, " + (f"(y, (kept, {leaves}))" if by_autograd else "layer"))
    if by_autograd:
        lines += autograd(layer.orientation)
    elif has_backward:
        lines += _backward(layer, made, its)
    if found["running_mean"] is None or found["running_var"] is None or told.has("gamma"):
        return lines
    return lines + _stateful(layer, made, its, found, convention)


def _path(slot: Slot) -> str:
    """How a place of a layer is written."""
    first, *inner = slot.path.split(".")
    if first in ("_parameters", "_buffers") and inner:
        return f"layer.{inner[0]}"
    return f"layer.{first}" + "".join(f'["{one}"]' for one in inner)


def _filled(slot: Slot, name: str, its: Written) -> str:
    """The line that puts one number a channel where the layer keeps them."""
    path, inner = _path(slot), data_of(slot.value)
    if is_torchs(slot.value):
        return f"{path}.data = torch.tensor(np.array({name})).reshape({path}.shape)"
    if inner:
        return f"{path}.{inner} = np.reshape({name}, np.shape({path}.{inner}))"
    if np.ndim(slot.value) > 1:
        return f"{path} = np.reshape({name}, {np.shape(slot.value)})".replace(str(np.size(slot.value)), "-1")
    return f"{path} = {name}"


def _make(layer: Layer, at: Values, its: Written, found: dict[str, Slot | None]) -> list[str]:
    """How one is made and filled."""
    known = layer.constructor()
    shaped = "np.moveaxis(x, 1, -1).shape" if layer.orientation.channels == "last" else "x.shape"
    arguments = {"features": "x.shape[1]", "gamma": "g", "beta": "b", "eps": "eps", "dims": "x.ndim", "groups": "2"}
    parts = [
        f"{one.name}={arguments[known.roles[one.name]]}"
        for one in known.parameters
        if known.roles.get(one.name) in arguments
    ]
    lines = ["def make(x, g, b, eps):", f"    layer = {layer.name}({', '.join(parts)})"]
    if layer.module:
        lines.append("    layer = layer.double()")
    if layer.is_lazy(at):
        made = layer.make(at)
        first = _called(layer, made, its.still_x("x"), train=True, its=its)
        lines.append(f"    layer.build({shaped})" if hasattr(made, "build") and not layer.module else f"    {first}")
    for role in ("gamma", "beta"):
        slot = found[role]
        if slot is not None and (hasattr(slot.value, "shape") or data_of(slot.value)):
            lines.append(f"    {_filled(slot, VALUES[role], its)}")
            if layer.torch and not layer.module:
                lines.append(f"    {_path(slot)}.requires_grad_()")
    if found["eps"] is not None:
        lines.append(f"    {_path(found['eps'])} = eps")
    return [*lines, "    return layer"]


def _called(layer: Layer, made: Any, x: str, *, train: bool, its: Written, momentum: str = "") -> str:
    """How its forward pass is called."""
    known = layer.signature(made)
    flags = {"train": str(train), "eval": str(not train), "momentum": momentum}
    default = known.default("mode")
    flags["mode"] = str(train) if isinstance(default, bool) else f'"{word(layer.tree, train=train)}"'
    told = [f", {name}={flags[role]}" for name, role in known.roles.items() if flags.get(role)]
    if "retain_derived" in layer.text:
        told.append(f", retain_derived={train}")
    return f"layer.{layer.forward_name}({x}{''.join(told)})"


def _mode(layer: Layer, made: Any, *, train: bool) -> list[str]:
    """Lines that put it into training, or into inference, where a call does not say so."""
    method = "train" if train else "eval"
    if inspect.ismethod(getattr(made, method, None)):
        return [f"layer.{method}()"]
    lines = []
    for slot in slots(made):
        role = role_of(slot.key, ("train", "eval", "mode"))
        if role in ("train", "eval") and isinstance(slot.value, (bool, int)):
            lines.append(f"{_path(slot)} = {train == (role == 'train')}")
        elif role == "mode" and isinstance(slot.value, str):
            lines.append(f'{_path(slot)} = "{word(layer.tree, train=train)}"')
    return lines


def _backward(layer: Layer, made: Any, its: Written) -> list[str]:
    """A backward pass that leaves the gradients of gamma and beta in attributes."""
    gradients = gradient_slots(made)
    if "gamma" not in gradients or ("beta" not in gradients and layer.find(made, "beta") is not None):
        return []
    lines = ["def backward(dy, layer):", f"    dx = layer.{layer.backward_name}({its.still_x('dy')})"]
    found = ", ".join(
        its.flat(_path(gradients[part])) if part in gradients else "dy.sum(axis=0)" for part in ("gamma", "beta")
    )
    return [*lines, f"    return {its.back('dx')}, {found}"]


def _stateful(
    layer: Layer, made: Any, its: Written, found: dict[str, Slot | None], convention: Convention
) -> list[str]:
    """Inference with given running statistics, and how a batch moves them."""
    filled = [
        f"    {_filled(slot, VALUES[role], its)}" for role in ("running_mean", "running_var") if (slot := found[role])
    ]
    weight = "momentum" if convention.momentum == "new" else "1 - momentum"
    lines = ["def inference(x, g, b, m, v, eps=1e-5):", "    layer = make(x, g, b, eps)", *filled]
    lines += [f"    {one}" for one in _mode(layer, made, train=False)]
    call = _called(layer, made, its.still_x("x"), train=False, its=its)
    if layer.torch:
        lines += ["    with torch.no_grad():", f"        y = {call}"]
    else:
        lines.append(f"    y = {call}")
    lines.append(f"    return {its.back('y')}")
    after = ", ".join(its.flat(_path(slot)) for role in ("running_mean", "running_var") if (slot := found[role]))
    new = "    layer = make(x, np.ones(len(m)), np.zeros(len(m)), 1e-5)"
    still = [f"    {one}" for one in (*_mode(layer, made, train=False), call)]
    lines += ["def after_inference(m, v, x):", new, *filled, *still, f"    return {after}"]
    given = layer.signature(made).has("momentum")
    if found["momentum"] is None and not given:
        return lines
    lines += ["def update(m, v, x, momentum):", new, *filled]
    lines += [f"    {_path(found['momentum'])} = {weight}"] if found["momentum"] is not None else []
    lines += [f"    {one}" for one in _mode(layer, made, train=True)]
    call = _called(layer, made, its.still_x("x"), train=True, its=its, momentum=weight)
    return [*lines, f"    {call}", f"    return {after}"]
