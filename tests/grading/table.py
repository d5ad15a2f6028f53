"""Run every row of the attack and fault list and print a table: `python -m tests.grading.table`.

With `--measure-stock`, stock nbgrader grades the same submissions in the same run, with its own executor, and its
column says what became of them; only for a machine on which any code may run, because stock nbgrader walls nothing in.
"""

import argparse
import subprocess
import sys

from rich.console import Console
from rich.table import Table

from bncourse.grading.engine.grader import Grader
from tests.acceptance.test_vectors import check
from tests.grading.stock import by_stock, in_words
from tests.grading.vectors import STOCK, RunVector, Vector
from tests.grading.vectors.rows import COLLECTIONS


def main() -> None:
    """Print the table; the exit status is 1 where a row does not stand."""
    parser = argparse.ArgumentParser(prog="python -m tests.grading.table", description="attack and fault vectors")
    parser.add_argument("--measure-stock", action="store_true", help="have stock nbgrader grade the same, unprotected")
    measured = parser.parse_args().measure_stock
    table = Table(title="Attack and fault vectors", show_lines=False)
    table.add_column("row")
    table.add_column(f"stock nbgrader 0.9\n({'measured in this run' if measured else 'as recorded, not run here'})")
    table.add_column("bncourse")
    table.add_column("submissions", justify="right")
    fallen = 0
    with Grader(jobs=2) as grader:
        for collection in COLLECTIONS:
            table.add_section()
            table.add_row(f"[bold]{collection.section}[/bold]", "", "", "")
            for vector in [*collection.vectors, *collection.runs]:
                problems, count = outcome(grader, vector)
                fallen += bool(problems)
                verdict = f"[red]{problems[0][:200]}[/red]" if problems else "stands"
                stock = stock_outcome(vector) if measured else STOCK[vector.stock]
                table.add_row(vector.row, stock, verdict, str(count) if count else "a run")
    Console(width=150).print(table)
    sys.stdout.write(f"{fallen} rows do not stand.\n")
    sys.exit(1 if fallen else 0)


def stock_outcome(vector: Vector | RunVector) -> str:
    """What stock nbgrader does to a row's first submission, in words; rows that may harm this machine are left out."""
    if isinstance(vector, RunVector) or vector.section == "Resources":
        return f"not measured ({STOCK[vector.stock]})"
    pair = vector.pairs()[0]
    return in_words(*by_stock([pair.trick, pair.control]))


def outcome(grader: Grader, vector: Vector | RunVector) -> tuple[list[str], int]:
    """What does not stand of a row, and how many submissions showed it."""
    if isinstance(vector, Vector):
        return check(grader, vector), 2 * len(vector.pairs())
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", vector.test]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return ([] if done.returncode == 0 else [done.stdout.strip().splitlines()[-1]]), 0


if __name__ == "__main__":
    main()
