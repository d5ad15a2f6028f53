"""`bncourse diagnose FILE`: what a student's file believes about batch norm, in any course's words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bncourse.cli._shared import Refusal

if TYPE_CHECKING:
    from bncourse.diagnosis.conventions import FileReport


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "convention", help="The course whose convention counts: what differs from it is then a mistake.")
@click.option("--json", "as_json", is_flag=True, help="Print plain data.")
@click.option("--hints", default=1, show_default=True, type=click.IntRange(0, 3), help="How many hints are shown.")
@click.option(
    "--sandbox", is_flag=True, help="Run the file inside the grader's sandbox: no network, none of your files."
)
@click.option(
    "--seconds",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    help="Processor time for each normalization of a file.",
)
def command(
    files: tuple[Path, ...], convention: str | None, as_json: bool, hints: int, sandbox: bool, seconds: float
) -> None:
    """Find the normalizations in FILES (.py or notebooks), and say what each function believes.

    The functions are found by their names and signatures, and called as their course calls them. For one file you get
    a report for each function, for several files a table. Where no belief explains a mistake, one change of the code is
    searched after which everything is right, and its line and kind are said, not the right code itself. The exit code
    is 0 if everything found is right, 1 if something is mistaken, 2 if nothing could be looked at, 130 if you stop it.
    Each file is run in a process of its own, which ends when its time is up; what it prints is not shown, and `input()`
    finds nothing to read. If the file is not your own and you have not read it, use --sandbox.
    """
    from bncourse.diagnosis.conventions import CONVENTIONS
    from bncourse.diagnosis.conventions.apart import diagnose_apart

    if convention is not None and convention not in CONVENTIONS:
        raise Refusal(f"no convention is called {convention!r}. Known are {', '.join(CONVENTIONS)}.")
    look: "Callable[..., FileReport]" = diagnose_apart
    if sandbox:
        try:
            from bncourse.grading.sandbox.diagnosing import diagnose_in_sandbox
        except ModuleNotFoundError as error:
            raise Refusal(f"--sandbox needs {error.name}. Use: pip install 'bncourse[grading]'.") from error
        look = diagnose_in_sandbox
    reports = []
    try:
        for path in files:
            reports.append(look(path, convention, seconds=seconds))
    except KeyboardInterrupt:
        click.echo("bncourse: stopped; nothing of your files has been changed.", err=True)
        raise SystemExit(130) from None
    except RuntimeError as error:  # a layer of the sandbox is missing, or no process starts
        raise Refusal(str(error)) from error
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
                where = f" ({one.place.where})" if one.place else ""
                click.echo(f"  {one.name:<34} {one.status:<11} {beliefs or one.reason}{where}")
    codes = {report.code for report in reports}
    raise SystemExit(1 if 1 in codes else 2 if 2 in codes else 0)
