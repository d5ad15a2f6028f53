"""Only dtypes of numbers and texts cross the border, by a name that NumPy itself gives them."""

import numpy as np
import pytest

from bncourse.grading.sandbox.inside.dtypes import NAMES, USUAL, dtype_of
from bncourse.grading.sandbox.inside.wire_types import WireError


@pytest.mark.parametrize("name", ["<f8", ">i4", "|b1", "<c16", "<U3", "|S12", "<f2"])
def test_a_dtype_of_numbers_or_texts_is_found_by_its_name(name: str) -> None:
    assert dtype_of(name.encode()) == np.dtype(name)


@pytest.mark.parametrize("name", ["|O8", "<M8[s]", "f8", "<V4", "<f8,<f8", "<U99999999999", "<f", "", "|O"])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(WireError, match="dtype"):
        dtype_of(name.encode())


def test_the_usual_names_are_those_of_their_dtypes() -> None:
    assert all(dtype_of(name) == dtype and NAMES[dtype] == name for name, dtype in USUAL.items())
