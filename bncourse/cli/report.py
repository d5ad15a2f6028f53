"""bncourse report ASSIGNMENT: one page about how the class did."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course


@click.command()
@click.argument("assignment")
@click.option("--to", type=click.Path(path_type=Path), help="File to write [report.html in the course's results].")
@with_course
def command(course: "Course", assignment: str, to: Path | None) -> None:
    """Write one self-contained page: marks, the class's wrong beliefs with their counts, what was slow, what failed."""
    course.require_gradebook(assignment)
    from bncourse.grading.reports.report import write_report

    click.echo(f"The report: {write_report(course, assignment, to)}")
