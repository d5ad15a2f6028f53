"""Record what the commands of a lecturer's first hour say, for the book: `python -m tools.first_hour`.

Each command is run in a fresh course folder, in this order; the book's page includes the files, and
tests/book/test_teach.py compares them with what the commands say then.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "book" / "teach" / "first_hour"
WIDTH = 76

COMMANDS = {
    "doctor": "bncourse doctor --no-speed",
    "release": "bncourse release backward",
    "sample_class": "bncourse sample-class backward",
    "grade": "bncourse grade backward",
    "feedback": "bncourse feedback backward",
    "export": "bncourse export backward",
    "canvas": "bncourse export backward --format canvas",
    "report": "bncourse report backward",
    "regrade": "bncourse regrade backward --dry-run",
    "replay": "bncourse replay dora backward",
    "check": "bncourse check backward.ipynb",
}
"""By the name of its record: the command as it is typed in the repository's root, or beside the notebook."""


def cleaned(said: str, course: Path) -> str:
    """What a command said, without progress bars, without this machine's paths, and without blanks at the ends."""
    said = said.replace(str(course), "_build/course")
    said = re.sub(r"(│ alembic +│ yes │ )(\S+)", lambda found: found[1] + "found".ljust(len(found[2])), said)
    lines = [line.rstrip() for line in said.splitlines() if "━━━━━━━━━━━━━━━━━━" not in line or line[:1] in "┏┡"]
    return "\n".join(lines).strip("\n") + "\n"


def run(command: str, course: Path) -> str:
    """Run one of the commands on the course folder."""
    program, *arguments = command.split()
    if arguments[0] == "check":
        arguments[1] = str(course / "release" / "backward" / arguments[1])
    options = [] if arguments[0] in ("doctor", "check") else ["--course", str(course)]
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments, *options],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": str(WIDTH), "BNCOURSE_COURSE": str(course)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != (arguments[0] == "check"):  # 1: nothing has been written in it yet
        raise SystemExit(f"{command}: exit status {done.returncode}\n{done.stderr}")
    return cleaned(done.stdout, course)


def main() -> None:
    """Run all and write the records."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name, command in COMMANDS.items():
            (FOLDER / f"{name}.txt").write_text(run(command, Path(scratch) / "course"), encoding="utf-8")
            print(command, flush=True)


if __name__ == "__main__":
    main()
