"""The command line: `bncourse`, or `python -m bncourse`."""

import sys


def main() -> None:
    """Run the command line, or say which extra brings it."""
    try:
        from bncourse.cli import main as run
    except ModuleNotFoundError as missing:
        if missing.name not in ("click", "rich"):
            raise
        sys.exit(f"The command line needs {missing.name}. Type: pip install 'bncourse[cli]'")
    run(prog_name="bncourse")


if __name__ == "__main__":
    main()
