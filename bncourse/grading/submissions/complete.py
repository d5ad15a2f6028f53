"""A reading in; the same with what the engine needs to know of its texts, so that nothing after it parses them."""

from collections.abc import Iterator

from bncourse.grading.core.records import Master
from bncourse.grading.submissions.magics import plain_python
from bncourse.grading.submissions.read import Reading
from bncourse.grading.submissions.review_flags import library_looks
from bncourse.grading.submissions.same_code import is_stub


def complete(master: Master, reading: Reading) -> Reading:
    """Add what can be told of a reading's texts without running them.

    Parameters
    ----------
    master : Master
    reading : Reading
        Answers, added cells and looks.

    Returns
    -------
    Reading
        With `stubs`, with `plain`, and with the library's shortcuts among its looks.
    """
    if reading.reason:
        return reading
    answers = reading.answers
    cells = [cell for cell in master.cells if cell.kind in ("answer", "written")]
    stubs = frozenset(cell.grade_id for cell in cells if is_stub(cell, answers.get(cell.grade_id, "")))
    plain = {source: made for source in _sources(master, reading) if (made := plain_python(source)) != source}
    looks = tuple(dict.fromkeys([*reading.looks, *library_looks(master, reading)]))
    return reading._replace(stubs=stubs, plain=plain, looks=looks)


def _sources(master: Master, reading: Reading) -> Iterator[str]:
    """The code that runs as it was handed in."""
    yield from (reading.answers.get(cell.grade_id, "") for cell in master.cells if cell.kind == "answer")
    yield from (extra.source for extra in reading.extras)
