"""The conventions of a private `forward` in; what changes in its master out."""

from bncourse.diagnosis.restated import Restated
from bncourse.grading.authoring.private_edits import Edits
from bncourse.grading.authoring.private_substitutes import edits_for

FORWARD_TESTS = {
    "batch_norm_forward": "forward",
    "identity_parameters": "identity",
    "update_running": "running",
    "weight_of_the_start": "start",
    "batch_norm_inference": "inference",
    "batch_norm_forward_conv": "conv",
    "linear_then_norm": "linear",
}
"""What students write, and how a test turns it round."""

NOTE = (
    "After you hand in, the same kind of test runs again with other numbers and other shapes, so write for any batch."
)
TURNED = "The tests convert your functions first: in their messages, samples are the rows of a batch, as in the book."

SPREADS = {
    "std": ("running_std**2", "np.sqrt(var)", "standard deviation", "the root of the running variance"),
    "precision": ("1 / running_precision", "1 / var", "precision", "one over the running variance"),
}
"""For what is kept: the variance in code, the way back, its name, and what it is in words."""


def forward_edits(own: Restated) -> Edits:
    """The changes, by cell."""
    wide = "" if own.column else "[:, None]"
    kept = ", keepdims=True" if own.column else ""
    shape = "(C, 1)" if own.column else "(C,)"
    both = "cache, y" if own.cache_first else "y, cache"
    only_y = "_, y" if own.cache_first else "y, _"
    name = f"running_{own.spread}"
    edits: Edits = {
        "how-it-works": [(NOTE, f"{NOTE}\n{TURNED}")],
        "task-1": [
            ("shape `(N, C)`: `N` samples in rows, `C` channels in columns",
             f"shape `(C, N)`: `C` channels in rows, `N` samples in columns; `gamma` and `beta` have shape `{shape}`"),
        ],
        "forward-task": [("Return `y` and a `cache`.", f"Return the pair `({both})`.")],
        "forward": [
            ("Normalize each column of x, shape (N, C), over its rows; return (y, cache).",
             f"Normalize each row of x, shape (C, N), over its columns; return ({both})."),
            ("x.mean(axis=0)", "x.mean(axis=1, keepdims=True)"),
            ("x.var(axis=0)", "x.var(axis=1, keepdims=True)"),
            ("gamma * x_hat + beta", f"gamma{wide} * x_hat + beta{wide}"),
            ("return y, cache", f"return {both}"),
        ],
        edits_for("forward"): [
            ("gamma * (x - x[:1])", f"gamma{wide} * (x - x[:, :1])"),
            ("+ beta", f"+ beta{wide}"),
            ("return y, x", "return x, y" if own.cache_first else "return y, x"),
        ],
        "predicted-run": [("y, _ =", f"{only_y} ="), ("]]), np.array", "]]).T, np.array")],
        "explain-1": [("x.std(axis=0)", "x.std(axis=1, keepdims=True)")],
        "identity": [
            ("each of shape (C,)", f"each of shape {shape}"),
            ("x.var(axis=0)", f"x.var(axis=1{kept})"),
            ("x.mean(axis=0)", f"x.mean(axis=1{kept})"),
        ],
        "identity-run": [
            ("[9.0, 11.5]])", "[9.0, 11.5]]).T"),
            ("axis=0", "axis=1"),
            ("identity_parameters(data, eps=0.1)[0]", "np.ravel(identity_parameters(data, eps=0.1)[0])"),
        ],
        "bias-task": [("linear, with its bias", "linear, with its bias and with one sample a column")],
        "task-6": [("`u @ weight + bias`", "`weight @ u + bias`")],
        "bias": [
            ("Return y of shape (N, C) for u of shape (N, D), weight (D, C) and bias (C,).",
             f"Return y of shape (C, N) for u of shape (D, N), weight (C, D) and bias {shape}."),
            ("y, _ = batch_norm_forward(u @ weight + bias,", f"{only_y} = batch_norm_forward(weight @ u + bias{wide},"),
        ],
        "bias-run": [
            ("rng.normal(size=(6, 4)), rng.normal(size=(4, 3)), np.ones(3)",
             f"rng.normal(size=(4, 6)), rng.normal(size=(3, 4)), np.ones({'(3, 1)' if own.column else '3'})"),
            ("0.0]), ones", "0.0])[:, None], ones" if own.column else "0.0]), ones"),
        ],
        "answer-bias": [("sqrt(running_var + eps)", f"sqrt({SPREADS[own.spread][0]} + eps)")],
    }  # fmt: skip
    return edits | _running(own, name, kept, wide) | _maps(own, both) | _momentum(own)


