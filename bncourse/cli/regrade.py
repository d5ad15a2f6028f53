"""bncourse regrade ASSIGNMENT: after a test was changed."""

from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import Refusal, with_course
from bncourse.cli.grade import LEVELS

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course


@click.command()
@click.argument("assignment")
@click.option("--dry-run", is_flag=True, help="Only show whose marks would change; write nothing.")
@click.option("--jobs", type=click.IntRange(1), help="How many are graded in parallel [number of processors].")
@click.option("--level", type=click.Choice(LEVELS), default="full", help="Use a weaker sandbox [full].")
@click.option("--seed", type=int, default=0, help="What all random numbers are derived from [0].")
@with_course
def command(course: "Course", assignment: str, dry_run: bool, jobs: int | None, level: str, seed: int) -> None:
    """Grade ASSIGNMENT again after its master was changed, and show whose marks change.

    With --dry-run nothing is written: what has changed is graded, and the marks are compared. Points given by hand
    stay.
    """
    from rich.console import Console
    from rich.progress import Progress

    from bncourse.grading.engine.grader import Grader
    from bncourse.grading.gradebook.records_table import kept_records
    from bncourse.grading.reports.changes import Change, Preview
    from bncourse.grading.reports.summary import changes_table, sources_line
    from bncourse.grading.sandbox.bubblewrap import GraderError
    from bncourse.grading.workflows.grade import grade_class
    from bncourse.grading.workflows.regrade import compare, preview
    from bncourse.grading.workflows.release import is_released, release

    def grader() -> Grader:
        return Grader(level=level, jobs=jobs, seed=seed)  # type: ignore[arg-type]

    console = Console()
    course.require_gradebook(assignment)
    changes: tuple[Change, ...]
    sources: Preview | None = None
    try:
        with Progress(console=console) as bar:
            before = kept_records(course, assignment)
            task = bar.add_task("Comparing" if dry_run else "Grading again", total=len(before) or None)
            if dry_run:
                result = preview(
                    course,
                    assignment,
                    grader,
                    level=level,
                    seed=seed,
                    progress=lambda _: bar.advance(task),
                )
                sources = result
                changes = result.changes
            else:
                if not is_released(course, assignment):
                    release(course, assignment)
                grade_class(
                    course,
                    assignment,
                    grader=grader,
                    level=level,
                    seed=seed,
                    progress=lambda _: bar.advance(task),
                )
                after = kept_records(course, assignment)
                pairs = ((old.record, after[name].record) for name, old in before.items() if name in after)
                changes = tuple(change for old, new in pairs if (change := compare(old, new)))
    except GraderError as error:
        raise Refusal(str(error)) from error
    if changes:
        console.print(changes_table(changes))
    verb = "would change" if dry_run else "changed"
    ending = " Nothing was written." if dry_run else ""
    console.print(f"{len(changes)} of {len(before)} students' marks {verb}.{ending}", highlight=False)
    if sources is not None:
        console.print(sources_line(sources), highlight=False)
