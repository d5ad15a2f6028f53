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
@with_course
def command(course: "Course", assignment: str, style: str, to: Path | None) -> None:
    """Write the grades of ASSIGNMENT for a spreadsheet, Gradescope (results.json) or Canvas."""
    course.require_gradebook(assignment)
    from bncourse.grading.reports.export import export

    click.echo(f"Written: {export(course, assignment, style, to)}")
