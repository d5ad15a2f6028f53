"""The conventions of a private `pytorch` in; what changes in its master out."""

import random
from itertools import permutations
from typing import Literal, NamedTuple

from bncourse.diagnosis.restated_torch import RestatedTorch
from bncourse.grading.authoring.private_edits import Edits
from bncourse.grading.authoring.private_forward import NOTE
from bncourse.grading.authoring.private_substitutes import edits_for

PYTORCH_TESTS = {"BatchNorm": "module", "fold": "fold"}
"""What students write, and how a test turns it round; the function and the module's calls are turned by a given cell."""
TURNED = (
    "The cell below converts your function and your module for the tests: in their messages, channels lie on axis 1, "
    "and names and orders are PyTorch's."
)
INPUTS = ("x", "gamma", "beta")


class Spread(NamedTuple):
    """How code speaks of what is kept in the place of the running variance."""

    words: str
    var: str
    """The variance, in the module."""
    of_var: str
    """Back, in the module."""
    start: str
    """What a test's starting value is to the module."""
    seen: str
    """The variance of a module, for the tests."""
    var_in_fold: str


SPREADS = {
    "std": Spread(
        "the root of the running variance",
        "self.running_std**2", "torch.sqrt(var)", "value.sqrt()", "module.running_std**2", "running_std**2",
    ),
    "precision": Spread(
        "one over the running variance",
        "1 / self.running_precision", "1 / var", "1 / value", "1 / module.running_precision", "1 / running_precision",
    ),
}  # fmt: skip
WEIGHTS = {"HWIO": ("(H, W, C_in, C_out)", ""), "IOHW": ("(C_in, C_out, H, W)", ".reshape(1, -1, 1, 1)")}
"""For the layout of a convolution's weight: its shape, and how a value for each output channel is broadcast."""


class TorchConventions(NamedTuple):
    """What is drawn for a private `pytorch`."""

    channels: Literal["first", "last"]
    arguments: tuple[str, ...]
    """The order in which `BatchNormFunction.apply` takes x, gamma and beta, and `backward` returns the gradients."""
    weighs: Literal["new", "old"]
    turned: RestatedTorch


def torch_conventions(dice: random.Random) -> TorchConventions:
    """Draw the conventions of a private `pytorch`."""
    channels: Literal["first", "last"] = dice.choice(["first", "last"])
    arguments = dice.choice([order for order in permutations(INPUTS) if order[0] != INPUTS[0]])
    weighs: Literal["new", "old"] = dice.choice(["new", "old"])
    turned = RestatedTorch(dice.choice(["std", "precision"]), dice.choice(["HWIO", "IOHW"]))
    return TorchConventions(channels, arguments, weighs, turned)


