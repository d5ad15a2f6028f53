"""bncourse pack ASSIGNMENT: an autograder for another platform."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course

NEXT = {
    "gradescope": "Upload it as the autograder of a programming assignment. It holds the hidden tests.",
    "prairielearn": "Put the folder below questions/ of your course. Its tests/ holds the hidden tests.",
    "github": "template/ is for the assignment's template repository, instructor/ for a private one of yours.",
}


@click.command()
@click.argument("assignment")
@click.option("--for", "platform", type=click.Choice(["gradescope", "prairielearn", "github"]), required=True)
@click.option("--to", type=click.Path(path_type=Path), help="File or folder to write [in the course's results].")
@click.option(
    "--install", default="", metavar="TARGET", help="github: the wheel's address, until an index has the name."
)
@with_course
def command(course: "Course", assignment: str, platform: str, to: Path | None, install: str) -> None:
    """Write an autograder that gives the same marks on Gradescope, PrairieLearn or GitHub Classroom.

    It takes the strongest sandbox that the platform's container allows, and its output names which.
    """
    from bncourse.grading.workflows.pack import pack

    course.require_gradebook(assignment)
    click.echo(f"Written: {pack(course, assignment, platform, to, install)}")  # type: ignore[arg-type]
    click.echo(NEXT[platform])
