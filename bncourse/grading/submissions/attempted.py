"""What graders need of a submission besides its marks: which answers were attempted, and the student's own cells."""

from typing import NamedTuple

from bncourse.grading.core.records import Master
from bncourse.grading.submissions.notebooks import read_notebook
from bncourse.grading.submissions.read import Reading, is_stub

MAX_ADDED = 200


class Added(NamedTuple):
    """A cell that the student added."""

    name: str
    """As in the record's outputs: `after:GRADE_ID:NUMBER`."""
    cell_type: str
    source: str


def attempted(master: Master, reading: Reading) -> frozenset[str]:
    """The grade_ids of the answers and written answers that are no longer what was released."""
    cells = (cell for cell in master.cells if cell.kind in ("answer", "written"))
    answers = reading.answers
    return frozenset(c.grade_id for c in cells if c.grade_id in answers and not is_stub(c, answers[c.grade_id]))


def added_cells(master: Master, reading: Reading, raw: bytes) -> list[Added]:
    """The cells that the student added: code as it was run, and text where it stood."""
    added, numbers = [], dict[str, int]()
    for extra in reading.extras:
        numbers[extra.after] = numbers.get(extra.after, 0) + 1
        added.append(Added(f"after:{extra.after}:{numbers[extra.after]}", "code", extra.source))
    known = {cell.grade_id for cell in master.cells}
    after = ""
    for number, cell in enumerate(read_notebook(raw).cells if reading.answers else ()):
        name = cell.facts.get("grade_id", cell.name)
        if name in known:
            after = str(name)
        elif cell.cell_type == "markdown" and not cell.facts and cell.source.strip():
            added.append(Added(f"after:{after}:text{number}", "markdown", cell.source))
    return added[:MAX_ADDED]
