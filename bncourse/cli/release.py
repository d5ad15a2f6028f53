"""bncourse release ASSIGNMENT: make the students' notebook."""

from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course


@click.command()
@click.argument("assignment")
@click.option(
    "--variant", help="Another year's numbers, seeds and orders, such as 2027; 'original' for the master as it stands."
)
@click.option(
    "--with-written/--without-written",
    "written",
    default=None,
    help="Whether it includes the written answers, which a person marks [as before; with].",
)
@with_course
def command(course: "Course", assignment: str, variant: str | None, written: bool | None) -> None:
    """Make the students' notebook of ASSIGNMENT from its master, and its entry in the gradebook.

    The master's own solution has to pass all tests first, the hidden ones too.
    Nothing is done if both are up to date. The course folder remembers the variant, and whether written answers are
    included; all later commands use both. The folder of the masters remembers the course folder: nbgrader's commands,
    formgrader and later commands without --course work on it.
    """
    from bncourse.grading.authoring.course_folder import take_into_use
    from bncourse.grading.student.selfcheck import MissingExtraError
    from bncourse.grading.workflows.choose_variant import choose_variant
    from bncourse.grading.workflows.own_solution import require_own_solution
    from bncourse.grading.workflows.release import choose_written, is_released, release

    if variant is not None:
        choose_variant(course, assignment, variant)
    if written is not None:
        choose_written(course, assignment, written=written)
    if not is_released(course, assignment):
        try:
            require_own_solution(course, assignment)
        except MissingExtraError as error:
            click.echo(f"The master was not tried out: {error}", err=True)
        release(course, assignment)
    take_into_use(course)
    year = course.variants.get(assignment)
    click.echo(f"The students' notebook{f', variant {year}' if year else ''}: {course.notebook('release', assignment)}")
