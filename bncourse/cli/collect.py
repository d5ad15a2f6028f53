"""bncourse collect ASSIGNMENT DOWNLOAD: put a platform's download where grading finds it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import with_course

if TYPE_CHECKING:
    from bncourse.grading.authoring.course import Course
    from bncourse.grading.workflows.collect import Collection

PLATFORMS = ("canvas", "moodle", "gradescope", "github", "nbgrader", "folder")
OUTCOMES = ("taken", "unchanged", "kept", "not taken")


@click.command()
@click.argument("assignment")
@click.argument("download", type=click.Path(exists=True, path_type=Path))
@click.option("--roster", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A class list as CSV.")
@click.option("--platform", type=click.Choice(PLATFORMS), help="How to read the download [recognized by its files].")
@click.option("--all", "everything", is_flag=True, help="Print the rows in which all went well, too.")
@with_course
def command(
    course: "Course", assignment: str, download: Path, roster: Path | None, platform: str | None, everything: bool
) -> None:
    """Collect ASSIGNMENT from DOWNLOAD: a ZIP or folder of Canvas, Moodle, Gradescope, GitHub Classroom or nbgrader.

    A notebook is recognized by its metadata and not by its file name, and a student by the class list. Newer files are
    never overwritten, and collecting again changes nothing.
    """
    from bncourse.grading.workflows.collect import collect

    show(collect(course, assignment, download, roster=roster, platform=platform), everything)  # type: ignore[arg-type]


def show(found: "Collection", everything: bool) -> None:
    """Print what was taken, from where, what was not, and why; what was not taken stands first."""
    counts = {outcome: sum(row.outcome == outcome for row in found.rows) for outcome in OUTCOMES}
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    click.echo(f"{found.platform}: {said or 'no files of students were found'}")
    for row in sorted(found.rows, key=lambda row: row.outcome != "not taken"):
        if everything or row.notes or row.outcome == "not taken":
            source = f" from {row.source}" if row.source else ""
            click.echo(
                f"  {row.student or '?'} ({row.who}): {row.outcome}{source}"
                + "".join(f"; {note}" for note in row.notes)
            )
    for reason in found.unused:
        click.echo(f"  nobody's: {reason}")
    if found.missing:
        shown = ", ".join(found.missing[:10]) + (
            f" and {len(found.missing) - 10} more" if len(found.missing) > 10 else ""
        )
        click.echo(f"Nothing was found of {len(found.missing)} in the class list: {shown}")
