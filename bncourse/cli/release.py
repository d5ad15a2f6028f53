"""bncourse release ASSIGNMENT: make the students' notebook."""

from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import with_course

if TYPE_CHECKING:
    from bncourse.grading.course import Course


@click.command()
@click.argument("assignment")
@with_course
def command(course: "Course", assignment: str) -> None:
    """Make the students' notebook of ASSIGNMENT from its master, and its entry in the gradebook.

    Nothing is done where both are up to date already.
    """
    from bncourse.grading.release import is_released, release

    if not is_released(course, assignment):
        release(course, assignment)
    click.echo(f"The students' notebook: {course.notebook('release', assignment)}")
