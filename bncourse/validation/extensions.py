"""Arguments of the other normalizations, renormalization, folding and recurrent layers in, a clear error out.

Imports neither NumPy nor PyTorch.
"""

import math

from bncourse.conventions import CHANNEL_AXIS, Shape


def check_kind(kind: str, groups: int | None, shape: Shape) -> None:
    """Refuse a kind of normalization that is unknown, or that has no two values to normalize together.

    Raises
    ------
    ValueError
        Naming `kind` or `groups`, or the shape of x.
    """
    if kind not in ("batch", "layer", "instance", "group"):
        raise ValueError(f'kind is {kind!r}. Expected "batch", "layer", "instance" or "group".')
    channels = shape[CHANNEL_AXIS]
    if kind == "group" and (groups is None or groups < 1 or channels % groups):
        raise ValueError(
            f"groups is {groups}, but x has {channels} channels (axis 1 of shape {tuple(shape)}). "
            f"Expected a divisor of {channels}; 1 is layer normalization, {channels} is instance normalization."
        )
    if kind != "group" and groups is not None:
        raise ValueError(f'groups is {groups}, but kind is {kind!r}. Expected None; use kind="group" for groups.')
    spatial = math.prod(shape[2:])
    shared = {
        "batch": shape[0] * spatial,
        "layer": channels * spatial,
        "instance": spatial,
        "group": channels // (groups or 1) * spatial,
    }[kind]
    if shared == 1:
        raise ValueError(
            f"x has shape {tuple(shape)} and kind is {kind!r}: one value per mean, whose normalized value is 0 "
            "whatever x is. Expected at least two values to share a mean; use another kind"
            + (" or fewer groups." if kind == "group" else ".")
        )


def check_window(size: int) -> None:
    """Refuse a window of no channels.

    Raises
    ------
    ValueError
        If `size` is less than 1.
    """
    if size < 1:
        raise ValueError(f"size is {size}, but it counts the neighboring channels. Expected 1 or more; AlexNet has 5.")


def check_outputs(name: str, shape: Shape, outputs: int, weight_shape: Shape) -> None:
    """Refuse a vector that does not hold one value per output of a layer.

    Raises
    ------
    ValueError
        Naming the argument, its shape, and the number of outputs that the weight has.
    """
    if tuple(shape) != (outputs,):
        raise ValueError(
            f"{name} has shape {tuple(shape)}, but weight of shape {tuple(weight_shape)} has {outputs} outputs. "
            f"Expected ({outputs},). Outputs come first, (out, in, ...), and second in a transposed convolution: "
            "is transposed right?"
        )


def check_fold_groups(groups: int, weight_shape: Shape) -> None:
    """Refuse a number of groups that does not divide the inputs of a transposed convolution.

    Raises
    ------
    ValueError
        If `groups` is less than 1 or does not divide the first axis.
    """
    if groups < 1 or weight_shape[0] % groups:
        raise ValueError(
            f"groups is {groups}, but weight of shape {tuple(weight_shape)} has {weight_shape[0]} inputs. "
            f"Expected a divisor of {weight_shape[0]}: the layer's own groups."
        )


def check_ghost_size(ghost_size: int, shape: Shape) -> None:
    """Refuse ghost batches of no samples, and a last one with one value per channel.

    Raises
    ------
    ValueError
        Naming `ghost_size` and the number of samples.
    """
    if ghost_size < 1:
        raise ValueError(f"ghost_size is {ghost_size}. Expected the number of samples in a ghost batch, 1 or more.")
    smallest = shape[0] % ghost_size or ghost_size
    if min(smallest, shape[0]) * math.prod(shape[2:]) == 1:
        raise ValueError(
            f"x has {shape[0]} samples of shape {tuple(shape[1:])}, so ghost_size {ghost_size} leaves a ghost batch "
            "of one value per channel, whose variance is 0. Expected at least two; use another ghost_size, or "
            "drop_last=True in your loader."
        )


def check_renorm_limits(r_max: float, d_max: float) -> None:
    """Refuse limits of batch renormalization that exclude the correction "none" (r = 1, d = 0).

    Raises
    ------
    ValueError
        If `r_max` is less than 1 or `d_max` is negative, or either is NaN.
    """
    if not r_max >= 1.0:
        raise ValueError(
            f"r_max is {r_max}, but r is limited to [1 / r_max, r_max]. Expected 1 or more; 1 with d_max = 0 is "
            "batch norm, and the paper ends at 3."
        )
    if not d_max >= 0.0:
        raise ValueError(
            f"d_max is {d_max}, but d is limited to [-d_max, d_max]. Expected 0 or more; 0 with r_max = 1 is "
            "batch norm, and the paper ends at 5."
        )


