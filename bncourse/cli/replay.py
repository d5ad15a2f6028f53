"""bncourse replay STUDENT ASSIGNMENT: grade one submission again and compare."""

from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import Refusal, with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course


@click.command()
@click.argument("student")
@click.argument("assignment")
@with_course
def command(course: "Course", student: str, assignment: str) -> None:
    """Grade STUDENT's submission of ASSIGNMENT once more, as it was graded, and compare; nothing is written.

    The exit code is 0 if the verdicts are the same, 1 if they differ.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bncourse.grading.core.environment import environment
    from bncourse.grading.engine.grader import Grader
    from bncourse.grading.gradebook.records_table import kept_records
    from bncourse.grading.sandbox.bubblewrap import GraderError
    from bncourse.grading.workflows.regrade import differences
    from bncourse.grading.workflows.submission_process import SubmissionProcess

    course.require_gradebook(assignment)
    master = course.master(assignment)
    kept = kept_records(course, assignment).get(student)
    if kept is None:
        raise Refusal(f"{student!r} has no graded submission of {assignment}.")
    before = kept.record
    try:
        with SubmissionProcess(course, master) as process:
            submission = process.submission(student)
        with Grader(level=before.level, jobs=1, cache=False, seed=before.seed) as grader:  # type: ignore[arg-type]
            after = grader.grade_submission(master, submission)
    except GraderError as error:
        raise Refusal(str(error)) from error
    console = Console()
    table = Table("test", "verdict", "points", title=f"{student}, {assignment}: {after.status}")
    table.add_column("what it says", overflow="fold")
    for verdict in after.verdicts:
        points = f"{verdict.points:g} of {verdict.max_points:g}"
        table.add_row(Text(verdict.grade_id), Text(verdict.outcome), points, Text(verdict.message))
    console.print(table)
    for name, value in (("seed", before.seed), ("level", before.level), ("graded with", before.environment)):
        console.print(f"{name}: {value}", highlight=False)
    if before.environment != environment():
        console.print(f"replayed with: {environment()}", highlight=False)
    console.print(f"digest: {before.digest}", highlight=False, soft_wrap=True)
    different = list(differences(before, after))
    for line in different:
        console.print(Text(line, "red"))
    console.print("The verdicts differ." if different else "The verdicts are the same as in the gradebook.")
    raise SystemExit(1 if different else 0)
