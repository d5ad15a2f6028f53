"""Every row of the attack and fault list: the marks are those of the underlying code, and nothing leaks."""

from collections.abc import Iterator

import pytest

from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.engine.grader import Grader
from tests.grading.small import FULL, MASTER, RIGHT, WRONG, hand_in
from tests.grading.vectors import Pair, Vector
from tests.grading.vectors.rows import RUNS, VECTORS

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(jobs=2, cache=True) as made:
        yield made


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.row)
def test_marks_are_those_of_the_underlying_code(vector: Vector, grader: Grader) -> None:
    problems = check(grader, vector)
    assert not problems, "\n".join(problems)


def check(grader: Grader, vector: Vector) -> list[str]:
    """Grade a row's submissions; returns what does not stand."""
    pairs = vector.pairs()
    submissions = [
        (f"{n} {kind}", getattr(pair, kind)) for n, pair in enumerate(pairs) for kind in ("trick", "control")
    ]
    records = {record.student: record for record in grader.grade_many(MASTER, submissions)}
    return [
        text for n, pair in enumerate(pairs) for text in faults(pair, records[f"{n} trick"], records[f"{n} control"])
    ]


def faults(pair: Pair, trick: SubmissionRecord, control: SubmissionRecord) -> Iterator[str]:
    """What does not stand about a graded pair."""
    got, due = ({v.grade_id: v.points for v in record.verdicts} for record in (trick, control))
    if got != due:
        yield f"{pair.title}: marks {got}, but the control has {due}"
    if pair.points is not None and trick.score != pair.points:
        yield f"{pair.title}: {trick.score} points instead of {pair.points}"
    if pair.status is not None and trick.status != pair.status:
        yield f"{pair.title}: status {trick.status!r} instead of {pair.status!r}"
    if pair.repaired and not trick.repairs:
        yield f"{pair.title}: nothing was reported as put right"
    if pair.extra is not None and not pair.extra(trick):
        yield f"{pair.title}: what must hold of the record does not: {trick.status}, {trick.notes}"
    told = [v.message for v in trick.verdicts] + [o.text for o in trick.outputs] + [*trick.notes, *trick.repairs]
    if any("LEAK" in text for text in told):
        yield f"{pair.title}: something leaked: {[text for text in told if 'LEAK' in text]}"
    if not all(0 <= v.points <= v.max_points for v in trick.verdicts):
        yield f"{pair.title}: points outside of their bounds"


def test_the_controls_are_what_they_claim(grader: Grader) -> None:
    right, wrong, empty = (grader.grade(MASTER, "x", hand_in(answers)) for answers in (RIGHT, WRONG, {}))
    assert (right.score, right.status) == (FULL, "correct")
    assert (wrong.score, wrong.status) == (0.0, "wrong")
    assert (empty.score, empty.status) == (0.0, "not attempted")


def test_every_row_of_the_list_has_a_builder_or_a_test() -> None:
    assert len({(v.section, v.row) for v in [*VECTORS, *RUNS]}) == len(VECTORS) + len(RUNS)
    assert len(VECTORS) + len(RUNS) == 124
