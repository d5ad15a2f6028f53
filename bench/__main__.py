"""Run the bench; see the package's first lines."""

import argparse
import os
import sys
from pathlib import Path

KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(1 << 33), "MALLOC_MMAP_THRESHOLD_": str(1 << 33)}
"""For the C library's allocator: keep freed memory. Otherwise whether a result's pages are fresh, and have to be
cleared by the operating system, depends on sizes just above or below a threshold, and hides the arithmetic of either
side."""


def main() -> int:
    """Exit code: 0 if every bar is kept, 1 if one is broken."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="speed as ratios, side by side in one run")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each row of a table on the CPU")
    parser.add_argument("--cuda", action="store_true", help="measure on the GPU instead")
    parser.add_argument("--record", type=Path, help="with --cuda: write the figures and their provenance there (JSON)")
    parser.add_argument("--commit", default="unknown", help="with --cuda: the revision measured, for the provenance")
    options = parser.parse_args()
    if options.cuda:
        from bench import cuda

        return 0 if cuda.run(options.record, options.commit) else 1
    if any(os.environ.get(name) != value for name, value in KEEP_MEMORY.items()):
        arguments = [sys.executable, "-m", "bench", *sys.argv[1:]]
        os.execve(sys.executable, arguments, os.environ | KEEP_MEMORY)  # noqa: S606  # the same program again
    from bench import cpu

    return 0 if cpu.run(options.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
