"""The checks that notebooks call: each returns None, or raises one `Misconception`.

A check hands exaggerated inputs to the student's functions (eps = 0.1, few samples, uneven scales, random
upstream gradients) and grades the values that come back, never the steps. It prints nothing, warns of nothing
and logs nothing, because a notebook grader reads any output on stderr as a failure.

What a check expects of the functions (the reference's signatures):

- `forward(x, gamma, beta, eps=eps) -> (y, cache)`; the cache is the student's own and is handed back unread,
  so it may also be an opaque handle on something in another process;
- `backward(dy, cache) -> (dx, dgamma, dbeta)`, a tuple, list, named tuple, or mapping with these keys;
- `staged(dy, cache) -> (gradients, stages)`: stages is a mapping or named tuple with the names of
  `numpy_bn.functional.Stages`, or a plain tuple in their order;
- `inference(x, gamma, beta, running_mean, running_var, eps=eps) -> (y, cache)`, or y alone;
- `inference_backward(dy, cache) -> (dx, dgamma, dbeta)`;
- `update(running_mean, running_var, x, momentum=momentum) -> (running_mean, running_var)`: the new values
  of the running statistics after the training batch x; `momentum` is the weight of the new value.

An array of shape (1, C) where (C,) is asked for, another float type, or a list for an array are let pass.
A function that raises is a finding: the message begins with the type and first line of what it raised. A
function may carry an attribute `mutated_arguments`, the names (or positions) of the array arguments that its
last call changed in place; a stand-in for a function in another process sets it, for a local function the
checks see such changes themselves.

All checks take two keyword options: `seed` (other numbers, the same kind of probe) and `hint` (0 to 3: how many
of the three levels of hints the text shows).
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.catalogue import chapter_link
from bncourse.diagnosis.report import Misconception
from bncourse.numpy_bn import functional as reference

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]

__all__ = [
    "Misconception",
    "check_backward",
    "check_conv",
    "check_dbeta",
    "check_dgamma",
    "check_dx",
    "check_forward",
    "check_inference",
    "check_inference_backward",
    "check_laws",
    "check_running",
    "check_staged",
]

TOLERANCE = 1e-9
GRADIENTS = ("dx", "dgamma", "dbeta")


class _Probe(NamedTuple):
    x: Array
    gamma: Array
    beta: Array
    dy: Array
    eps: float


def _probe(seed: int, shape: tuple[int, ...] = (5, 3)) -> _Probe:
    rng = np.random.default_rng([seed, len(shape)])
    channels = shape[1]
    across = (1, channels) + (1,) * (len(shape) - 2)
    x = rng.standard_normal(shape) * np.geomspace(0.3, 3.0, channels).reshape(across)
    x += rng.uniform(-2, 2, channels).reshape(across)
    gamma = rng.uniform(0.5, 2.5, channels) * np.where(np.arange(channels) % 2, -1, 1)
    return _Probe(x, gamma, rng.uniform(-2, 2, channels), rng.standard_normal(shape), 0.1)


def _fail(belief: str, part: str, page: str, hints: tuple[str, str, str], hint: int) -> Misconception:
    lines = [belief, *hints[: max(0, hint)], f"Read on: {chapter_link(page)}"]
    return Misconception("\n".join(lines), part=part, hints=hints)


def _call(function: Function, part: str, page: str, hint: int, *arguments: Any, **options: Any) -> Any:
    copies = [argument.copy() if isinstance(argument, np.ndarray) else argument for argument in arguments]
    try:
        with np.errstate(all="ignore"):
            result = function(*copies, **options)
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise _fail(
            f"Your function raised {type(error).__name__}: {first}",
            part,
            page,
            ("The function must return for every batch of more than one sample.", "", ""),
            hint,
        ) from error
    changed = list(getattr(function, "mutated_arguments", ()) or ())
    for position, (before, after) in enumerate(zip(arguments, copies, strict=True)):
        if isinstance(before, np.ndarray) and not np.array_equal(before, after):
            changed.append(position)
    if changed:
        raise _fail(
            "Your code believes that it may change its arguments in place.",
            part,
            page,
            ("A function's inputs must be the same after the call as before.", "", ""),
            hint,
        )
    return result


def _same(found: Any, expected: Array, size: float | None = None) -> bool:
    try:
        found = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    if found.size != expected.size:
        return False
    if found.shape != expected.shape and found.squeeze().shape != expected.squeeze().shape:
        return False
    difference = np.abs(found.reshape(expected.shape) - expected).max()
    return bool(difference <= TOLERANCE * (np.abs(expected).max() if size is None else size))


def _forward(forward: Function, probe: _Probe, hint: int) -> tuple[Any, Any]:
    page = "transform/transform"
    result = _call(forward, "forward", page, hint, probe.x, probe.gamma, probe.beta, eps=probe.eps)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise _fail("Your forward pass must return a pair: y and the cache.", "forward", page, ("", "", ""), hint)
    return result[0], result[1]


def _gradients(result: Any, part: str, page: str, hint: int) -> dict[str, Any]:
    if isinstance(result, Mapping) and all(name in result for name in GRADIENTS):
        return {name: result[name] for name in GRADIENTS}
    if isinstance(result, (tuple, list)) and len(result) == 3:
        return dict(zip(GRADIENTS, result, strict=True))
    raise _fail("Your backward pass must return dx, dgamma and dbeta.", part, page, ("", "", ""), hint)


def _compare(found: dict[str, Any], expected: Any, parts: tuple[str, ...], page: str, hint: int) -> None:
    for part in parts:
        if not _same(found[part], getattr(expected, part)):
            raise _fail(
                f"Your {part} is not the derivative of the loss.",
                part,
                page,
                ("A gradient predicts how the loss changes when an input moves a little.", "", ""),
                hint,
            )


def _check_gradients(
    forward: Function, backward: Function, parts: tuple[str, ...], seed: int, hint: int, shape: tuple[int, ...] = (5, 3)
) -> None:
    page = "gradients/closed_form"
    probe = _probe(seed, shape)
    _, cache = _forward(forward, probe, hint)
    found = _gradients(_call(backward, parts[0], page, hint, probe.dy, cache), parts[0], page, hint)
    _, own = reference.batch_norm_forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)
    _compare(found, reference.batch_norm_backward(probe.dy, own), parts, page, hint)


def check_forward(forward: Function, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if y is the normalized, scaled and shifted batch."""
    probe = _probe(seed)
    y, _ = _forward(forward, probe, hint)
    expected, _ = reference.batch_norm_forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)
    if not _same(y, expected):
        raise _fail(
            "Your y is not the normalized batch, scaled and shifted.",
            "forward",
            "transform/transform",
            ("With gamma = 1 and beta = 0 each channel of y has mean 0 and variance var / (var + eps).", "", ""),
            hint,
        )


