"""Programs for what a new module in `pytorch` holds: for each tensor its place, its shape and its first value."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse.diagnosis.tasks.question import Given, Inputs, Question, Slips

PARAMETERS = ("weight", "bias")
STATISTICS = ("running_mean", "running_var")
COUNT = "num_batches_tracked"
LEARNED, SAVED, NOT_SAVED, PLAIN, ABSENT = 4.0, 3.0, 2.0, 1.0, 0.0
"""Where a module holds a tensor: a parameter, a buffer, a buffer that is not saved, an attribute, nowhere."""


def observed_state(kind: Any, _: Given) -> Callable[..., Any]:
    """What a new module holds: for each name its place, its shape and its first value; then other names in the state.

    Parameters
    ----------
    kind : callable
        The module's class.
    """

    def observed(channels: int) -> Any:
        module = kind(channels)
        learned = {name for name, _ in module.named_parameters()}
        buffers = {name for name, _ in module.named_buffers()}
        saved, known = set(module.state_dict()), {*PARAMETERS, *STATISTICS, COUNT}
        found: dict[str, Any] = {"others": float(len((learned | saved) - known))}
        for name in sorted(known):
            value = getattr(module, name, None)
            place = ABSENT if value is None else PLAIN
            if name in buffers:
                place = SAVED if name in saved else NOT_SAVED
            found[name] = _tensor(LEARNED if name in learned else place, value)
        return found

    return observed


def _tensor(place: float, value: Any) -> Any:
    """A tensor's place, shape and value where that is one number, and whether it is of whole numbers."""
    if value is None:
        return place, (), 0.0, 0.0
    array = np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)
    flat = array.astype(float).ravel()
    first = float(flat[0]) if flat.size and np.ptp(flat) == 0 else -1.0
    return place, tuple(map(float, array.shape)), first, float(array.dtype.kind in "iu")


def state_inputs(rng: np.random.Generator, _: Given) -> Inputs:
    """How many channels the module has."""
    return Inputs((int(rng.integers(2, 9)),))


HELD = {"plain": PLAIN, "not-saved": NOT_SAVED, "learned": LEARNED}
NAMED = (STATISTICS, STATISTICS[:1], STATISTICS[1:], (*STATISTICS, COUNT))
SHAPED = tuple(
    (names, more) for more in ((), (1.0, 1.0)) for names in (STATISTICS, PARAMETERS, PARAMETERS + STATISTICS)
)
"""Which tensors have axes of their own, and how many behind the channels."""


def state(s: Slips, _: Given, channels: int) -> Any:
    """What a new module holds."""
    first = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0, COUNT: 0.0}
    place = dict.fromkeys(first, SAVED) | dict.fromkeys(PARAMETERS, LEARNED)
    shapes: dict[str, Any] = dict.fromkeys(first, (float(channels),)) | {COUNT: ()}
    others, whole = 0.0, 0.0 if "module-state-count-float" in s else 1.0
    for belief, where in HELD.items():
        for number, names in enumerate(NAMED):
            if s.in_way(f"module-state-statistics-{belief}", number):
                place |= dict.fromkeys(names, where)
    for number, (names, more) in enumerate(SHAPED):
        if s.in_way("module-state-with-axes", number):
            shapes |= dict.fromkeys(names, (1.0, float(channels), *more))
        if not more and s.in_way("module-state-one-number", number):
            shapes |= dict.fromkeys(names, ())
    if "module-state-parameters-plain" in s:
        place |= dict.fromkeys(PARAMETERS, PLAIN)
    if "module-state-parameters-measured" in s:
        place |= dict.fromkeys(PARAMETERS, SAVED)
    if "module-state-count-plain" in s:
        place[COUNT] = PLAIN
    if "module-state-count-missing" in s:
        place[COUNT] = ABSENT
    if "module-state-count-from-one" in s:
        first[COUNT] = 1.0
    if "module-state-variance-from-zero" in s:
        first["running_var"] = 0.0
    if "module-state-mean-from-one" in s:
        first["running_mean"] = 1.0
    if "module-state-weight-from-zero" in s:
        first["weight"] = 0.0
    if "module-state-bias-from-one" in s:
        first["bias"] = 1.0
    for number, names in enumerate((PARAMETERS, STATISTICS, (COUNT,))):
        if s.in_way("module-state-other-names", number):
            place, others = place | dict.fromkeys(names, ABSENT), float(len(names))
    for number in (0, 1):
        if s.in_way("module-state-settings-kept", number):
            others += number + 1.0
    found: dict[str, Any] = {"others": others}
    for name, value in first.items():
        kept = place[name], shapes[name], value, whole if name == COUNT else 0.0
        found[name] = (ABSENT, (), 0.0, 0.0) if place[name] == ABSENT else kept
    return found


QUESTIONS = {
    "module-state": Question(
        state_inputs,
        state,
        ("module-state",),
        reads=observed_state,
        ways={
            **{f"module-state-statistics-{belief}": len(NAMED) for belief in HELD},
            "module-state-with-axes": len(SHAPED),
            "module-state-one-number": 3,
            "module-state-other-names": 3,
            "module-state-settings-kept": 2,
        },
    ),
}
"""By the test's name in the assignment."""
