"""`bncourse explain`: the catalogue of beliefs, or some of its entries in full."""

import difflib

import click

from bncourse.cli._shared import Refusal


@click.command()
@click.argument("ids", nargs=-1)
@click.option("--part", help="List only the beliefs about this part, such as dx or running.")
def command(ids: tuple[str, ...], part: str | None) -> None:
    """List the wrong beliefs that the checks can name; with IDS, explain these in full."""
    from bncourse.diagnosis.catalogue import known_beliefs

    beliefs = known_beliefs()
    for name in ids:
        if name not in beliefs:
            near = [known for known in beliefs if name in known] or difflib.get_close_matches(name, beliefs, cutoff=0.4)
            advice = f"Near: {', '.join(near[:5])}." if near else "`bncourse explain` lists them all."
            raise Refusal(f"no belief is called {name!r}. {advice}")
    parts = dict.fromkeys(entry.part for entry in beliefs.values())
    if part is not None and part not in parts:
        raise Refusal(f"no belief is about {part!r}. The parts are {', '.join(parts)}.")
    if not ids:
        for heading in parts:
            if part not in (None, heading):
                continue
            click.secho(heading, bold=True)
            for entry in beliefs.values():
                if entry.part == heading:
                    click.echo(f"  {entry.id:<34} {entry.belief}")
        return
    for name in ids:
        entry = beliefs[name]
        click.secho(entry.id, bold=True)
        click.echo(f"  part     {entry.part}")
        click.echo(f"  belief   {entry.sentence}")
        click.echo(f"  truth    In truth {entry.truth}.")
        if entry.symptom:
            click.echo(f"  symptom  {entry.symptom}")
        for other in entry.also:
            click.echo(f"  also     {other}")
        for number, hint in enumerate(entry.hints, start=1):
            click.echo(f"  hint {number}   {hint}")
        click.echo(f"  read     {entry.link}\n")
