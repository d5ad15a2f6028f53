"""bncourse doctor: what this machine can do, and what is missing."""

import click


@click.command()
@click.option("--no-speed", is_flag=True, help="Do not measure how fast this machine grades.")
def command(no_speed: bool) -> None:
    """Say what this machine can do, and what is missing for grading.

    The exit code is 0 if everything that grading needs is there, 1 if not. Nothing is changed.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bncourse.grading.workflows.doctor import examine

    findings = list(examine(speed=not no_speed))
    table = Table("what", "", "how it is")
    for finding in findings:
        mark, style = ("yes", "green") if finding.fine else ("no", "red" if finding.needed else "yellow")
        table.add_row(finding.what, Text(mark, style), Text(finding.says))
    console = Console()
    console.print(table)
    missing = [finding for finding in findings if finding.needed and not finding.fine]
    if missing:
        console.print(f"This machine cannot grade yet: {missing[0].what}: {missing[0].says}", highlight=False)
    else:
        console.print("This machine can grade.")
    raise SystemExit(1 if missing else 0)
