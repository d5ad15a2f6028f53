import io

from rich.console import Console

from bncourse.grading.core.records import Outcome, SubmissionRecord
from bncourse.grading.reports.class_lines import Line
from bncourse.grading.reports.summary import tables


def shown(lines: list[Line], most: int | None) -> str:
    console = Console(width=200, file=io.StringIO(), record=True)
    for table in tables(lines, "small", most=most):
        console.print(table)
    return console.export_text()


def line(student: str, status: Outcome) -> Line:
    return Line(student, student, "", "small", 1.0, 2.0, False, SubmissionRecord(student, "small", status, ()))


def test_what_needs_a_person_first_stands_first_and_all_of_it_on_request() -> None:
    lines = [line(f"r{n}", "repaired") for n in range(9)] + [line("zoe", "needs review"), line("amy", "crashed")]
    _, _, few = shown(lines, 3).partition("11 need a look")
    assert "the first 3" in few
    assert few.index("zoe") < few.index("amy") < few.index("r0") and "r1" not in few
    everything = shown(lines, None)
    assert "the first" not in everything and all(f"r{n}" in everything for n in range(9))
