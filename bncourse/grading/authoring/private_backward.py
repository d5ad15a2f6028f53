"""The conventions of a private `backward` in; what changes in its master out."""

import random

from bncourse.diagnosis.restated import Restated
from bncourse.grading.authoring.private_edits import Edits
from bncourse.grading.authoring.private_forward import NOTE, TURNED
from bncourse.grading.authoring.private_substitutes import edits_for

BACKWARD_TESTS = {
    "batch_norm_forward": "forward",
    "batch_norm_backward_staged": "staged",
    "dmean_through_var": "second_part",
    "two_machines": "machines",
    "batch_norm_backward": "backward",
    "batch_norm_inference": "given_inference",
    "batch_norm_inference_backward": "backward",
    "batch_norm_forward_conv": "conv",
    "batch_norm_backward_conv": "conv_backward",
}
"""What students write or are given, and how a test turns it round."""
KEPT = """\
The cache is a dictionary with all that a backward pass could want:

| key | shape |
|---|---|
| `x`, `x_hat` | `(N, C)` |
| `mean`, `var`, `inv_std`, `gamma` | `(C,)` |
| `eps` | a number |"""
"""What the published notebook says of the cache."""


def new_cache(own: Restated, dice: random.Random) -> tuple[str, ...]:
    """What the given forward pass keeps, in an order of this course's own."""
    names = ["x", "mean", own.spread, "x_hat", "gamma"]
    dice.shuffle(names)
    return tuple(names)


