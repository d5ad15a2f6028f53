"""import-linter's layers in, the picture of the packages in ARCHITECTURE.md out: `python -m tools.architecture`."""

import re
import sys
import tomllib
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "ARCHITECTURE.md"
BEGIN, END = "<!-- begin: python -m tools.architecture -->", "<!-- end -->"
WIDTH = 38


def layers(container: str) -> list[list[str]]:
    """The packages of a layers contract, top first; those of one layer know nothing of each other.

    Parameters
    ----------
    container : str
        `bncourse` or `bncourse.grading`.

    Raises
    ------
    LookupError
        If pyproject.toml has no such contract.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    for contract in settings["contracts"]:
        if contract["type"] == "layers" and contract.get("containers", [settings["root_package"]]) == [container]:
            rows = [[name.strip() for name in row.split("|")] for row in contract["layers"]]
            return [[name.removeprefix(f"{container}.") for name in row] for row in rows]
    raise LookupError(f"pyproject.toml has no layers contract for {container}")


def column(title: str, rows: list[list[str]]) -> list[str]:
    """A stack of boxes with a title, each line as wide as the others."""
    lines = [title.ljust(WIDTH + 2), "┌" + "─" * WIDTH + "┐"]
    lines += ["│" + " │ ".join(row).center(WIDTH) + "│" for row in rows]
    return [*lines, "└" + "─" * WIDTH + "┘"]


def picture() -> str:
    """Both stacks side by side: a package may import what stands below it."""
    left, right = column("bncourse", layers("bncourse")), column("bncourse.grading", layers("bncourse.grading"))
    pairs = zip_longest(left, right, fillvalue=" " * (WIDTH + 2))
    return "\n".join(f"{one}   {other}".rstrip() for one, other in pairs)


def page(text: str) -> str:
    """The page with its picture as the contracts say now."""
    made = f"{BEGIN}\n```text\n{picture()}\n```\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: made, text, flags=re.DOTALL)


def main() -> int:
    """Write the picture into the page."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
