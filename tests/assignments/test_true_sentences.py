"""What a test says of a wrong answer is true of it: sentences that were false once, and answers they were said of."""

from typing import Any

import pytest

from tests.assignments.test_wrong_answers import lost

DIGITS, FLOAT32, OWN_GAMMA = "digits are lost", "float32", "carry its own gamma"

FALSE: dict[str, tuple[str, str, list[str], str]] = {
    "divides by N - 1": ("forward", "forward", ["x.var(axis=0)", "x.var(axis=0, ddof=1)"], FLOAT32),
    "no axis": ("forward", "forward", ["x.mean(axis=0)", "x.mean()", "x.var(axis=0)", "x.var()"], FLOAT32),
    "the other axis": (
        *("forward", "forward"),
        ["x.mean(axis=0)", "x.mean(axis=1, keepdims=True)", "x.var(axis=0)", "x.var(axis=1, keepdims=True)"],
        FLOAT32,
    ),
    "the standard deviation for the variance": ("forward", "forward", ["x.var(axis=0)", "x.std(axis=0)"], FLOAT32),
    "plain average of the variances": (
        *("beyond", "merge"),
        [
            "(count_a * var_a + count_b * var_b) / count + delta**2 * count_a * count_b / count**2",
            "(var_a + var_b) / 2",
        ],
        DIGITS,
    ),
    "the distance forgotten": ("beyond", "merge", [" + delta**2 * count_a * count_b / count**2", ""], DIGITS),
    "the distance with another factor": ("beyond", "merge", ["+ delta**2 *", "+ 3 * delta**2 *"], DIGITS),
    "the variance path lost": ("beyond", "layer", [" - through_var", ""], OWN_GAMMA),
    "the variance path halved": ("beyond", "layer", [" - through_var", " - through_var / 2"], OWN_GAMMA),
}


@pytest.mark.parametrize("says", FALSE)
def test_no_message_says_what_is_not_so(says: str) -> None:
    task, cell, edits, sentence = FALSE[says]
    answer: dict[str, Any] = {"says": says, "cell": cell, "edits": edits}
    verdicts = lost(task, answer)
    assert verdicts and [one for one in verdicts if sentence in one.message] == []


def test_lost_digits_are_said_where_digits_are_lost() -> None:
    squares = "(count_a * (var_a + mean_a**2) + count_b * (var_b + mean_b**2)) / count - mean**2"
    exact = "(count_a * var_a + count_b * var_b) / count + delta**2 * count_a * count_b / count**2"
    verdicts = lost("beyond", {"says": "squares", "cell": "merge", "edits": [exact, squares]})
    assert [one.grade_id for one in verdicts] == ["test-merge-far"]


@pytest.mark.parametrize("number", ["np.int64(3)", "np.prod((3, 1))", "3"])
@pytest.mark.parametrize(("task", "cell"), [("forward", "prediction-5"), ("backward", "prediction-6")])
def test_a_whole_number_of_numpys_is_a_whole_number(task: str, cell: str, number: str) -> None:
    name = cell.replace("-", "_")
    assert lost(task, {"says": number, "cell": cell, "edits": [f"{name} =", f"{name} = {number} #"]}) == []


@pytest.mark.parametrize("zero", ["0", "0.0", "np.float64(0)", "np.zeros(x.shape[1])", "0 * mean"])
def test_that_the_second_share_of_dmean_is_zero_is_right(zero: str) -> None:
    right = "dvar * (-2 / count) * (x - mean).sum(axis=0)"
    assert lost("backward", {"says": zero, "cell": "staged", "edits": [right, zero]}) == []