def backward_edits(own: Restated, cache: tuple[str, ...], *, sums: bool) -> Edits:
    """The changes, by cell.

    Parameters
    ----------
    own : Restated
    cache : tuple of str
        What the given forward pass keeps, in order.
    sums : bool
        Whether `dmean`, the sum of its two parts, is one of the stages.
    """
    spread = own.spread
    wide = "" if own.column else "[:, None]"
    shape = "(C, 1)" if own.column else "(C,)"
    ones, zeros = ("np.ones((2, 1))", "np.zeros((2, 1))") if own.column else ("np.ones(2)", "np.zeros(2)")
    order = ", ".join(own.gradients)
    short = tuple(name for name in cache if name in (spread, "x_hat", "gamma"))
    by_root = {"std": "/ std", "precision": "* np.sqrt(precision)"}[spread]
    word = {"std": "`std` (the root)", "precision": "`precision` (one over what stands under the root)"}[spread]
    unpack = 'cache["x_hat"], cache["inv_std"], cache["gamma"]'
    only = ", ".join(name if name in short else "_" for name in cache) + " = cache"
    edits: Edits = {
        "how-it-works": [(NOTE, f"{NOTE}\n{TURNED}")],
        "names": [
            ("shape `(N, C)`: `N` samples in rows, `C` channels in columns",
             f"shape `(C, N)`: `C` channels in rows, `N` samples in columns; `gamma` and `beta` have shape `{shape}`"),
            ("`inv_std` (one over the root)", word),
            (KEPT, f"The cache is the tuple `({', '.join(cache)})`, with all that a backward pass could want; `mean` and `{spread}` have shape `(C, 1)`."),
        ],
        "setup": [
            ("import batch_norm_forward",
             f'import forward_of_course\n\nbatch_norm_forward = forward_of_course("{" ".join(cache)}")'),
        ],
        "task-1": [("all of column 0", "all of row 0")],
        "nudge": [("[9.0, 11.5]])", "[9.0, 11.5]]).T"), ("np.ones(2), np.zeros(2)", f"{ones}, {zeros}")],
        "second-part": [
            ("dvar * (-2 / len(x)) * (x - center).sum(axis=0)",
             "dvar * (-2 / x.shape[1]) * (x - center[:, None]).sum(axis=1)"),
        ],
        "evidence": [("as a function of the batch", "as a function of the batch, of shape `(C, N)`"),
                     ("and of `dvar`", "and of `dvar`, both of shape `(C,)`")],
        "evidence-run": [("(64, 1)", "(1, 64)"), ("axis=0", "axis=1")],
        "machines-task": [("`(4, 1)`", "`(1, 4)`")],
        "two-machines": [
            ("both of shape (4, 1)", "both of shape (1, 4)"),
            ("[[0.0], [1.0], [2.0], [3.0]]", "[[0.0, 1.0, 2.0, 3.0]]"),
        ],
        "task-3": [("one column of `dy`", "one row of `dy`"), ("that column of `dx`", "that row of `dx`"),
                   ("inv_std`", "/ std`" if spread == "std" else "sqrt(precision)`")],
        "closed-task": [("`inv_std`", f"`{spread}`"), ("Then type it.", f"Then type it, and return `({order})`.")],
        "closed": [
            (f"x_hat, inv_std, gamma = {unpack}", only),
            *_sums(own, wide),
            ("gamma * inv_std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))",
             f"gamma{wide} {by_root} * (dy - dy.mean(axis=1, keepdims=True) - x_hat * (dy * x_hat).mean(axis=1, keepdims=True))"),
            ("return dx, dgamma, dbeta", f"return {order}"),
        ],
        edits_for("closed"): [
            ('x_hat, gamma = cache["x_hat"], cache["gamma"]', f"{', '.join(cache)} = cache"),
            ("gamma * (dy - dy[:1])", f"gamma{wide} * (dy - dy[:, :1])"),
            ("sum(axis=0)", f"sum(axis=1{', keepdims=True' if own.column else ''})"),
            ("return dx, dgamma, dbeta", f"return {order}"),
        ],
        "closed-run": [
            ("dy, (_, cache) = rng.normal(size=(4, 2)), batch_norm_forward(rng.normal(size=(4, 2)), np.ones(2), np.zeros(2))",
             f"dy, (_, cache) = rng.normal(size=(2, 4)), batch_norm_forward(rng.normal(size=(2, 4)), {ones}, {zeros})"),
            ("dy + [10, 0]", "(dy.T + [10, 0]).T"),
            ("cache)[0]", f"cache)[{own.gradients.index('dx')}]"),
        ],
        "explain-3": [("whole column of `dy`", "whole row of `dy`"), ("a column of `y`", "a row of `y`")],
        "answer-constant": [("the mean of the column", "the mean of the row"), ("a column of", "a row of")],
        "task-4": [("a dictionary with `x_hat`, `inv_std` and `gamma`", f"the tuple `({', '.join(short)})`")],
        "inference-setup": [
            ("import batch_norm_inference",
             f'import inference_of_course\n\nbatch_norm_inference = inference_of_course("{" ".join(short)}")'),
        ],
        "inference-nudge": [
            ("[9.0, 11.5]])", "[9.0, 11.5]]).T"),
            ("np.ones(2), np.zeros(2)", f"{ones}, {zeros}"),
            *([("np.array([3.0, 11.0]), np.array([8.0, 1.0])",
                "np.array([[3.0], [11.0]]), np.array([[8.0], [1.0]])")] if own.column else []),
        ],
        "inference-task": [("Write its backward pass.", f"Write its backward pass, which returns `({order})`.")],
        "inference": [
            (f"x_hat, inv_std, gamma = {unpack}", f"{', '.join(short)} = cache"),
            *_sums(own, wide),
            ("dy * gamma * inv_std", f"dy * gamma{wide} {by_root}"),
            ("return dx, dgamma, dbeta", f"return {order}"),
        ],
    }  # fmt: skip
    return edits | _staged(own, cache, order, wide, sums) | _maps(own, order)


def _sums(own: Restated, wide: str) -> list[tuple[str, str]]:
    kept = ", keepdims=True" if own.column else ""
    return [
        ("dbeta = dy.sum(axis=0)", f"dbeta = dy.sum(axis=1{kept})"),
        ("(dy * x_hat).sum(axis=0)", f"(dy * x_hat).sum(axis=1{kept})"),
    ]


