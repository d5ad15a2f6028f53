"""bncourse feedback ASSIGNMENT: make the pages that students get back."""

from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course
    from bncourse.grading.workflows.feedback_zip import Packed


@click.command()
@click.argument("assignment")
@click.option(
    "--zip",
    "kind",
    type=click.Choice(["canvas", "moodle", "mail"]),
    help="Also make a ZIP that the platform takes apart; mail: unguessable names, and a list for a mail merge.",
)
@click.option("--book", help="Address of the site with the book, for the links in all pages; it is remembered.")
@with_course
def command(course: "Course", assignment: str, kind: str | None, book: str | None) -> None:
    """Make a page for each graded student of ASSIGNMENT whose marks or comments have changed."""
    from rich.progress import Progress

    from bncourse.grading.reports.book_address import book_address, remember_book_address
    from bncourse.grading.workflows.feedback import make_feedback, stale_feedback

    course.require_gradebook(assignment)
    if book is not None:
        remember_book_address(course, book)
    with Progress() as bar:
        task = bar.add_task(f"Feedback on {assignment}", total=len(stale_feedback(course, assignment)) or None)
        made = make_feedback(course, assignment, lambda: bar.advance(task))
        bar.update(task, total=len(made) or 1, completed=len(made) or 1)
    click.echo(f"{len(made)} pages made now. Feedback: {course.root / 'feedback'}")
    if not book_address(course):
        click.echo("The pages name chapters without links. Say where the book lies: --book https://...", err=True)
    if kind is not None:
        from bncourse.grading.workflows.feedback_zip import pack_feedback

        _show(pack_feedback(course, assignment, kind))  # type: ignore[arg-type]


def _show(packed: "Packed") -> None:
    """Say where the ZIP lies, and what to do with the pages that no platform hands back."""
    click.echo(f"To upload, {packed.pages} pages: {packed.path}")
    if packed.by_mail:
        some = ", ".join(packed.by_mail[:5]) + (
            f" and {len(packed.by_mail) - 5} more" if len(packed.by_mail) > 5 else ""
        )
        click.echo(f"{len(packed.by_mail)} did not hand in there ({some}). Their pages: {packed.mail_zip}")
    if packed.mail_list:
        click.echo(f"Whose each page is, for a mail merge; keep it to yourself: {packed.mail_list}")