def _running(own: Restated, name: str, kept: str, wide: str) -> Edits:
    var, back, word, meaning = SPREADS[own.spread]
    old, new = ("(1 - momentum)", "momentum") if own.weighs == "new" else ("momentum", "(1 - momentum)")
    of_four = {"std": "2 * one", "precision": "0.25 * one"}[own.spread]
    return {
        "running-task": [
            ("Return the new running mean and the new running variance;",
             f"Return the new running mean and the new running {word};"),
            ("The running variance is an estimate",
             f"`{name}` is {meaning}, and it is the variance that is averaged; `mean` and `{name}` have the shape of "
             "`gamma`.\nThe running variance is an estimate"),
        ],
        "running": [
            ("x of shape (N, C)", "x of shape (C, N)"),
            ("count = len(x)", "count = x.shape[1]"),
            ("x.mean(axis=0)", f"x.mean(axis=1{kept})"),
            ("x.var(axis=0)", f"x.var(axis=1{kept})"),
            ("(1 - momentum) * running_mean + momentum * mean", f"{old} * running_mean + {new} * mean"),
            ("    running_var = (1 - momentum) * running_var + momentum * var\n",
             f"    var = {old} * ({var}) + {new} * var\n    {name} = {back}\n"),
            ("momentum=0.1", "momentum=0.9" if own.weighs == "old" else "momentum=0.1"),
            ("running_var", name),
        ],
        "inference-task": [("`running_var` is a variance.", f"`{name}` is {meaning}; `eps` is added to the variance.")],
        "inference": [
            ("shape (N, C)", "shape (C, N)"),
            ("beta, running_mean, running_var,", f"beta, running_mean, {name},"),
            ("gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta",
             f"gamma{wide} * (x - running_mean{wide}) / np.sqrt({_wide(var, name, wide)} + eps) + beta{wide}"),
        ],
        "inference-run": [
            ("np.ones(1)", "np.ones((1, 1))" if own.column else "np.ones(1)"),
            ("batch_norm_inference(data, one, 0 * one, 3 * one, 4 * one)[0]",
             f"batch_norm_inference(data.T, one, 0 * one, 3 * one, {of_four})[:, 0]"),
        ],
    }  # fmt: skip


def _wide(var: str, name: str, wide: str) -> str:
    return var.replace(name, name + wide)


def _maps(own: Restated, both: str) -> Edits:
    axis = own.maps.index("C")
    axes = tuple(number for number in range(4) if number != axis)
    if own.maps == "NHWC":
        there, back = "x.reshape(-1, x.shape[-1]).T", "y = y.T.reshape(x.shape)"
    else:
        there, back = "x.reshape(len(x), -1)", "y = y.reshape(x.shape)"
    letters = ", ".join(own.maps)
    return {
        "task-5": [("`(N, C, H, W)`, and the channels lie on axis 1", f"`({letters})`, and the channels lie on axis {axis}")],
        "conv-task": [("`(values, channels)`", "`(channels, values)`")],
        "conv": [
            ("(N, C, H, W); return y of the same shape, and a cache", f"({letters}); return ({both}), y of the same shape"),
            ("    n, c, h, w = x.shape\n", ""),
            ("y, cache = batch_norm_forward(x.transpose(0, 2, 3, 1).reshape(-1, c),", f"{both} = batch_norm_forward({there},"),
            ("y = y.reshape(n, h, w, c).transpose(0, 3, 1, 2)", back),
            ("return y, cache", f"return {both}"),
        ],
        "conv-run": [("axis=(0, 2, 3)", f"axis={axes}")],
    }  # fmt: skip


def _momentum(own: Restated) -> Edits:
    if own.weighs == "new":
        return {}
    return {
        "task-3": [
            ("with PyTorch's convention,", "with the convention of CS231n, where `momentum` weighs the *old* value,"),
            (r"(1 - \text{momentum}) \cdot r + \text{momentum} \cdot \hat r",
             r"\text{momentum} \cdot r + (1 - \text{momentum}) \cdot \hat r"),
        ],
        "prediction-3": [('prediction_3 = "b"', 'prediction_3 = "a"')],
        "start": [("(1 - momentum) ** k", "momentum**k")],
        "start-look": [("with PyTorch's `momentum = 0.1`", "with `momentum = 0.9`, which PyTorch calls 0.1")],
        "start-run": [("weight_of_the_start(k, 0.1)", "weight_of_the_start(k, 0.9)")],
    }  # fmt: skip
