"""What a submission's cells show has a limit in all, not only one for each cell."""

from bncourse.grading.engine.attempt import LEFT_OUT, MAX_NOTES, MAX_SHOWN, Attempt
from bncourse.grading.submissions.submission import submission_of
from tests.grading.small import MASTER, code_cell, hand_in


def test_outputs_and_notes_have_a_limit_in_all() -> None:
    def many(made: dict[str, list[object]]) -> None:
        made["cells"] += [code_cell("print(1)", f"own-{number}") for number in range(1_000)]

    attempt = Attempt(MASTER, submission_of(MASTER, "x", hand_in(change=many)).reading)
    names = [f"after:test-number:{number}" for number in range(1, 1_001)]
    for name in names:
        attempt.take_output(
            {"ran": name, "text": "x" * 1_000, "problems": [(1, "NameError", "y" * 100)] * 9, "ignored": []},
            [bytes(50_000)],
        )
    shown = attempt.all_outputs()
    assert len(shown) == 1_000 and shown[0].pictures and shown[-1].text == LEFT_OUT
    assert sum(len(each.text) + sum(map(len, each.pictures)) for each in shown) < MAX_SHOWN + 1_000 * len(LEFT_OUT)
    assert len(attempt.all_notes()) == MAX_NOTES + 1
