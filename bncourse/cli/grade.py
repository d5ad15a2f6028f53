"""bncourse grade ASSIGNMENT: grade what was handed in."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import Refusal, with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course

LEVELS = ("full", "no-filter", "user", "process")


@click.command()
@click.argument("assignment")
@click.option("--student", "students", multiple=True, help="Only this student; may be given several times.")
@click.option("--force", is_flag=True, help="Grade again what has not changed.")
@click.option("--jobs", type=click.IntRange(1), help="How many are graded in parallel [number of processors].")
@click.option("--level", type=click.Choice(LEVELS), default="full", help="Use a weaker sandbox [full].")
@click.option("--seed", type=int, default=0, help="What all random numbers are derived from [0].")
@click.option("--no-cache", is_flag=True, help="Run every answer, including identical ones.")
@click.option("--all", "everybody", is_flag=True, help="Show all rows of a large class.")
@click.option("--yes", is_flag=True, help="Do not ask before everybody is graded again.")
@click.option("--scheduler", metavar="ADDRESS", help="Grade on the Dask cluster of this scheduler.")
@with_course
def command(
    course: "Course",
    assignment: str,
    students: tuple[str, ...],
    force: bool,
    jobs: int | None,
    level: str,
    seed: int,
    no_cache: bool,
    everybody: bool,
    yes: bool,
    scheduler: str | None,
) -> None:
    """Grade what was handed in for ASSIGNMENT and has changed since it was last graded.

    Writes nbgrader's gradebook, the autograded notebooks, grades.csv and verdicts.jsonl. An interrupted
    run continues where it stopped. Points given by hand are never changed.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from bncourse.grading.engine.grader import Grader
    from bncourse.grading.reports.class_lines import each_line
    from bncourse.grading.reports.summary import MOST_ROWS, tables
    from bncourse.grading.sandbox.bubblewrap import GraderError
    from bncourse.grading.workflows.grade import grade_class

    course.require_gradebook(assignment)
    make: Callable[..., Grader] = Grader
    if scheduler is not None:
        from bncourse.grading.engine.cluster import ClusterGrader

        make = partial(ClusterGrader, scheduler)
    console = Console()

    def ask(count: int) -> bool:
        bar.stop()
        question = (
            f"All {count} that were graded would be graded again: the master, the grader or a library that the "
            "assignment imports is another one than then. Marks given by hand stay. Grade them again?"
        )
        try:
            return click.confirm(question)
        except click.Abort:
            raise Refusal("Nothing was graded. Say --yes to grade everybody again.") from None

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as bar:
            count = len(students) or len(course.students(assignment))
            task = bar.add_task(f"Grading {assignment}", total=count or None)
            run = grade_class(
                course,
                assignment,
                grader=lambda: make(
                    level=level,
                    jobs=jobs,
                    cache=not no_cache,
                    seed=seed,
                ),
                level=level,
                seed=seed,
                students=students,
                force=force,
                progress=lambda _: bar.advance(task),
                ask=None if yes else ask,
            )
            bar.update(task, total=run.graded + run.unchanged)  # without those who have left the class
    except GraderError as error:
        raise Refusal(str(error)) from error
    for table in tables(each_line(course, assignment), assignment, most=None if everybody else MOST_ROWS):
        console.print(table)
    for name, why in course.refused(assignment).items():
        console.print(f"Not read: the folder {name}: {why}. Rename it.", style="red", markup=False, highlight=False)
    console.print(f"{run.graded} graded now, {run.unchanged} unchanged.", highlight=False)
    console.print(f"Grades: {course.root / 'grades.csv'}", highlight=False, soft_wrap=True)
