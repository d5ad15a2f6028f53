"""bncourse roster: the students of a class, in nbgrader's gradebook."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import Refusal, with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course

MOST_NAMES = 10


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Keep the class list: nbgrader's gradebook holds it, with the platform's ids."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--drop-others", is_flag=True, help="Drop the students of the gradebook who are not in FILE.")
@with_course
def import_(course: "Course", file: Path, drop_others: bool) -> None:
    """Enter the students of FILE: a list of Canvas, Moodle, Gradescope or GitHub Classroom, or any CSV with headings.

    Students who are known already keep what FILE does not say, and every grade.
    """
    from bncourse.grading.workflows.roster import enter_members, known_members, read_roster, set_dropped, set_open

    listed = read_roster(file)
    changed = enter_members(course, listed)
    set_open(course, is_open=False)
    ids = {member.student for member in listed}
    gone = [member.student for member in known_members(course, dropped=True) if member.student in ids]
    others = [member.student for member in known_members(course) if member.student not in ids]
    click.echo(f"{len(listed)} students in {file.name}: {changed} new or changed.")
    if gone:
        click.echo(f"{len(gone)} of them were dropped, and stay so: {_some(gone)}. See: bncourse roster restore")
    if others and drop_others:
        set_dropped(course, others, dropped=True)
        click.echo(f"Dropped: {_some(others)}")
    elif others:
        click.echo(f"{len(others)} of the gradebook are not in the file: {_some(others)}. See: bncourse roster drop")


@command.command()
@click.option("--to", type=click.Path(path_type=Path), help="File to write [class_list.csv in the course folder].")
@with_course
def export(course: "Course", to: Path | None) -> None:
    """Write the class list as CSV: ids, names, addresses, and the platform's ids."""
    from bncourse.grading.workflows.roster import write_roster

    path = to or course.root / "class_list.csv"  # roster.csv is what was downloaded
    if path.is_dir():
        raise Refusal(f"{path} is a folder. Expected a file to write to.")
    click.echo(f"{write_roster(course, path)} students: {path}")


@command.command()
@click.argument("student")
@click.option("--first", default="", help="First name.")
@click.option("--last", default="", help="Family name.")
@click.option("--email", default="", help="E-mail address.")
@click.option("--lms-id", default="", help="The platform's number of the student.")
@click.option("--login", default="", help="User name on another platform, such as GitHub.")
@with_course
def add(course: "Course", student: str, first: str, last: str, email: str, lms_id: str, login: str) -> None:
    """Add STUDENT, or update what is known about them."""
    from bncourse.grading.workflows.roster import ID, Member, enter_members

    if not ID.fullmatch(student):
        raise Refusal(f"{student!r} cannot be a student's id. Expected letters, digits, dots, dashes and underscores.")
    changed = enter_members(course, [Member(student, first, last, email, lms_id, login)])
    click.echo(f"{student}: {'written down' if changed else 'known already'}.")


@command.command()
@click.argument("students", nargs=-1, required=True)
@with_course
def drop(course: "Course", students: tuple[str, ...]) -> None:
    """Take STUDENTS out of every list and export; their files and grades are kept."""
    from bncourse.grading.workflows.roster import set_dropped

    click.echo(f"Dropped: {_some(set_dropped(course, students, dropped=True)) or 'nobody new'}")


@command.command()
@click.argument("students", nargs=-1, required=True)
@with_course
def restore(course: "Course", students: tuple[str, ...]) -> None:
    """Take STUDENTS who were dropped into the class again, with the grades they had."""
    from bncourse.grading.workflows.roster import set_dropped

    click.echo(f"Restored: {_some(set_dropped(course, students, dropped=False)) or 'nobody new'}")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