def _staged(own: Restated, cache: tuple[str, ...], order: str, wide: str, sums: bool) -> Edits:
    spread = own.spread
    if spread == "std":
        node = "    dstd = -(dx_hat * (x - mean)).sum(axis=1, keepdims=True) / std**2\n    dvar = dstd / (2 * std)\n"
        inv_std, of_spread = "(1 / std)", "`std`, the root of `var + eps`"
    else:
        node = (
            "    dprecision = (dx_hat * (x - mean)).sum(axis=1, keepdims=True) / (2 * np.sqrt(precision))\n"
            "    dvar = -dprecision * precision**2\n"
        )
        inv_std, of_spread = "np.sqrt(precision)", "`precision`, one over `var + eps`"
    table: list[tuple[str, str]] = [
        ("`(N, C)`", "`(C, N)`"),
        ("`(C,)`", "`(C, 1)`"),
        ("| `dvar` | with respect to `var` |", f"| `d{spread}` | with respect to {of_spread} |"),
        ("through `var` alone", f"through `{spread}` alone"),
        ("`dmean_through_var`", f"`dmean_through_{spread}`"),
        ("`dx_through_var`", f"`dx_through_{spread}`"),
        ("A whole column moves", "A whole row moves"),
        ("every sample of its column", "every sample of its row"),
        ("`gradients` is the tuple `(dx, dgamma, dbeta)`", f"`gradients` is the tuple `({order})`"),
        ("with these keys, which the book's chapter on the graph uses too:",
         f"with these keys. Here the node behind the variance is {of_spread}:"),
    ]  # fmt: skip
    if not sums:
        table.append(("| `dmean` | the two together | `(C, 1)` |\n", ""))
    named = [(f'"{name}_through_var": {name}_through_var', f'"{name}_through_{spread}": {name}_through_var')
             for name in ("dmean", "dx")]  # fmt: skip
    if not sums:
        named.append(('        "dmean": dmean,\n', ""))
    return {
        "graph": table,
        "staged": [
            ('    x, mean, inv_std = cache["x"], cache["mean"], cache["inv_std"]\n    x_hat, gamma = cache["x_hat"], cache["gamma"]\n',
             f"    {', '.join(cache)} = cache\n"),
            ("count = len(dy)", "count = dy.shape[1]"),
            *_sums(own, wide),
            ("dx_hat = dy * gamma", f"dx_hat = dy * gamma{wide}"),
            ("    dvar = (dx_hat * (x - mean)).sum(axis=0) * -0.5 * inv_std**3\n", node),
            ("-inv_std * dx_hat.sum(axis=0)", f"-{inv_std} * dx_hat.sum(axis=1, keepdims=True)"),
            ("(x - mean).sum(axis=0)", "(x - mean).sum(axis=1, keepdims=True)"),
            ("dx_hat * inv_std", f"dx_hat * {inv_std}"),
            ('"dvar": dvar', f'"d{spread}": d{spread}'),
            *named,
            ("return (dx, dgamma, dbeta), stages", f"return ({order}), stages"),
        ],
    }  # fmt: skip


def _maps(own: Restated, order: str) -> Edits:
    axis, letters = own.maps.index("C"), ", ".join(own.maps)
    if own.maps == "NHWC":
        there, back, one = "{}.reshape(-1, {}.shape[-1]).T", "{}.T.reshape({}.shape)", "[..., 0]"
    else:
        there, back, one = "{}.reshape(len({}), -1)", "{}.reshape({}.shape)", "[0]"
    turned = order.replace("dx", back.format("dx", "dy"))
    return {
        "task-6": [("`(N, C, H, W)`, and the channels lie on axis 1", f"`({letters})`, and the channels lie on axis {axis}")],
        "conv-task": [
            ("`(values, channels)`", "`(channels, values)`"),
            ("A reshape alone will not do, because the channels are not on the last axis.",
             "A reshape alone will not do, because the channels are not on the first axis."
             if own.maps == "NHWC" else "Here the channels are on the first axis already."),
        ],
        "conv": [
            ("(N, C, H, W)", f"({letters})"),
            ("    n, c, h, w = x.shape\n", ""),
            ("    n, c, h, w = dy.shape\n", ""),
            ("x.transpose(0, 2, 3, 1).reshape(-1, c)", there.format("x", "x")),
            ("y.reshape(n, h, w, c).transpose(0, 3, 1, 2), cache", f"{back.format('y', 'x')}, cache"),
            ("dx, dgamma, dbeta = batch_norm_backward(dy.transpose(0, 2, 3, 1).reshape(-1, c), cache)",
             f"{order} = batch_norm_backward({there.format('dy', 'dy')}, cache)"),
            ("return dx.reshape(n, h, w, c).transpose(0, 3, 1, 2), dgamma, dbeta", f"return {turned}"),
            ('"""Return (dx, dgamma, dbeta), where', f'"""Return ({order}), where'),
        ],
        "conv-run": [("[:, 0]", one)],
    }  # fmt: skip
