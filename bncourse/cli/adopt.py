"""bncourse adopt NOTEBOOK: grade an assignment of another course."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import Refusal, with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course


@click.command()
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--due", required=True, help="When it is due, in the course's time zone, such as 2027-03-01.")
@click.option("--name", default="", help="The assignment's name [the file's].")
@with_course
def command(course: "Course", notebook: Path, due: str, name: str) -> None:
    """Take NOTEBOOK, the instructor's version of an nbgrader assignment, into this course as a master.

    Given cells, autograded answers, tests, hidden tests and written answers are graded like those of this course. If
    a cell cannot be graded, nothing is written, and the message names the cell. A master of the same name is not
    replaced.
    """
    from bncourse.grading.authoring.adopt import adopt, adopted_as_meant
    from bncourse.grading.authoring.course import write
    from bncourse.grading.authoring.masters import MasterError
    from bncourse.grading.authoring.settings import SettingsError, in_utc

    try:
        adopted = adopt(notebook, in_utc(due, course.settings.zone, "--due"), name)
    except SettingsError as error:
        raise Refusal(str(error)) from error
    path = course.masters / f"{adopted.name}.md"
    if path.exists():
        raise Refusal(f"{path} is there already. Say with --name what this one is called.")
    write(path, adopted.text.encode())
    try:
        adopted_as_meant(path, notebook)
    except MasterError:
        path.unlink()
        raise
    click.echo(f"{path}: {adopted.points:g} points.")
    for note in adopted.notes:
        click.echo(f"  {note}.")
    click.echo(f"Next: bncourse release {adopted.name}, then collect and grade as ever.")
