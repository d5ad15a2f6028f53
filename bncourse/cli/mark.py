"""bncourse mark ASSIGNMENT: mark the written answers, one question across all students."""

from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import Refusal, with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course
    from bncourse.grading.marking.questions import Answers


@click.command()
@click.argument("assignment")
@click.option("--question", help="The grade_id of the question to begin with [a list of all].")
@click.option("--port", type=click.IntRange(1, 65535), help="The port of the pages [a free one].")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@with_course
def command(course: "Course", assignment: str, question: str | None, port: int | None, no_browser: bool) -> None:
    """Mark the written answers of ASSIGNMENT in your browser, one question across all students.

    Names are hidden, the rubric is shown next to the answer, equal answers get one mark, and single keys give points
    and comments. The pages are served to this machine only, and load nothing from elsewhere. Each mark is in
    nbgrader's gradebook at once: formgrader shows the same, and a later bncourse grade keeps it as long as the text of
    the answer is the same.
    """
    import webbrowser

    from bncourse.grading.marking.questions import Answers
    from bncourse.grading.marking.server import MarkingServer

    course.require_gradebook(assignment)
    with Answers(course, assignment) as answers:
        if question is not None and question not in answers.questions:
            raise Refusal(f"{assignment} has no written question {question!r}. Known: {', '.join(answers.questions)}.")
        waiting = _table(answers)
        server = MarkingServer(answers, port or 0, question or "")
        click.echo(_wait(waiting) if waiting else "All answers are marked. You can still change marks.")
        click.echo(f"Mark here, on this machine: {server.address}")
        click.echo("Keep the address to yourself. To end: Ctrl+C. Nothing is lost, each mark is saved at once.")
        if not no_browser:
            webbrowser.open(server.address)
        try:
            server.serve()
        except KeyboardInterrupt:
            click.echo()
        left = sum(each.progress.waiting for each in answers.now().values())
        if left:
            click.echo(f"{_wait(left)} To go on: bncourse mark {assignment}")
        else:
            click.echo(f"All answers are marked. For your students: bncourse feedback {assignment}")


def _wait(count: int) -> str:
    return f"{count} answer{' waits' if count == 1 else 's wait'}."


def _table(answers: "Answers") -> int:
    """Print how far each question is; return how many answers wait."""
    from rich.console import Console
    from rich.table import Table

    table = Table("question", title=f"{answers.title}: written answers")
    for name in ("points", "answers", "different", "marked", "left empty"):
        table.add_column(name, justify="right")
    waiting = 0
    for name, each in answers.now().items():
        done = each.progress
        waiting += done.waiting
        numbers = (done.answered, len(each.groups), done.marked, done.empty)
        table.add_row(name, f"{each.question.points:g}", *map(str, numbers))
    Console().print(table)
    return waiting
