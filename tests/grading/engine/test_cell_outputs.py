"""What a submission's cells show has a limit in all, not only one for each cell."""

from bncourse.grading.core.plain_text import picture
from bncourse.grading.engine.cell_outputs import LEFT_OUT, MAX_NOTES, MAX_PIXELS, MAX_SHOWN, CellOutputs
from bncourse.grading.engine.steps import AGAIN


def test_outputs_and_notes_have_a_limit_in_all() -> None:
    outputs, names = CellOutputs(), [f"after:test-number:{number}" for number in range(1, 1_001)]
    for name in names:
        message = {"ran": name, "text": "x" * 1_000, "problems": [(1, "NameError", "y" * 100)] * 9, "ignored": []}
        outputs.take(message, [bytes(50_000)])
    shown = outputs.outputs(names)
    assert len(shown) == 1_000 and shown[0].pictures and shown[-1].text == LEFT_OUT
    assert sum(len(each.text) + sum(map(len, each.pictures)) for each in shown) < MAX_SHOWN + 1_000 * len(LEFT_OUT)
    assert len(outputs.notes(names)) == MAX_NOTES + 1


def test_pictures_of_few_bytes_and_many_pixels_have_a_limit_in_all() -> None:
    def png(side: int) -> bytes:
        return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + side.to_bytes(4, "big") * 2

    assert picture(png(1_500)) and not picture(png(3_999)) and not picture(png(0))
    outputs, names = CellOutputs(), [f"after:forward:{number}" for number in range(1, 21)]
    for name in names:
        outputs.take({"ran": name, "text": "", "problems": [], "ignored": []}, [png(1_500)] * 2)
    drawn = [output for output in outputs.outputs(names) if output.pictures]
    assert len(drawn) == MAX_PIXELS // (2 * 1_500**2)


def test_a_cell_is_shown_as_it_first_ran_and_code_that_runs_again_shows_nothing() -> None:
    outputs = CellOutputs(stubs={"stub"})
    for name, text in [("cell", "first"), ("cell", "second"), (f"{AGAIN}cell", "again"), ("stub", "text")]:
        outputs.take({"ran": name, "text": text, "problems": [(2, "KeyError", text)], "ignored": ["%time"]}, [])
    names = ["stub", "cell", f"{AGAIN}cell"]
    assert [(output.cell, output.text) for output in outputs.outputs(names)] == [("stub", "text"), ("cell", "first")]
    assert outputs.notes_of("cell") == ["line 2: KeyError: first", "%time was ignored"]
    assert outputs.notes(names) == (
        "cell stub, %time was ignored",
        "cell cell, line 2: KeyError: first",
        "cell cell, %time was ignored",
    )
