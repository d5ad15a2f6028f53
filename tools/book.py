"""Build the book: `python -m tools.book` leaves the site in _build/html, with warnings as errors.

It is `jupyter-book build -n -W --keep-going .` with its output in _build, its progress on one line a page,
and a true exit code.
"""

import argparse
import fcntl
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
TELLING = ("Executing notebook", "Executed notebook")
TROUBLE = ("WARNING:", "ERROR:", "CRITICAL:")
NOISE = ("IPKernelApp", "Please also report", "A bug report can be filed", "The full traceback has been saved")
COLORS = re.compile(r"\x1b\[[0-9;]*m")


def build(source: Path, output: Path, *, verbose: bool = False) -> int:
    """Run Jupyter Book on `source`, leaving the site in `output`/_build/html; return its exit status.

    Two builds in one folder would spoil each other's work, so the second waits.
    """
    (output / "_build").mkdir(parents=True, exist_ok=True)
    with (output / "_build" / ".book.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return build_alone(source, output, verbose=verbose)


def build_alone(source: Path, output: Path, *, verbose: bool) -> int:
    """Run Jupyter Book and pass on what it says, as far as that is of interest."""
    run = "from jupyter_book.cli.main import main; main()"
    command = [
        sys.executable,
        "-c",
        run,
        "build",
        "-n",
        "-W",
        "--keep-going",
        "--path-output",
        str(output),
        str(source),
    ]
    environment = os.environ | {
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",
        "NO_COLOR": "1",
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
    }
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=source
    )
    said = []
    for raw in process.stdout or ():
        line = COLORS.sub("", raw.rstrip("\n"))
        if any(word in line for word in NOISE):
            continue
        said.append(line)
        if verbose:
            print(line, flush=True)
        elif any(word in line for word in TELLING):
            print("  " + line.replace(f"{source}/", "").removesuffix(" [mystnb]"), flush=True)
        elif any(word in line for word in TROUBLE):
            print(line, flush=True)
    status = process.wait()
    if status and not verbose:
        print("\n".join(what_failed(said)), flush=True)
    return status


def what_failed(said: list[str]) -> list[str]:
    """The cell that raised, with its error; or, where no cell did, the last lines."""
    for place, line in enumerate(said):
        if "CellExecutionError:" in line:
            end = next((n for n, text in enumerate(said[place:], place) if "The above exception" in text), len(said))
            return said[place:end][:80]
    return said[-25:]


def main() -> int:
    """Build the book of this repository and say where it lies."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--verbose", action="store_true", help="show everything that Sphinx says")
    parser.add_argument("--output", type=Path, default=ROOT, help="build in this folder's _build instead")
    chosen = parser.parse_args()
    begin = time.perf_counter()
    print("Building the book ...", flush=True)
    status = build(ROOT, chosen.output.resolve(), verbose=chosen.verbose)
    took = time.perf_counter() - begin
    if status:
        print(f"The book was not built (exit status {status}, {took:.0f} s): see above.", flush=True)
    else:
        where = chosen.output / "_build/html/index.html"
        print(f"The book lies in {where.relative_to(ROOT) if where.is_relative_to(ROOT) else where} ({took:.0f} s).")
    return status


if __name__ == "__main__":
    sys.exit(main())
