"""What a submission's cells show has a limit in all, not only one for each cell."""

from bncourse.grading.core.plain_text import picture
from bncourse.grading.engine.attempt import LEFT_OUT, MAX_NOTES, MAX_PIXELS, MAX_SHOWN, Attempt
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


def test_pictures_of_few_bytes_and_many_pixels_have_a_limit_in_all() -> None:
    def png(side: int) -> bytes:
        return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + side.to_bytes(4, "big") * 2

    assert picture(png(1_500)) and not picture(png(3_999)) and not picture(png(0))
    attempt = Attempt(MASTER, submission_of(MASTER, "x", hand_in(added=[("forward", "1")] * 20)).reading)
    for number in range(1, 21):
        message = {"ran": f"after:forward:{number}", "text": "", "problems": [], "ignored": []}
        attempt.take_output(message, [png(1_500)] * 2)
    drawn = [output for output in attempt.all_outputs() if output.pictures]
    assert len(drawn) == MAX_PIXELS // (2 * 1_500**2)


def test_a_test_that_takes_too_long_where_nothing_ends_it_counts_as_time_of_the_submissions() -> None:
    attempt = Attempt(MASTER, submission_of(MASTER, "x", hand_in()).reading)
    attempt.end("preview")
    attempt.accept({"overdue": True, "spent": MASTER.seconds_in_all / 2})
    assert [verdict.outcome for verdict in attempt._verdicts.values()] == ["needs review"]
    attempt.accept({"overdue": True, "spent": MASTER.seconds_in_all / 2})
    outcomes = [verdict.outcome for verdict in attempt.all_verdicts()]
    assert outcomes[:2] == ["needs review"] * 2 and set(outcomes[2:]) == {"timeout"}