def pytorch_edits(own: TorchConventions) -> Edits:
    """The changes, by cell."""
    last = own.channels == "last"
    table, maps = ("(N, C)", "(N, H, W, C)") if last else ("(C, N)", "(C, N, H, W)")
    not_axis = {name: f"axis != {name}.ndim - 1" if last else "axis != 0" for name in ("x", "dy")}
    wide = {
        name: f"[1] * ({name}.ndim - 1) + [-1]" if last else f"[-1] + [1] * ({name}.ndim - 1)" for name in ("x", "dy")
    }
    order = ", ".join(own.arguments)
    shapes = {"x": "(3, 2)" if last else "(2, 3)", "gamma": "(2,)", "beta": "(2,)"}
    axes = [(f"axis for axis in range({name}.ndim) if axis != 1", f"axis for axis in range({name}.ndim) if {not_axis[name]}")
            for name in ("x", "dy")]  # fmt: skip
    wrong = ", ".join({"x": "dy * moved", "gamma": "2 * gamma", "beta": "3 * gamma"}[name] for name in own.arguments)
    published_wide = {name: f"[1, -1] + [1] * ({name}.ndim - 2)" for name in ("x", "dy")}
    edits: Edits = {
        "how-it-works": [(NOTE, f"{NOTE}\n{TURNED}")],
        "setup": _setup(own),
        "function-task": [
            ("The channels lie on axis 1, and the statistics run over all other axes, so that `(N, C)` and `(N, C, H, W)` "
             "are one piece of code.",
             f"The channels lie on the {own.channels} axis, and the statistics run over all other axes, so that `{table}` "
             f"and `{maps}` are one piece of code.\n"
             f"The arguments are `{order}` and `eps`, in this order, and the gradients are returned in it too."),
        ],
        "function": [
            ("BatchNormFunction.apply(x, gamma, beta, eps)", f"BatchNormFunction.apply({order}, eps)"),
            ("forward(ctx, x, gamma, beta, eps)", f"forward(ctx, {order}, eps)"),
            *axes,
            *((published_wide[name], wide[name]) for name in ("x", "dy")),
            ("return dx, dgamma, dbeta, None", f"return {', '.join(f'd{name}' for name in own.arguments)}, None"),
        ],
        edits_for("function"): [
            ("forward(ctx, x, gamma, beta, eps)", f"forward(ctx, {order}, eps)"),
            ("[1] * (x.ndim - 2)", "[1] * 0" if last else "[1] * (x.ndim - 1)"),
            *([] if last else [("x[:1]", "x[:, :1]")]),
            ("return dy * moved, 2 * gamma, 3 * gamma, None", f"return {wrong}, None"),
        ],
        "function-run": [
            ("`y = function(x, gamma, beta)`, and with a gradient `y, dx, dgamma, dbeta = function(x, gamma, beta, dy)`.",
             "`y = function(x, gamma, beta)`, and with a gradient `y, dx, dgamma, dbeta = function(x, gamma, beta, dy)`.\n"
             "Here `x`, `y`, `dx` and `dy` have their channels on axis 1, as in the tests."),
        ],
        "gradcheck-run": [("((3, 2), (2,), (2,))", f"({', '.join(shapes[name] for name in own.arguments)})")],
        "module-run": [("its last output.", "its last output; both with their channels on axis 1.")],
    }  # fmt: skip
    return edits | _module(own, table, maps, [axes[0], (published_wide["x"], wide["x"])]) | _fold(own)


def _setup(own: TorchConventions) -> list[tuple[str, str]]:
    """How the first cell turns round what the tests hand over, and what comes back."""
    axis = -1 if own.channels == "last" else 0
    places = tuple(INPUTS.index(name) for name in own.arguments)
    name, spread = own.turned.name, SPREADS[own.turned.spread]
    momentum = (
        '    if "momentum" in settings:  # here it weighs the old value\n'
        '        settings["momentum"] = 1 - settings["momentum"]\n'
    )
    return [
        ("def run_function(",
         "def to_own(value):\n"
         '    """Move the channels from axis 1 to where your code has them."""\n'
         f"    return value.movedim(1, {axis}).contiguous()\n\n\n"
         "def to_tests(value):\n"
         '    """Move the channels from where your code has them to axis 1."""\n'
         f"    return value if value is None or value.ndim < 2 else value.movedim({axis}, 1)\n\n\n"
         "def run_function("),
        ("for value in (x, gamma, beta)]\n",
         "for value in (to_own(x), gamma, beta)]\n    dy = None if dy is None else to_own(dy)\n"),
        ("function.apply(*inputs, eps)", f"function.apply(*(inputs[place] for place in {places}), eps)"),
        ("return (y.detach(), *gradients) if gradients else y.detach()",
         "return (to_tests(y.detach()), *map(to_tests, gradients)) if gradients else to_tests(y.detach())"),
        ("    module = kind(channels, **settings).double()\n",
         f"{momentum if own.weighs == 'old' else ''}    module = kind(channels, **settings).double()\n"),
        ("            held = getattr(module, name)\n",
         f'            if name == "running_var":\n                name, value = "{name}", {spread.start}\n'
         "            held = getattr(module, name)\n"),
        ("x = batch.detach().clone()", "x = to_own(batch.detach().clone())"),
        ("    if dy is None:\n        return module, y.detach(), None\n",
         f"    module.running_var = {spread.seen}  # as the tests speak of it\n"
         "    if dy is None:\n        return module, to_tests(y.detach()), None\n"),
        ("    return module, y.detach(), torch.autograd.grad(y, (x, module.weight, module.bias), dy, allow_unused=True)",
         "    gradients = torch.autograd.grad(y, (x, module.weight, module.bias), to_own(dy), allow_unused=True)\n"
         "    return module, to_tests(y.detach()), tuple(map(to_tests, gradients))"),
    ]  # fmt: skip


