"""`bncourse experiment`: list the questions, answer one of them on this machine, draw the answer."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile

import click


@click.group()
def command() -> None:
    """List the experiments, run one, or draw what it measured."""


@command.command("list")
def list_experiments() -> None:
    """Show every experiment with its question."""
    from bncourse.experiments import NAMES, experiment

    width = max(map(len, NAMES))
    for name in NAMES:
        click.echo(f"{name:<{width}}  {experiment(name).QUESTION}")


@command.command("run")
@click.argument("name")
@click.option("--quick", is_flag=True, help="The small version: embedded digits, seconds rather than minutes.")
@click.option("--data", type=click.Choice(["digits", "mnist"]), help="Another data set than the experiment's own.")
@click.option("--seeds", type=click.IntRange(min=1), help="Number of seeds, from 0 on.")
@click.option("--device", help="As PyTorch names it: cpu, cuda, mps.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes of one thread each.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("experiments"),
    show_default=True,
    help="Folder of the results; a run that was stopped continues from what it finds there.",
)
def run_experiment(
    name: str, quick: bool, data: str | None, seeds: int | None, device: str | None, jobs: int, out: Path
) -> None:
    """Run the experiment NAME, or `all` of them, and save each Result as OUT/NAME.json."""
    from bncourse.experiments import NAMES, experiment
    from bncourse.experiments.data import DataMissing

    for each in NAMES if name == "all" else [name]:
        try:
            module = experiment(each)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        config = module.QUICK if quick else module.FULL
        if data is not None and config.data == "none":
            if name != "all":
                raise click.UsageError(f"--data {data}: {each} uses no data set.")
        elif data is not None:
            config = replace(config, data=data)
        if seeds is not None:
            config = config.with_seeds(seeds)
        if device is not None:
            _check_device(device)
            config = replace(config, device=device)
        try:
            _run(each, config, jobs, out)
        except DataMissing as error:
            raise click.UsageError(str(error)) from error
        except OSError as error:
            raise click.ClickException(
                f"{error.filename or out}: {error.strerror or error}. Name another folder with --out, or make room and "
                f"run the same command again: what is finished is kept in {out / 'units'}."
            ) from error


@command.command("draw")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the figure goes, as SVG.  [default: NAME.svg]",
)
def draw_experiment(name: str, out: Path | None) -> None:
    """Draw NAME: an experiment's recorded full run, or the file of a Result of your own."""
    from bncourse.experiments import load, recorded
    from bncourse.plots.experiments import draw

    own = Path(name)
    try:
        drawing = draw(load(own) if own.suffix == ".json" else recorded(name))
        path = out or Path(f"{own.stem}.svg")
        path.write_text(drawing.svg + "\n", encoding="utf-8")
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from error
    click.echo(drawing.alt)
    click.echo(f"{path}: the figure")


def _check_device(device: str) -> None:
    """Refuse a device that PyTorch cannot use here."""
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise click.UsageError(
            f"--device {device}: PyTorch cannot use it here ({reason}). Try --device cpu."
        ) from error


def _run(name: str, config: object, jobs: int, out: Path) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from bncourse import experiments
    from bncourse.experiments.report import table

    (out / "units").mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=out):  # a folder that cannot be written is refused before anything is computed
        pass

    def advance(step: experiments.Progress) -> None:
        left = f"{step.seconds_left:.0f} s left"
        bar.update(task, completed=step.done, total=step.planned, left=left)

    columns = (
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None, left="")
        result = experiments.run(name, config, folder=out / "units", jobs=jobs, on_progress=advance)  # type: ignore[arg-type]
    path = out / f"{name}.json"
    result.save(path)
    click.echo(table(result))
    click.echo(f"{path}: {len(result.units)} units")
