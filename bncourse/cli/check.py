"""bncourse check NOTEBOOK: what a student runs before handing in."""

from pathlib import Path

import click

from bncourse.cli._shared import Refusal


@click.command()
@click.argument("notebook", type=click.Path(path_type=Path))
def command(notebook: Path) -> None:
    """Run the visible tests of NOTEBOOK as in grading, and show their verdicts.

    The cells run in a process of their own, with the assignment's limits, and can import only what is available when
    it is graded. Nothing is changed and nothing is sent anywhere. The exit code is 0 if every test passes, 1 if one
    does not, 2 if the file is not a notebook of the course or a library is missing. Hidden tests, with other numbers
    and shapes, run only after handing in.
    """
    from bncourse.grading.core.plain_text import inert
    from bncourse.grading.student.check import check
    from bncourse.grading.student.selfcheck import MissingExtraError, UnreadableNotebookError

    try:
        verdicts, notes = check(notebook)
    except (UnreadableNotebookError, MissingExtraError) as error:
        raise Refusal(str(error)) from error

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=notebook.name, show_lines=True)
    for heading in ("test", "points", "verdict", "what it says"):
        table.add_column(heading, overflow="fold")
    for verdict in verdicts:
        style = "green" if verdict.outcome == "correct" else "red"
        table.add_row(
            Text(verdict.grade_id),
            f"{verdict.max_points:g}",
            Text(verdict.outcome, style),
            Text(inert(verdict.message)),
        )
    passed = sum(verdict.outcome == "correct" for verdict in verdicts)
    console = Console()
    console.print(table)
    for note in notes:
        console.print(f"- {inert(note)}", highlight=False, markup=False)
    console.print(f"{passed} of {len(verdicts)} visible tests pass.", highlight=False)
    raise SystemExit(0 if passed == len(verdicts) else 1)
