"""A recorded outcome of stock nbgrader, measured again."""

import pytest

from tests.grading.small import FULL, RIGHT, WRONG, hand_in
from tests.grading.stock import by_stock
from tests.grading.vectors.rows import VECTORS

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_stock_nbgrader_still_does_what_was_recorded() -> None:
    """Its marks for a right and a wrong notebook are just; one tag gives full marks to wrong code."""
    row = next(vector for vector in VECTORS if vector.row == "skip-execution tag on a test cell")
    assert row.stock == "F"
    pair = row.pairs()[0]
    assert by_stock([hand_in(RIGHT), hand_in(WRONG), pair.trick]) == [FULL, 0.0, FULL]
