"""bncourse sample-class ASSIGNMENT: submissions to try the grader with."""

from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course


@click.command()
@click.argument("assignment")
@click.option("--copies", default=1, type=click.IntRange(1, 5000), help="How often each student hands in [1].")
@with_course
def command(course: "Course", assignment: str, copies: int) -> None:
    """Hand in for a class of invented students, each with a known mistake or none."""
    from bncourse.grading.authoring.sample_class import write_sample_class

    written = write_sample_class(course, assignment, copies=copies)
    handed_in = len(course.students(assignment))
    click.echo(
        f"{handed_in} sample submissions of {assignment} lie in {course.root / 'submitted'}, {len(written)} new."
    )
