"""bncourse extend ASSIGNMENT STUDENT: more time for one student."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import Refusal, with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course


@click.command()
@click.argument("assignment")
@click.argument("student")
@click.option("--days", type=float, default=0.0, help="How many days later than everybody else.")
@click.option("--hours", type=float, default=0.0, help="How many hours, in addition to the days.")
@click.option("--none", "nothing", is_flag=True, help="Take back what was given.")
@with_course
def command(course: "Course", assignment: str, student: str, days: float, hours: float, nothing: bool) -> None:
    """Let STUDENT hand in ASSIGNMENT later, and compute the deductions for late work again.

    A new extension replaces an earlier one. To move the date for everybody, change it in
    formgrader, or in the master and release again.
    """
    if nothing == bool(days or hours) or days < 0 or hours < 0 or days > 3650:
        raise Refusal("Say how much later with --days or --hours, or take it back with --none.")
    course.require_gradebook(assignment)
    from bncourse.grading.gradebook.late_penalty import extend

    lost = extend(course, assignment, student, None if nothing else timedelta(days=days, hours=hours))
    taken = lost.get(student, 0.0)
    click.echo(f"{student}: " + (f"late, -{taken:.3g}" if taken else "loses nothing for being late") + ".")
