"""A complete reading in; which answers were attempted, and the cells that the student added, out."""

from typing import NamedTuple

from bncourse.grading.core.records import Master
from bncourse.grading.submissions.complete import complete
from bncourse.grading.submissions.pictures import Picture
from bncourse.grading.submissions.read import Reading, read_submission

MAX_ADDED = 200


class Added(NamedTuple):
    """A cell that the student added."""

    name: str
    """As in the record's outputs: `after:GRADE_ID:NUMBER`."""
    cell_type: str
    source: str
    pictures: tuple[Picture, ...] = ()


def attempted(master: Master, reading: Reading) -> frozenset[str]:
    """The grade_ids of the answers and written answers that are no longer what was released, or stand elsewhere."""
    names = {cell.grade_id for cell in master.cells if cell.kind in ("answer", "written")}
    return reading.elsewhere | (names & reading.answers.keys()) - reading.stubs


def holds_work(master: Master, raw: bytes) -> bool:
    """Whether a file has an answer in it that is no longer what was released."""
    reading = read_submission(master, raw)
    return not reading.reason and bool(attempted(master, complete(master, reading)))


def added_cells(reading: Reading) -> list[Added]:
    """The cells that the student added, in their order: code as it was run, and text where it stood."""
    added, numbers = list[Added](), dict[str, int]()
    texts = list(reading.texts)

    def add_texts(above: int) -> None:
        while texts and texts[0].before <= above:
            text = texts.pop(0)
            name = f"after:{text.after}:text{len(added)}"
            added.append(Added(name, "markdown", text.source, text.pictures))

    for number, extra in enumerate(reading.extras):
        add_texts(number)
        numbers[extra.after] = numbers.get(extra.after, 0) + 1
        added.append(Added(f"after:{extra.after}:{numbers[extra.after]}", "code", extra.source))
    add_texts(len(reading.extras))
    return added[:MAX_ADDED]
