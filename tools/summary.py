"""What `make` says at the end: where everything lies, and what is still to type."""

import argparse
import shutil
import sys
from pathlib import Path

from tools.browser import runtime

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print the places, each only if it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--course", default="_build/course", help="the course folder")
    course = Path(parser.parse_args().course)
    places = [
        ("the site", ROOT / "_build" / "html" / "index.html"),
        ("the students' notebooks", course / "release"),
        ("the grades", course / "grades.csv"),
        ("the verdicts", course / "verdicts.jsonl"),
        ("the feedback", course / "feedback"),
    ]
    sys.stdout.write("\nDone. Here lies\n")
    for name, path in places:
        if path.exists():
            shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            sys.stdout.write(f"  {name + ':':25} {shown}\n")
    sys.stdout.write("To read the book: make serve\n")
    if runtime.TROUBLE.exists():
        sys.stdout.write(runtime.TROUBLE.read_text("utf-8"))
    if shutil.which("bwrap") is None:
        sys.stdout.write("Grading needs bubblewrap. Type: sudo apt-get install bubblewrap && make\n")


if __name__ == "__main__":
    main()
