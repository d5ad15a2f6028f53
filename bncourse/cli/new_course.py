"""bncourse new-course FOLDER: a course folder with all that its commands need."""

import sys
from datetime import datetime
from pathlib import Path

import click

from bncourse.cli._shared import Refusal
from bncourse.cli._start import start_sooner

PLATFORMS = ("canvas", "moodle", "gradescope", "github", "nbgrader", "folder")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--platform", type=click.Choice(PLATFORMS), help="Where your class hands in [asked; folder].")
@click.option("--zone", help="The time zone of due dates, such as Europe/Berlin [asked; UTC].")
@click.option(
    "--first-due", metavar="DATE", help="When the first assignment is due; the others follow at their distance."
)
@click.option("--due", multiple=True, metavar="NAME=DATE", help="When this one is due; may be given several times.")
@click.option("--example", is_flag=True, help="Release one assignment and hand in for a sample class.")
def command(
    folder: Path,
    platform: str | None,
    zone: str | None,
    first_due: str | None,
    due: tuple[str, ...],
    example: bool,
) -> None:
    """Make FOLDER a course: the assignments' masters, a sample class, settings, nbgrader's configuration, a readme.

    What is not given is asked in a terminal. All commands that are typed in FOLDER work on this course, nbgrader's
    and formgrader too. Make a folder each year.
    """
    start_sooner()
    from bncourse.grading.authoring.course import CourseError
    from bncourse.grading.authoring.masters import MasterError
    from bncourse.grading.workflows.new_course import Wishes, asked_first_due, fill_with_example, new_course

    if sys.stdin.isatty() and not example:
        platform = platform or click.prompt(
            "Where does your class hand in?", type=click.Choice(PLATFORMS), default="folder"
        )
        zone = zone or click.prompt("Time zone of the due dates", default="UTC")
        if first_due is None and not due:
            first_due = click.prompt("First assignment due", default=asked_first_due(datetime.now().date()))
    dates = dict(entry.partition("=")[::2] for entry in due)
    if not all(dates.values()):
        raise Refusal("--due takes an assignment and a date, such as --due backward=2027-03-01.")
    try:
        course = new_course(folder, Wishes(platform or "folder", zone or "UTC", first_due or "", dates))
        click.echo(f"The course: {course.root}")
        for name in course.settings.due:
            click.echo(f"  {name} is due {course.settings.due[name]}")
        if example:
            click.echo(f"{fill_with_example(course)} invented students have handed in backward.")
    except (CourseError, MasterError) as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        raise Refusal(f"{error.filename or folder}: {error.strerror}. Name another place.") from error
    click.echo(f"Next: cd {folder}, and read README.md.")
