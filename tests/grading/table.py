"""Run every row of the attack and fault list and print a table: `python -m tests.grading.table`."""

import subprocess
import sys

from rich.console import Console
from rich.table import Table

from bncourse.grading.engine import Grader
from tests.grading.test_vectors import check
from tests.grading.vectors import STOCK, RunVector, Vector
from tests.grading.vectors.rows import COLLECTIONS


def main() -> None:
    """Print the table; the exit status is 1 where a row does not stand."""
    table = Table(title="Attack and fault vectors", show_lines=False)
    table.add_column("row")
    table.add_column("stock nbgrader 0.9\n(as recorded, not run here)")
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
                table.add_row(vector.row, STOCK[vector.stock], verdict, str(count) if count else "a run")
    Console(width=150).print(table)
    sys.stdout.write(f"{fallen} rows do not stand.\n")
    sys.exit(1 if fallen else 0)


def outcome(grader: Grader, vector: Vector | RunVector) -> tuple[list[str], int]:
    """What does not stand of a row, and how many submissions showed it."""
    if isinstance(vector, Vector):
        return check(grader, vector), 2 * len(vector.pairs())
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", vector.test]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return ([] if done.returncode == 0 else [done.stdout.strip().splitlines()[-1]]), 0


if __name__ == "__main__":
    main()
