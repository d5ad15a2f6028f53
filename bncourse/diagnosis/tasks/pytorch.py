"""Programs for the module in `pytorch`, each right without slips: which mode it is in, what it counts.

What a new module holds is looked at by `module_state`, the numbers of its function by `transform`, and the folded
convolution by `folding`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse.diagnosis.tasks import folding, module_state
from bncourse.diagnosis.tasks.module_state import COUNT, STATISTICS
from bncourse.diagnosis.tasks.question import Given, Inputs, Question, Slips, Such

Array = np.ndarray[Any, Any]

# ---------------------------------------------------------------------------------------------------------------- mode

OF_BATCH, BEFORE, AFTER, OTHER = 0.0, 1.0, 2.0, 3.0
"""Whose mean is subtracted: the batch's, the running one before the batch or after it, none of these."""
RUNNING = Such(lambda found: bool(found in (BEFORE, AFTER)))
"""Either of the running means: what moves them may stand before the formula or behind it."""
MODES = ((True, True), (True, False), (False, True), (False, False))
"""Training or inference; with gradients or without."""


def observed_modes(
    after: Callable[..., Any], given: Given, modes: tuple[tuple[bool, bool], ...] = MODES
) -> Callable[..., Any]:
    """Whose mean a module subtracts in each mode, and whether its running mean moves.

    Parameters
    ----------
    after : callable
        `after(channels, [x], start=, training=, gradients=) -> (module, y, _)`.
    modes : tuple of pairs
        Those that are looked at.
    """
    tensor = given["tensor"]

    def observed(x: Array, mean: Array, var: Array) -> Any:
        found = []
        for training, gradients in modes:
            start = {"running_mean": tensor(mean), "running_var": tensor(var)}
            batches = [tensor(x)]
            module, y, _ = after(x.shape[1], batches, start=start, training=training, gradients=gradients)
            moved = np.asarray(module.running_mean.detach().numpy(), dtype=float).reshape(mean.shape)
            found.append((_subtracted(x, y.numpy(), mean, moved), float(np.abs(moved - mean).max() > 1e-6)))
        return found

    return observed


def _subtracted(x: Array, y: Array, before: Array, after: Array) -> float:
    """Whose mean a normalized batch has lost: y is zero at it."""
    zero = x.mean(axis=0) - y.mean(axis=0) / _slope(x, y)
    for name, mean in ((OF_BATCH, x.mean(axis=0)), (BEFORE, before), (AFTER, after)):
        if np.abs(zero - mean).max() < 1e-5:
            return name
    return OTHER


def _slope(x: Array, y: Array) -> Array:
    """How fast y grows with x, channel by channel."""
    rows = x - x.mean(axis=0)
    return np.asarray((rows * y).sum(axis=0) / (rows * rows).sum(axis=0))


def mode_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """A batch, and running statistics that are not its own."""
    x = rng.normal([3, -2, 1], [1, 2, 0.5], (7, 3))
    return Inputs((x, rng.normal([8, 5, -6], 1), rng.uniform(1, 3, 3)))


def mode(s: Slips, _: Given, *__: Array) -> Any:
    """Whose mean is subtracted, and whether the running mean moves, in each of `MODES`."""
    found: list[Any] = []
    for training, gradients in MODES:
        batch = moves = training
        if "module-mode-asks-gradients" in s:
            batch = moves = gradients
        if "module-mode-asks-gradients/2" in s:
            batch = gradients
        if "module-mode-asks-gradients/3" in s:
            batch = moves = training and gradients
        if "module-mode-asks-gradients/4" in s:
            batch = moves = training or gradients
        if "module-mode-frozen-without-gradients" in s:
            moves = training and gradients
        found.append((OF_BATCH if batch else RUNNING if moves else BEFORE, float(moves)))
    return found


def observed_inference(after: Callable[..., Any], given: Given) -> Callable[..., Any]:
    """What `observed_modes` sees in inference alone."""
    return observed_modes(after, given, ((False, False),))


def inference(s: Slips, _: Given, *__: Array) -> Any:
    """Whose mean is subtracted in inference, and whether the running mean moves."""
    if "module-inference-with-the-batch" in s:
        return [(OF_BATCH, 0.0)]
    if "module-inference-is-training" in s:
        return [(OF_BATCH, 1.0)]
    if "module-inference-moves" in s:
        return [(RUNNING, 1.0)]
    return [(BEFORE, 0.0)]


# ------------------------------------------------------------------------------------------------------------ training

WEIGHT, BIAS, NEITHER = 0.0, 1.0, 2.0
"""What y is scaled with, and what it is shifted by; neither is a factor of one and a shift of zero."""


