"""Is a backward pass the derivative of its forward pass? One random direction, one random cotangent.

This module knows nothing of batch norm. It may import NumPy; PyTorch tensors are recognized without importing it.

A backward pass is a vector-Jacobian product: for a cotangent u (the upstream gradient) it returns u^T J. Its
test needs one number: u^T J v along a random direction v, once from the backward pass and once from the
forward pass alone. A wrong J agrees with probability zero, because u and v are random; a cotangent of ones, or
a loss that is a sum of squares, would let wrong code pass (see the chapter on checking gradients).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


TOLERANCE = {False: {"central": 1e-6, "complex": 1e-12}, True: {"central": 5e-3, "complex": 1e-4}}
"""By whether anything is in float32, and by method."""


class GradientMismatch(AssertionError):
    """The backward pass is not the derivative of the forward pass; the text shows both numbers."""


def check_vjp(
    forward: Callable[..., Any],
    backward: Callable[[Any, Any], Sequence[Any]],
    inputs: Sequence[Any],
    *,
    names: Sequence[str] | None = None,
    method: str = "central",
    step: float | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> None:
    """Compare a backward pass with the derivative of its forward pass, input by input.

    Equation :eq:`eq-vjp`, chapter "How to check a gradient, and how not to".

    Parameters
    ----------
    forward : callable
        `forward(*inputs) -> (y, cache)`.
    backward : callable
        `backward(dy, cache) -> gradients`, one for each input, in the order of `inputs`.
    inputs : sequence of arrays or tensors
        float64 for a sharp check. In float32 the step is larger and less is asked; half precision is refused.
    names : sequence of str, optional
        Names of the inputs, for the message.
    method : {"central", "complex"}
        Central differences, or the complex step Im f(x + ih v) / h, which has no cancellation and so needs
        no choice of step size; `forward` must then accept complex arrays and be analytic in them (NumPy).
    step : float, optional
        Step along the direction; by default 1e-6 times the input's size for central differences, and
        1e-100 for the complex step; in float32, 5e-3 times the input's spread, and 1e-20.
    tolerance : float, optional
        Bound on the difference relative to the size of the terms summed; by default 1e-6 (central) or 1e-12
        (complex); in float32, 5e-3 and 1e-4.
    seed : int
        Seed of the direction and the cotangent.

    Raises
    ------
    GradientMismatch
        If the two numbers disagree for some input, or a gradient has a wrong shape or is not finite.
    TypeError
        If an input or the output is in half precision, in which differences are mostly rounding.
    ValueError
        If `method` is unknown, or the backward pass returns another number of gradients.

    Examples
    --------
    >>> def square(x):
    ...     return x * x, x
    >>> check_vjp(square, lambda dy, x: (2 * x * dy,), [np.array([1.0, 2.0])])
    >>> check_vjp(square, lambda dy, x: (2 * x * dy,), [np.array([1.0, 2.0])], method="complex")
    """
    if method not in ("central", "complex"):
        raise ValueError(f'method is {method!r}. Expected "central" or "complex".')
    rng = np.random.default_rng(seed)
    y, cache = forward(*inputs)
    single = _in_single_precision([*inputs, y])
    upstream = _like(rng.standard_normal(tuple(y.shape)), y)
    cotangent = _numpy(upstream).astype(np.float64)
    gradients = tuple(backward(upstream, cache))
    if len(gradients) != len(inputs):
        raise ValueError(f"backward returned {len(gradients)} gradients for {len(inputs)} inputs. Expected one each.")
    names = names or [f"input {position}" for position in range(len(inputs))]
    if tolerance is None:
        tolerance = TOLERANCE[single][method]
    for position, (name, gradient) in enumerate(zip(names, gradients, strict=True)):
        point = _numpy(inputs[position])
        found = _numpy(gradient)
        if found.shape != point.shape:
            raise GradientMismatch(
                f"the gradient for {name} has shape {found.shape}, but {name} has shape {point.shape}."
            )
        if not np.isfinite(found).all():
            raise GradientMismatch(f"the gradient for {name} is not finite.")
        direction = np.asarray(rng.standard_normal(point.shape))

        along = _Line(forward, inputs, position, point, direction)
        if method == "complex":
            h = (1e-20 if single else 1e-100) if step is None else step
            rate = along(1j * h).imag / h
        else:
            h = _step(point, single) if step is None else step
            rate = (along(h) - along(-h)) / (2 * h)
            if single:  # the points between which the step really went
                direction = (along.point_at(h).astype(np.float64) - along.point_at(-h)) / (2 * h)
        by_forward = float((cotangent * rate).sum())
        by_backward = float((found * direction).sum())
        size = float(np.abs(cotangent * rate).sum() + np.abs(found * direction).sum())
        if not abs(by_forward - by_backward) <= tolerance * size:
            how = "complex step" if method == "complex" else "central differences"
            raise GradientMismatch(
                f"the derivative with respect to {name}, along a random direction:\n"
                f"  {'from forward, by ' + how:<37} {by_forward: .12e}\n"
                f"  {'from backward':<37} {by_backward: .12e}\n"
                f"They differ by {abs(by_forward - by_backward):.1e}; allowed is {tolerance * size:.1e}."
            )


class _Line:
    """The forward pass along a line: t -> y(point + t * direction) in one of the inputs."""

    def __init__(
        self, forward: Callable[..., Any], inputs: Sequence[Any], position: int, point: Array, direction: Array
    ) -> None:
        self.forward, self.inputs, self.position = forward, inputs, position
        self.point, self.direction = point, direction

    def __call__(self, t: complex) -> Array:
        moved = list(self.inputs)
        moved[self.position] = _like(self.point + t * self.direction, self.inputs[self.position])
        y = _numpy(self.forward(*moved)[0])
        return y.astype(np.result_type(y, np.float64))

    def point_at(self, t: float) -> Array:
        """The input at t, rounded as `forward` gets it."""
        return _numpy(_like(self.point + t * self.direction, self.inputs[self.position]))


def _in_single_precision(values: Sequence[Any]) -> bool:
    """Whether any of the arrays is in float32; half precision is refused."""
    names = {str(value.dtype).removeprefix("torch.") for value in values if hasattr(value, "dtype")}
    for name in names & {"float16", "bfloat16"}:
        raise TypeError(
            f"a gradient cannot be checked in {name}: a difference of two results is mostly rounding there. Expected "
            "float64, or float32 for a coarser check. Convert the inputs first."
        )
    return bool(names & {"float32", "complex64"})


def _step(point: Array, single: bool) -> float:
    """Step at which rounding and curvature cost about the same."""
    if single:
        spread = float(np.abs(point - point.mean()).max()) if point.size else 0.0
        return 5e-3 * (spread or max(1.0, float(np.abs(point).max(initial=0.0))))
    return 1e-6 * max(1.0, float(np.abs(point).max()))


def _numpy(value: Any) -> Array:
    """NumPy view of an array or a tensor."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value)


def _like(array: Array, template: Any) -> Any:
    """`array` as the kind of object that `template` is: an array, or a tensor of its dtype and device."""
    if hasattr(template, "new_tensor"):
        return template.detach().new_tensor(array)
    if getattr(template, "dtype", None) == np.float32:
        return array.astype(np.complex64 if np.iscomplexobj(array) else np.float32)
    return array
