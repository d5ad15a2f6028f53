"""bncourse extend STUDENT ASSIGNMENT DATE: more time for one student."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import Refusal, with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course


@click.command()
@click.argument("student")
@click.argument("assignment")
@click.argument("date", required=False)
@click.option("--none", "nothing", is_flag=True, help="Take back what was given.")
@with_course
def command(course: "Course", student: str, assignment: str, date: str | None, nothing: bool) -> None:
    """Let STUDENT hand in ASSIGNMENT until DATE, and compute the deductions for late work again.

    DATE is in the time zone of the course, such as 2027-02-15 or "2027-02-15 18:00"; a day without a time ends at
    23:59. It holds whether something was handed in already or not. A new date replaces an earlier one. To move the
    date for everybody, change it in course.toml and release again.
    """
    if nothing == (date is not None):
        raise Refusal("Say until when, such as: bncourse extend ada backward 2027-02-15, or take it back with --none.")
    course.require_gradebook(assignment)
    from bncourse.grading.authoring.settings import SettingsError, in_utc
    from bncourse.grading.gradebook.extensions import extend
    from bncourse.grading.gradebook.late_penalty import update_penalties

    try:
        said = in_utc(date, course.settings.zone, "DATE") if date is not None else ""
    except SettingsError as error:
        raise Refusal(str(error)) from error
    until = datetime.strptime(said, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC) if said else None
    extend(course, assignment, student, until)
    taken = update_penalties(course, assignment).get(student, 0.0)
    click.echo(
        f"{student}: {assignment} until {said[:16] + ' UTC' if said else 'the due date of everybody'}; "
        + (f"late, -{taken:.3g}" if taken else "loses nothing for being late")
        + "."
    )