def _module(own: TorchConventions, table: str, maps: str, places: list[tuple[str, str]]) -> Edits:
    name, spread = own.turned.name, SPREADS[own.turned.spread]
    new = "self.momentum" if own.weighs == "new" else "1 - self.momentum"
    given = {"x": "x", "gamma": "self.weight", "beta": "self.bias"}
    task = [
        ("`running_var` 1", f"`{name}` 1"),
        ("where the running variance gets the *unbiased* variance of the batch.",
         f"where the running variance gets the *unbiased* variance of the batch.\n`{name}` is {spread.words}, and it is the "
         "variance that is averaged; `eps` is added to the variance."),
    ]  # fmt: skip
    cell = [
        ("(N, C) or (N, C, H, W)", f"{table} or {maps}"),
        *places,
        ('self.register_buffer("running_var"', f'self.register_buffer("{name}"'),
        ("self.running_mean.lerp_(x.mean(dim=axes), self.momentum)", f"self.running_mean.lerp_(x.mean(dim=axes), {new})"),
        ("                self.running_var.lerp_(x.var(dim=axes), self.momentum)\n",
         f"                var = ({spread.var}).lerp(x.var(dim=axes), {new})\n                self.{name}.copy_({spread.of_var})\n"),
        ("apply(x, self.weight, self.bias, self.eps)",
         f"apply({', '.join(given[each] for each in own.arguments)}, self.eps)"),
        ("torch.sqrt(self.running_var + self.eps)", f"torch.sqrt({spread.var} + self.eps)"),
    ]  # fmt: skip
    if own.weighs == "old":
        task += [
            ("by PyTorch's rule,", "by this rule, in which `momentum` weighs the *old* value,"),
            (r"(1 - \text{momentum}) \cdot r + \text{momentum} \cdot \hat r",
             r"\text{momentum} \cdot r + (1 - \text{momentum}) \cdot \hat r"),
        ]  # fmt: skip
        cell.append(("momentum=0.1", "momentum=0.9"))
    said = [("{sorted(missing)[0]} is", "{own.said(sorted(missing)[0])} is"), ("{name} does", "{own.said(name)} does"),
            ("{name} is not what", "{own.said(name)} is not what")]  # fmt: skip
    return {"task-2": [("`running_var`", f"`{name}`")], "module-task": task, "module": cell, "test-module-state": said}


def _fold(own: TorchConventions) -> Edits:
    name, spread = own.turned.name, SPREADS[own.turned.spread]
    shape, wide = WEIGHTS[own.turned.weights]
    return {
        "fold-task": [
            ("`weight` has the shape `(C_out, C_in, H, W)`;",
             f"`weight`, the old and the new one, has the shape `{shape}`; `{name}` is {spread.words};"),
        ],
        "fold": [
            ("running_mean, running_var, eps", f"running_mean, {name}, eps"),
            ("torch.sqrt(running_var + eps)", f"torch.sqrt({spread.var_in_fold} + eps)"),
            ("weight * scale.reshape(-1, 1, 1, 1)", f"weight * scale{wide}"),
        ],
        "fold-run": [("random(2, 3, 1, 1)", "random(1, 1, 3, 2)" if own.turned.weights == "HWIO" else "random(3, 2, 1, 1)")],
    }  # fmt: skip
