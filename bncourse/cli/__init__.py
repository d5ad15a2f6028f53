"""A command's name in, its click command out; each command is a file of this folder, holding an object `command`.

It may import every package, and imports a command's file only when that command is asked for, so that
`bncourse check` does not wait for what grading needs.
"""

import importlib
import pkgutil

try:
    import click
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "bncourse.cli needs click, which is not installed. Use: pip install 'bncourse[cli]'", name=error.name
    ) from error


class LazyGroup(click.Group):
    """A group whose subcommands are the files of this folder."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names of the files here, with dashes, in alphabetical order; a leading underscore hides one."""
        names = (module.name for module in pkgutil.iter_modules(__path__))
        return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's file, or return None where there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bncourse")
def main() -> None:
    """Release, check, grade and explain the batch-normalization course."""
