"""`bncourse diagnose FILE`: what a student's file believes about batch norm, in any course's words."""

import json
from pathlib import Path

import click

from bncourse.cli._shared import Refusal


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "convention", help="The course whose convention counts; what differs from it is a mistake then.")
@click.option("--json", "as_json", is_flag=True, help="Print plain data.")
@click.option("--hints", default=1, show_default=True, type=click.IntRange(0, 3), help="How many hints are shown.")
def command(files: tuple[Path, ...], convention: str | None, as_json: bool, hints: int) -> None:
    """Find the normalizations in FILES (.py or notebooks), and say what each function believes.

    The functions are found by their names and signatures, and called as their course calls them. One file gives one
    report a function, several give a table. The exit code is 0 if everything found is right, 1 if something is
    mistaken, 2 if nothing could be looked at. Each file is run in this process: read it first if it is not your own.
    """
    from bncourse.diagnosis.conventions import CONVENTIONS, diagnose_file

    if convention is not None and convention not in CONVENTIONS:
        raise Refusal(f"no convention is called {convention!r}. Known are {', '.join(CONVENTIONS)}.")
    reports = [diagnose_file(path, convention) for path in files]
    if as_json:
        data = [report.data() for report in reports]
        click.echo(json.dumps(data[0] if len(data) == 1 else data, indent=1))
    elif len(reports) == 1:
        click.echo(reports[0].text(hints))
    else:
        for report in reports:
            click.echo(f"{report.file}: {report.problem or report.title}")
            for one in report.functions:
                beliefs = ", ".join(found.belief or "unknown mistake" for found in one.findings)
                click.echo(f"  {one.name:<34} {one.status:<11} {beliefs or one.reason}")
    codes = {report.code for report in reports}
    raise SystemExit(1 if 1 in codes else 2 if 2 in codes else 0)