def check_backward(forward: Function, backward: Function, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if dx, dgamma and dbeta are the derivatives of the loss."""
    _check_gradients(forward, backward, GRADIENTS, seed, hint)


def check_dx(forward: Function, backward: Function, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if dx is right, whatever dgamma and dbeta are."""
    _check_gradients(forward, backward, ("dx",), seed, hint)


def check_dgamma(forward: Function, backward: Function, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if dgamma is right, whatever dx and dbeta are."""
    _check_gradients(forward, backward, ("dgamma",), seed, hint)


def check_dbeta(forward: Function, backward: Function, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if dbeta is right, whatever dx and dgamma are."""
    _check_gradients(forward, backward, ("dbeta",), seed, hint)


def check_staged(forward: Function, staged: Function, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if every named intermediate gradient is right, and the gradients too."""
    page = "gradients/graph"
    probe = _probe(seed)
    _, cache = _forward(forward, probe, hint)
    result = _call(staged, "stages", page, hint, probe.dy, cache)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise _fail("Your staged pass must return a pair: gradients and stages.", "stages", page, ("", "", ""), hint)
    found = _gradients(result[0], "stages", page, hint)
    _, own = reference.batch_norm_forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)
    gradients, stages = reference.batch_norm_backward_staged(probe.dy, own)
    given = result[1]
    if not isinstance(given, Mapping):
        if not isinstance(given, (tuple, list)) or len(given) != len(stages):
            raise _fail("Your stages must be named as the task names them.", "stages", page, ("", "", ""), hint)
        given = dict(zip(stages._fields, given, strict=True))
    for name, expected in zip(stages._fields, stages, strict=True):
        size = float(np.abs(stages.dmean).max()) if name == "dmean_through_var" else None
        value = given.get(name)
        if name == "dx_through_mean" and value is not None:
            value = np.broadcast_to(np.asarray(value), expected.shape) if np.ndim(value) <= 2 else value
        if not _same(value, expected, size):
            raise _fail(f"Your {name} is not the derivative that its name says.", name, page, ("", "", ""), hint)
    _compare(found, gradients, GRADIENTS, page, hint)


def check_inference(inference: Function, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if y is normalized with the given running statistics, and with nothing of the batch."""
    _check_inference(inference, None, seed, hint)


def check_inference_backward(
    inference: Function, inference_backward: Function, *, seed: int = 0, hint: int = 1
) -> None:
    """Pass if the gradients are those of a transform whose statistics are constants."""
    _check_inference(inference, inference_backward, seed, hint)


def _check_inference(inference: Function, backward: Function | None, seed: int, hint: int) -> None:
    page = "inference/modes"
    probe = _probe(seed)
    rng = np.random.default_rng([seed, 99])
    mean, var = rng.uniform(-3, 3, 3), rng.uniform(4, 9, 3)
    result = _call(inference, "inference", page, hint, probe.x, probe.gamma, probe.beta, mean, var, eps=probe.eps)
    pair = isinstance(result, (tuple, list)) and len(result) == 2
    expected, own = reference.batch_norm_inference(probe.x, probe.gamma, probe.beta, mean, var, eps=probe.eps)
    if backward is None:
        if not _same(result[0] if pair else result, expected):
            raise _fail(
                "Your y is not normalized with the running statistics.",
                "inference",
                page,
                ("In inference one sample's result does not depend on the rest of its batch.", "", ""),
                hint,
            )
        return
    if not pair:
        raise _fail("Your inference must return a pair: y and the cache.", "inference", page, ("", "", ""), hint)
    found = _gradients(_call(backward, "dx", page, hint, probe.dy, result[1]), "dx", page, hint)
    _compare(found, reference.batch_norm_inference_backward(probe.dy, own), GRADIENTS, page, hint)


def check_running(update: Function, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if the running mean and the running (unbiased) variance move towards the batch's by the momentum."""
    page = "inference/population_statistics"
    x = _probe(seed).x
    rng = np.random.default_rng([seed, 98])
    mean, var, momentum = rng.uniform(-3, 3, 3), rng.uniform(4, 9, 3), 0.3
    result = _call(update, "running", page, hint, mean, var, x, momentum=momentum)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise _fail("Your update must return a pair: running_mean, running_var.", "running", page, ("", "", ""), hint)
    expected = {
        "running_mean": (1 - momentum) * mean + momentum * x.mean(axis=0),
        "running_var": (1 - momentum) * var + momentum * x.var(axis=0, ddof=1),
    }
    for (name, value), found in zip(expected.items(), result, strict=True):
        if not _same(found, value):
            raise _fail(f"Your {name} is not the moving average of the batches.", name, page, ("", "", ""), hint)


def check_conv(forward: Function, backward: Function | None = None, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if feature maps (N, C, H, W) share one mean, variance, gamma and beta per channel."""
    page = "convolution/convolution"
    shape = (3, 4, 2, 5)
    probe = _probe(seed, shape)
    y, _ = _forward(forward, probe, hint)
    expected, _ = reference.batch_norm_forward(probe.x, probe.gamma, probe.beta, eps=probe.eps)
    if not _same(y, expected):
        raise _fail(
            "Your y is not normalized per channel over samples and places.",
            "conv",
            page,
            ("Moving the samples' pixels about must move y's pixels in the same way.", "", ""),
            hint,
        )
    if backward is not None:
        _check_gradients(forward, backward, GRADIENTS, seed, hint, shape)


def check_laws(forward: Function, backward: Function, *, seed: int = 0, hint: int = 1) -> None:
    """Pass if the gradients obey the laws that need no reference; they give nothing away."""
    page = "gradients/invariances"
    probe = _probe(seed)
    _, cache = _forward(forward, probe, hint)
    found = _gradients(_call(backward, "dx", page, hint, probe.dy, cache), "dx", page, hint)
    dx = np.asarray(found["dx"], dtype=np.float64)
    if dx.shape != probe.x.shape:
        raise _fail("dx must have the shape of x.", "dx", page, ("", "", ""), hint)
    if np.abs(dx.sum(axis=0)).max() > 1e-7 * np.abs(dx).sum():
        raise _fail(
            "Your dx believes that shifting a whole batch changes the loss.",
            "dx",
            page,
            ("The gradients of one feature sum to zero over the batch.", "", ""),
            hint,
        )