def check_joined_input(shape: Shape, count: int | None) -> None:
    """Refuse a part of a joined batch without channels, and a joined batch of one value per channel.

    Raises
    ------
    ValueError
        If `shape` has fewer than two axes or no channels, or `count` (None where not yet known) is less than 2.
    """
    if len(shape) < 2 or shape[CHANNEL_AXIS] == 0:
        raise ValueError(
            f"x has shape {tuple(shape)}, but channels are expected on axis 1. Expected (N, C) or (N, C, ...), "
            "with N = 0 allowed."
        )
    if count is not None and count < 2:
        raise ValueError(
            f"x has shape {tuple(shape)}, and all processes together hold {count} values per channel. Expected at "
            "least two in training. Use larger batches."
        )


def check_cell(x_shape: Shape, h_shape: Shape, c_shape: Shape, shapes: dict[str, Shape]) -> None:
    """Refuse inputs, states and parameters of an LSTM cell that do not fit together.

    Raises
    ------
    ValueError
        Naming the first argument that does not fit, its shape and the expected one.
    """
    if len(x_shape) != 2 or len(h_shape) != 2:
        raise ValueError(
            f"x has shape {tuple(x_shape)} and h has shape {tuple(h_shape)}. Expected (N, inputs) and (N, hidden): "
            "one time step. Loop over the steps of a sequence."
        )
    samples, inputs = x_shape
    hidden = h_shape[1]
    gates = 4 * hidden
    expected = {
        "h": (samples, hidden),
        "c": (samples, hidden),
        "weight_x": (gates, inputs),
        "weight_h": (gates, hidden),
        "bias": (gates,),
        "gamma_x": (gates,),
        "gamma_h": (gates,),
        "gamma_c": (hidden,),
        "beta_c": (hidden,),
    }
    for name, shape in {"h": h_shape, "c": c_shape, **shapes}.items():
        if tuple(shape) != expected[name]:
            raise ValueError(
                f"{name} has shape {tuple(shape)}, but x has shape {tuple(x_shape)} and h has {hidden} features. "
                f"Expected {expected[name]}; the four gates i, f, g, o lie one after another on the first axis."
            )


def check_max_steps(max_steps: int, step: int = 0) -> None:
    """Refuse a store of statistics for no time step, and a time before the first.

    Raises
    ------
    ValueError
        If `max_steps` is less than 1 or `step` is negative.
    """
    if max_steps < 1:
        raise ValueError(f"max_steps is {max_steps}. Expected 1 or more: the length of the longest training sequence.")
    if step < 0:
        raise ValueError(f"step is {step}. Expected 0 for the first time step, and so on.")


def check_scale(scale_shape: Shape, weight_shape: Shape, positive: bool) -> None:
    """Refuse scales that are not one positive number for each output.

    Raises
    ------
    ValueError
        Naming `scale`.
    """
    if tuple(scale_shape) not in ((), (weight_shape[0],)):
        raise ValueError(
            f"scale has shape {tuple(scale_shape)}, but weight of shape {tuple(weight_shape)} has {weight_shape[0]} "
            f"outputs. Expected a number, or ({weight_shape[0]},)."
        )
    if not positive:
        raise ValueError(
            "scale holds values that are not positive. Expected positive ones: batch norm sees the sign of the "
            "weights, and of zero weights nothing is left to normalize."
        )


def check_positive(what: str, positive: bool) -> None:
    """Refuse to divide by a length that is zero.

    Raises
    ------
    ValueError
        Saying what should have been positive.
    """
    if not positive:
        raise ValueError(f"{what} is 0 or NaN. Expected positive lengths: a zero vector has no direction.")


def check_decay(lr: float, weight_decay: float, gradient_norm: float) -> None:
    """Refuse settings in which weights have no balanced length.

    Raises
    ------
    ValueError
        If a number is not positive, or lr * weight_decay is 2 or more.
    """
    for name, value in (("lr", lr), ("weight_decay", weight_decay), ("gradient_norm", gradient_norm)):
        if not (0.0 < value < math.inf):
            raise ValueError(f"{name} is {value}. Expected a positive number; without it nothing balances.")
    if lr * weight_decay >= 2.0:
        raise ValueError(
            f"lr * weight_decay is {lr * weight_decay}. Expected less than 2, or decay alone makes weights grow."
        )
