"""bncourse feedback ASSIGNMENT: make the pages that students get back."""

from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course


@click.command()
@click.argument("assignment")
@with_course
def command(course: "Course", assignment: str) -> None:
    """Make a page for each graded student of ASSIGNMENT, where the marks or comments have changed."""
    from rich.progress import Progress

    from bncourse.grading.workflows.feedback import make_feedback, stale_feedback

    course.require_gradebook(assignment)
    with Progress() as bar:
        task = bar.add_task(f"Feedback on {assignment}", total=len(stale_feedback(course, assignment)) or None)
        made = make_feedback(course, assignment, lambda: bar.advance(task))
        bar.update(task, total=len(made) or 1, completed=len(made) or 1)
    click.echo(f"{len(made)} pages made now. Feedback: {course.root / 'feedback'}")
