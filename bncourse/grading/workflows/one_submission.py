"""One student's files in; a platform's results.json out: what a packed autograder runs, in the platform's container.

The strongest level is taken that the container allows: the full sandbox; or a user of its own for the student's code,
from whom the master and the grader are kept by permissions and by Landlock; or a process of the same user, from whom
Landlock alone keeps them. Where even that is missing, nothing is graded, because the code could read the hidden tests.
"""

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, get_args

from bncourse.grading.authoring.course import write
from bncourse.grading.core.records import Master, SubmissionRecord
from bncourse.grading.engine.grader import Grader
from bncourse.grading.reports.platform_results import gradescope_results, how_it_ran, prairielearn_results
from bncourse.grading.sandbox.bubblewrap import GraderError, Level, SandboxError
from bncourse.grading.sandbox.without_namespaces import lacks, strongest_level
from bncourse.grading.submissions.attempted import holds_work
from bncourse.grading.submissions.find import find_notebook
from bncourse.grading.submissions.submission import submission_of


def main(arguments: list[str] | None = None) -> int:
    """Grade what lies in a folder; exit code 0 if there is a result, 1 if the grader itself failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("platform", choices=["gradescope", "prairielearn"])
    parser.add_argument("--master", type=Path, required=True, help="the master, as `bncourse pack` wrote it")
    parser.add_argument("--submission", type=Path, required=True, help="the folder with the student's files")
    parser.add_argument("--results", type=Path, required=True, help="the file to write")
    parser.add_argument("--level", choices=get_args(Level), help="instead of the strongest that works")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    try:
        master = Master.deserialized(options.master.read_text(encoding="utf-8"))
        level = options.level or strongest_level()
        record = grade_folder(master, options.submission, level)
    except (GraderError, OSError, ValueError) as error:
        print(f"bncourse: {error}", file=sys.stderr)  # noqa: T201  (for the platform's log)
        write(options.results, _failed(options.platform))
        return 1
    if options.platform == "gradescope":
        written = [cell.grade_id for cell in master.cells if cell.kind == "written"]
        results = gradescope_results(record, record.score, status=record.status, to_mark=written)
        results["output"] += f"\n{how_it_ran(record, lacks(level))}"
        results["execution_time"] = round(time.monotonic() - start, 1)
    else:
        results = prairielearn_results(record, master, lacks(level))
    write(options.results, _as_json(results))
    return 0


def grade_folder(master: Master, folder: Path, level: Level) -> SubmissionRecord:
    """Grade the notebook in a folder of one student's files.

    Raises
    ------
    GraderError
        If nothing can be graded at this level here.
    """
    if level == "process" and "Landlock" in lacks(level):
        raise SandboxError(
            "This container allows neither namespaces, nor another user, nor Landlock, so that a student's code could "
            "read the hidden tests. Run the autograder as root, or in an image whose kernel has Landlock (Linux 5.13)."
        )
    file = find_notebook(folder.resolve(), master.assignment, partial(holds_work, master))
    submission = submission_of(master, "student", file)
    with Grader(level=level, jobs=1) as grader:
        return grader.grade_submission(master, submission)


def _failed(platform: str) -> bytes:
    """Say to the student that it was not their doing, and to nobody what went wrong inside."""
    said = "The autograder itself failed; your work is not lost. Tell your instructor."
    if platform == "prairielearn":
        return _as_json({"gradable": False, "score": 0, "message": said, "format_errors": [said]})
    return _as_json({"output": said, "visibility": "visible", "stdout_visibility": "hidden", "score": 0, "tests": []})


def _as_json(results: dict[str, Any]) -> bytes:
    return (json.dumps(results, indent=1) + "\n").encode()


if __name__ == "__main__":
    sys.exit(main())
