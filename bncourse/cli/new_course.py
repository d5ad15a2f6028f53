"""bncourse new-course FOLDER: a course folder with all that its commands need."""

import secrets
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import Refusal
from bncourse.cli._start import start_sooner

if TYPE_CHECKING:
    from bncourse.grading.workflows.private_trial import Trial

PLATFORMS = ("canvas", "moodle", "gradescope", "github", "nbgrader", "folder")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--platform", type=click.Choice(PLATFORMS), help="Where your class hands in [asked; folder].")
@click.option("--zone", help="The time zone of due dates, such as Europe/Berlin [asked; UTC].")
@click.option(
    "--first-due", metavar="DATE", help="When the first assignment is due; the others keep their distances from it."
)
@click.option("--due", multiple=True, metavar="NAME=DATE", help="When this one is due; may be given several times.")
@click.option("--private", is_flag=True, help="Make masters of your own: what is asked differs from what is published.")
@click.option("--secret", help="Draw them with this secret, from another folder's private.json [a new one].")
@click.option("--example", is_flag=True, help="Release one assignment and hand in for a sample class.")
def command(
    folder: Path,
    platform: str | None,
    zone: str | None,
    first_due: str | None,
    due: tuple[str, ...],
    private: bool,
    secret: str | None,
    example: bool,
) -> None:
    """Make FOLDER a course: the assignments' masters, a sample class, settings, nbgrader's configuration, a readme.

    In a terminal the command asks for what you have not given. All commands that you type in FOLDER work on this
    course, and so do nbgrader's and formgrader. Make a new folder each year.

    All solutions, hidden tests and rubrics are published with the package. With --private forward, backward and
    pytorch ask for other conventions (axes, what is kept of the spread, cache, stages, order), and all assignments for
    other numbers; each is tried on its solution and on right answers to the published one, and the first two on wrong
    programs.
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
    if secret is not None and not 8 <= len(secret) <= 200:
        raise Refusal("--secret is too short or too long. Expected 8 to 200 characters.")
    if example and (private or secret):
        raise Refusal("The sample class answers the published assignments. Leave out --example, or --private.")
    if private and secret is None:
        secret = secrets.token_hex(16)
    if secret:
        click.echo("Making masters of your own, and trying each: one or two minutes ...", err=True)
    tried: list[Trial] = []
    dates = dict(entry.partition("=")[::2] for entry in due)
    if not all(dates.values()):
        raise Refusal("--due takes an assignment and a date, such as --due backward=2027-03-01.")
    try:
        wishes = Wishes(platform or "folder", zone or "UTC", first_due or "", dates, secret or "")
        course = new_course(folder, wishes, tried)
        click.echo(f"The course: {course.root}")
        for name in course.settings.due:
            click.echo(f"  {name} is due {course.settings.due[name]}")
        _show_private(tried)
        if example:
            click.echo(f"{fill_with_example(course)} invented students have handed in backward.")
    except (CourseError, MasterError) as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        raise Refusal(f"{error.filename or folder}: {error.strerror}. Name another place.") from error
    click.echo(f"Next: cd {folder}, and read README.md.")


def _show_private(tried: "list[Trial]") -> None:
    """Say what each private master was tried on."""
    from bncourse.grading.authoring.private import STRUCTURED

    if tried:
        click.echo("Masters of your own, drawn by the secret in private.json:")
    for each in tried:
        if each.missing:
            click.echo(f"  {each.assignment}: other numbers. It was not tried: {each.missing}")
            continue
        what = "conventions" if each.assignment in STRUCTURED else "orders of arguments"
        click.echo(f"  {each.assignment}: other {what} and numbers. Its solution passes all {each.tests} tests.")
        end = "," if each.specimens else "."
        click.echo(f"    Each of {each.answers} right answers to the published one loses {each.lost} tests{end}")
        if each.specimens:
            click.echo(f"    each of {each.specimens} wrong programs at least one, {each.right} right programs none.")
    if tried:
        click.echo(
            "Explanations, proofs and rubrics ask what the published ones ask. Read the masters before you release."
        )
