"""Build the book: `python -m tools.book` leaves the site in _build/html, with warnings as errors.

It is `jupyter-book build -n -W --keep-going .` with its output in _build, its progress on one line a page,
and a true exit code.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
TELLING = ("Executing notebook", "Executed notebook", "Using cached")
TROUBLE = ("WARNING:", "ERROR:", "Traceback", "Exception occurred", "CRITICAL:")
NOISE = ("IPKernelApp", "Please also report", "A bug report can be filed")


def build(source: Path, output: Path, *, verbose: bool = False) -> int:
    """Run Jupyter Book on `source`, leaving the site in `output`/_build/html; return its exit status."""
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
    command += ["-n", "-W", "--keep-going", "--path-output", str(output), str(source)]
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
    trouble = False
    lines = []
    for line in process.stdout or ():
        if any(word in line for word in NOISE):
            continue
        lines.append(line)
        trouble = trouble or any(word in line for word in TROUBLE)
        if verbose or trouble:
            print(line, end="", flush=True)
        elif any(word in line for word in TELLING):
            print("  " + line.strip().removesuffix("[mystnb]"), flush=True)
    status = process.wait()
    if status and not (verbose or trouble):
        print("".join(lines[-60:]), flush=True)
    return status


def main() -> int:
    """Build the book of this repository and say where it lies."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--verbose", action="store_true", help="show everything that Sphinx says")
    chosen = parser.parse_args()
    begin = time.perf_counter()
    print("Building the book ...", flush=True)
    status = build(ROOT, ROOT, verbose=chosen.verbose)
    took = time.perf_counter() - begin
    if status:
        print(f"The book was not built (exit status {status}, {took:.0f} s): see above.", flush=True)
    else:
        print(f"The book lies in _build/html/index.html ({took:.0f} s).", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