def observed_training(after: Callable[..., Any], given: Given) -> Callable[..., Any]:
    """Whose mean is subtracted in training, what y is shifted by, and what it is scaled with."""
    tensor = given["tensor"]

    def observed(x: Array, weight: Array, bias: Array, mean: Array, var: Array) -> Any:
        values = {"weight": weight, "bias": bias, "running_mean": mean, "running_var": var}
        start = {name: tensor(value) for name, value in values.items()}
        module, y, _ = after(x.shape[1], [tensor(x)], start=start)
        y, slope = y.numpy(), _slope(x, y.numpy())
        moved = {name: np.asarray(getattr(module, name).detach().numpy(), dtype=float) for name in STATISTICS}
        places = (OF_BATCH, x.mean(axis=0), x.var(axis=0)), (BEFORE, mean, var), (AFTER, *moved.values())
        for whose, center, spread in places:
            for shift, added in ((BIAS, bias), (WEIGHT, weight), (NEITHER, np.zeros_like(bias))):
                if np.abs(y.mean(axis=0) - slope * (x.mean(axis=0) - center) - added).max() < 1e-6:
                    factors = ((WEIGHT, weight), (BIAS, bias), (NEITHER, np.ones_like(bias)))
                    scaled = slope * np.sqrt(np.asarray(spread))
                    return whose, shift, next((f for f, v in factors if np.abs(scaled / v - 1).max() < 1e-2), OTHER)
        return OTHER, OTHER, OTHER

    return observed


def training_inputs(rng: np.random.Generator, given: Given) -> Inputs:
    """As for the modes, and the parameters."""
    x, mean, var = mode_inputs(rng, given).arguments
    return Inputs((x, rng.uniform(1.5, 3, 3), rng.uniform(0.3, 0.8, 3), mean, var))


def training(s: Slips, _: Given, *__: Array) -> Any:
    """Whose mean is subtracted in training, what y is shifted by, and what it is scaled with."""
    whose, shift, scale = OF_BATCH, BIAS, WEIGHT
    if "module-training-with-running-statistics" in s:
        whose = BEFORE
    if "module-training-with-running-statistics/2" in s:
        whose = AFTER
    if "module-training-parameters-exchanged" in s:
        shift, scale = WEIGHT, BIAS
    for number, names in enumerate((("scale", "shift"), ("scale",), ("shift",))):
        if s.in_way("module-training-parameters-left-out", number):
            scale = NEITHER if "scale" in names else scale
            shift = NEITHER if "shift" in names else shift
    return whose, shift, scale


# --------------------------------------------------------------------------------------------------------------- count


def observed_count(after: Callable[..., Any], given: Given) -> Callable[..., Any]:
    """What a module has counted after training batches, and after as many in inference."""
    tensor = given["tensor"]

    def observed(x: Array, batches: int) -> Any:
        repeated = [tensor(x)] * batches
        modules = [after(x.shape[1], repeated, training=mode, gradients=mode)[0] for mode in (True, False)]
        return [float(getattr(module, COUNT, -1)) for module in modules]

    return observed


def count_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """Some rows, several times."""
    return Inputs((rng.normal(size=(int(rng.integers(5, 9)), 3)), int(rng.integers(3, 5))))


def count(s: Slips, _: Given, x: Array, batches: int) -> Any:
    """The training batches that a module has seen."""
    in_training, in_inference = batches, 0
    if "module-count-samples" in s:
        in_training = batches * len(x)
    if "module-count-samples/2" in s:
        in_training = batches * x.size
    if "module-count-not-counted" in s:
        in_training = 0
    if "module-count-set-to-one" in s:
        in_training = 1
    if "module-count-twice" in s:
        in_training = 2 * batches
    if "module-count-in-inference" in s:
        in_inference = batches
    if "module-count-inference-alone" in s:
        in_training, in_inference = 0, batches
    if "module-count-absent" in s:
        in_training = in_inference = -1
    return [float(in_training), float(in_inference)]


# --------------------------------------------------------------------------------------------------------------- graph


def observed_graph(after: Callable[..., Any], given: Given) -> Callable[..., Any]:
    """Whether a graph hangs at the running mean and at the running variance after two training batches."""
    tensor = given["tensor"]

    def observed(x: Array) -> Any:
        module = after(x.shape[1], [tensor(x)] * 2)[0]
        return [float(not getattr(module, name).is_leaf) for name in STATISTICS]

    return observed


def graph_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """Some rows."""
    return Inputs((rng.normal(size=(5, 2)),))


def graph(s: Slips, _: Given, x: Array) -> Any:
    """Whether a graph hangs at either statistic."""
    ways = ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
    return next((way for number, way in enumerate(ways) if s.in_way("module-graph-attached", number)), (0.0, 0.0))


QUESTIONS = {
    **module_state.QUESTIONS,
    "module-training": Question(
        training_inputs,
        training,
        ("module-training",),
        pairs=False,
        given=("tensor",),
        reads=observed_training,
        ways={"module-training-with-running-statistics": 2, "module-training-parameters-left-out": 3},
    ),
    "module-inference": Question(
        mode_inputs, inference, ("module-inference",), pairs=False, given=("tensor",), reads=observed_inference
    ),
    "module-mode": Question(
        mode_inputs,
        mode,
        ("module-mode",),
        pairs=False,
        given=("tensor",),
        reads=observed_modes,
        ways={"module-mode-asks-gradients": 4},
    ),
    "module-count": Question(
        count_inputs,
        count,
        ("module-count",),
        pairs=False,
        given=("tensor",),
        reads=observed_count,
        ways={"module-count-samples": 2},
    ),
    "module-graph": Question(
        graph_inputs,
        graph,
        ("module-graph",),
        pairs=False,
        given=("tensor",),
        reads=observed_graph,
        ways={"module-graph-attached": 3},
    ),
    **folding.QUESTIONS,
}
"""By the test's name in the assignment."""
