"""bncourse export ASSIGNMENT: grades for other systems."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import Refusal, with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course
    from bncourse.grading.workflows.platform_file import Filled

STYLES = ["csv", "gradescope", "canvas", "moodle"]
MOST_NAMES = 5


@click.command()
@click.argument("assignment")
@click.option("--format", "style", type=click.Choice(STYLES), default="csv", help="[csv]")
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The platform's own gradebook file; a copy of it with the marks is written.",
)
@click.option("--column", help="With --into: the heading of the column that takes the marks [the assignment's].")
@click.option("--to", type=click.Path(path_type=Path), help="File to write; for gradescope a folder.")
@click.option(
    "--missing",
    type=click.Choice(["zero", "blank"]),
    default="zero",
    help="The marks of students who handed in nothing [zero].",
)
@click.option("--complete", is_flag=True, help="Refuse if there are answers that nobody has marked yet.")
@with_course
def command(
    course: "Course",
    assignment: str,
    style: str,
    into: Path | None,
    column: str | None,
    to: Path | None,
    missing: str,
    complete: bool,
) -> None:
    """Write the whole class's grades of ASSIGNMENT for a spreadsheet, Canvas, Moodle or Gradescope.

    It is best to give the file that the platform lets you download, with --into: you get it back with the marks and
    nothing else changed. For Canvas it is the gradebook's export, for Moodle the assignment's grading worksheet.

    Deductions for late work are computed first, from the whole score. If scores are not complete, a line says whose.
    """
    if column is not None and into is None:
        raise Refusal("--column says where in a file the marks go. Name the file with --into.")
    course.require_gradebook(assignment)
    from bncourse.grading.reports.class_lines import class_lines
    from bncourse.grading.reports.export import export, warnings

    if into is not None:
        from bncourse.grading.workflows.platform_file import fill_in

        filled = fill_in(course, assignment, style, into, to, column=column, complete=complete, missing=missing)
        path = filled.path
        _show(filled)
    else:
        path = export(course, assignment, style, to, complete=complete, missing=missing)
    for line in warnings(class_lines(course, assignment)):
        click.echo(f"bncourse: {line}", err=True)
    click.echo(f"Written: {path}")


def _show(filled: "Filled") -> None:
    """Say what was changed, and whose rows or marks found no place."""
    click.echo(f"{filled.column}: {filled.changed} marks written, {filled.same} were there already")
    for note in filled.notes:
        click.echo(f"bncourse: {note}", err=True)
    for names, said in (
        (filled.strangers, "rows are of nobody in the class list, and stay as they were"),
        (filled.left_out, "students of the class list have no row in the file"),
    ):
        if names:
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            click.echo(f"{len(names)} {said}: {'; '.join(names[:MOST_NAMES])}{more}")
