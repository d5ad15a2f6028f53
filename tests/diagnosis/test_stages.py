"""A message about a stage says which key it is about, and which shape came and was expected."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis.checks import Misconception, check_staged
from bncourse.numpy_bn import batch_norm_backward_staged, batch_norm_forward

Stages = dict[str, Any]
PER_CHANNEL = ("dvar", "dmean_direct", "dmean_through_var", "dmean")
PER_ENTRY = ("dx_hat", "dx_direct", "dx_through_var", "dx_through_mean")


def said(change: Callable[[Stages], Stages]) -> str:
    """What a check says of stages that were changed."""

    def staged(dy: Any, cache: Any) -> Any:
        gradients, stages = batch_norm_backward_staged(dy, cache)
        return gradients, change(dict(stages._asdict()))

    with pytest.raises(Misconception) as caught:
        check_staged(batch_norm_forward, staged)
    return str(caught.value)


@pytest.mark.parametrize("key", [*PER_CHANNEL, *PER_ENTRY])
def test_a_missing_stage_is_named(key: str) -> None:
    assert f"The stage {key} is missing." in said(lambda stages: {n: v for n, v in stages.items() if n != key})
    misspelled = said(lambda stages: {f"{n}_" if n == key else n: v for n, v in stages.items()})
    assert f"The stage {key} is missing." in misspelled


@pytest.mark.parametrize(
    ("key", "change", "shapes"),
    [
        *((key, lambda value: value[:-1], "(3,); expected is (4,)") for key in PER_CHANNEL),
        *((key, lambda value: np.ones((6, 1)) * value, "(6, 4); expected is (4,)") for key in PER_CHANNEL),
        *((key, np.sum, "(); expected is (4,)") for key in PER_CHANNEL),
        *((key, np.transpose, "(4, 9); expected is (9, 4)") for key in PER_ENTRY),
        *((key, np.sum, "(); expected is (9, 4)") for key in PER_ENTRY),
        *((key, lambda value: value[:-1], "(8, 4); expected is (9, 4)") for key in PER_ENTRY),
    ],
)
def test_a_stage_of_another_shape_is_named_with_both_shapes(
    key: str, change: Callable[[Any], Any], shapes: str
) -> None:
    message = said(lambda stages: stages | {key: change(stages[key])})
    assert f"It shows in {key}." in message
    assert any(line.startswith(f"{key} came back with shape ") and shapes in line for line in message.split("\n"))


@pytest.mark.parametrize("value", [None, "x", {}])
@pytest.mark.parametrize("key", ["dvar", "dx_hat"])
def test_a_stage_without_numbers_is_named(key: str, value: Any) -> None:
    assert f"It shows in {key}." in said(lambda stages: stages | {key: value})
