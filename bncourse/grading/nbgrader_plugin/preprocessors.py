"""nbgrader's call for one submission in; the graded notebook out, as safe as `bncourse grade`.

nbgrader reads every file twice, copies what lies beside it, and runs notebooks in a kernel. Here it is handed the
released notebook instead of the student's file, which only the engine reads; and nothing runs outside the sandbox.
"""

import atexit
import shutil
import stat
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import parse_utc
from traitlets import Unicode

from bncourse.grading.authoring.course import Course, CourseError, find_course
from bncourse.grading.authoring.masters import MasterError
from bncourse.grading.engine.grader import Grader
from bncourse.grading.gradebook.writer import GradebookWriter
from bncourse.grading.sandbox.bubblewrap import GraderError, SandboxError, probe
from bncourse.grading.submissions.files import read_file
from bncourse.grading.submissions.submission import read
from bncourse.grading.workflows.release import load_release
from bncourse.grading.workflows.store import graded_notebook

ODD = "not-read"
"""Folder for what nbgrader must not copy: links, pipes, devices, timestamps that are none."""


class ReleasedNotebookExporter(NotebookExporter):  # type: ignore[misc]
    """Gives nbgrader the released notebook, whatever the student's file holds."""

    course_root = Unicode(help="The course folder.").tag(config=True)
    masters = Unicode(help="The folder of the masters.").tag(config=True)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        level = str(self.config.GradeInSandbox.get("level", "full"))
        try:
            probe().require(level)  # type: ignore[arg-type]
        except SandboxError as error:
            sys.exit(f"bncourse: {error}")

    def from_filename(self, filename: str, resources: Any = None, **options: Any) -> Any:
        """Export the release in the place of the file."""
        course = find_course(Path(self.course_root), Path(self.masters))
        released = load_release(course, resources["nbgrader"]["assignment"])
        return self.from_notebook_node(nbformat.from_dict(released), resources=resources, **options)


class GradeInSandbox(NbGraderPreprocessor):  # type: ignore[misc]
    """Grades the submission with our engine and writes the gradebook; takes the place of Execute and SaveAutoGrades."""

    course_root = Unicode(help="The course folder.").tag(config=True)
    masters = Unicode(help="The folder of the masters.").tag(config=True)
    level = Unicode("full", help="The sandbox's level; lower it by name only.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Replace the notebook with the graded one."""
        facts = resources["nbgrader"]
        course = find_course(Path(self.course_root), Path(self.masters), facts["db_url"])
        assignment, student = facts["assignment"], facts["student"]
        master = course.master(assignment)
        submission = read(course, master, student)
        record = shared_grader(self.level).grade_submission(master, submission)
        with GradebookWriter(course, master) as writer:
            writer.write(submission, record)
        self.log.info("%s: %s, %s of %s points", student, record.status, record.score, record.max_score)
        released = load_release(course, assignment)
        return nbformat.from_dict(graded_notebook(released, submission, record)), resources


def before_autograding(course: Course, config: Any, *, assignment: str, **names: Any) -> None:
    """Refuse where nothing can be graded, before nbgrader writes anything; and set aside what it must not copy."""
    make_sure(course, assignment, str(config.GradeInSandbox.get("level", "full")))
    set_odd_files_aside(assignment=assignment, **names)


def make_sure(course: Course, assignment: str, level: str) -> None:
    """End the command with one line where the assignment cannot be graded on this machine."""
    try:
        shared_grader(level).prepare(course.master(assignment))
    except (GraderError, CourseError, MasterError) as error:
        sys.exit(f"bncourse: {error}")


@lru_cache(maxsize=1)
def shared_grader(level: str) -> Grader:
    """One engine for all submissions of a command; it ends with the command."""
    grader = Grader(level=level, jobs=1)  # type: ignore[arg-type]
    atexit.register(grader.close)
    return grader


def set_odd_files_aside(assignment: str, student: str, notebooks: list[str]) -> None:
    """Move what nbgrader must not copy out of a submission's folder; nbgrader calls this before it touches one."""
    for folder in {Path(notebook).parent for notebook in notebooks}:
        root = folder.parents[2]
        for path in sorted(folder.rglob("*"), reverse=True):
            mode = path.lstat().st_mode
            plain = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
            if not plain or (path == folder / "timestamp.txt" and not _is_time(path)):
                aside = root / ODD / path.relative_to(root / "submitted")
                aside.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, aside)


def _is_time(path: Path) -> bool:
    file = read_file(path)
    try:
        parse_utc(file.content[:100].decode().strip())
    except (ValueError, OverflowError):
        return False
    return not file.reason
