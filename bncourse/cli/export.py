"""bncourse export ASSIGNMENT: grades for other systems."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course


@click.command()
@click.argument("assignment")
@click.option("--format", "style", type=click.Choice(["csv", "gradescope", "canvas"]), default="csv", help="[csv]")
@click.option("--to", type=click.Path(path_type=Path), help="File to write; for gradescope a folder.")
@click.option("--complete", is_flag=True, help="Refuse where answers still wait to be marked by hand.")
@with_course
def command(course: "Course", assignment: str, style: str, to: Path | None, complete: bool) -> None:
    """Write the grades of ASSIGNMENT for a spreadsheet, Gradescope (results.json) or Canvas.

    What late submissions lose is worked out first, from the whole score. Where scores are not complete, a line says
    whose.
    """
    course.require_gradebook(assignment)
    from bncourse.grading.reports.export import each_line, export, warnings

    path = export(course, assignment, style, to, complete=complete)
    for line in warnings(each_line(course, assignment)):
        click.echo(f"bncourse: {line}", err=True)
    click.echo(f"Written: {path}")
