"""nbgrader's call for one submission in; the graded notebook out, as safe as `bncourse grade`.

nbgrader reads every file twice, copies what lies beside it, and runs notebooks in a kernel. Here it is handed the
released notebook instead of the student's file, which only the engine reads; and nothing runs outside the sandbox.
"""

import atexit
import glob
import json
import os
import stat
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
import sqlalchemy as sql
from nbconvert.exporters import NotebookExporter
from nbgrader.api import Student
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.masters import MasterError
from bncourse.grading.core.plain_text import one_line
from bncourse.grading.core.student_ids import shown_id, why_refused
from bncourse.grading.engine.grader import Grader
from bncourse.grading.gradebook.writer import GradebookWriter
from bncourse.grading.sandbox.bubblewrap import GraderError, SandboxError, probe
from bncourse.grading.submissions import beside
from bncourse.grading.submissions.beside import handed_in_at
from bncourse.grading.submissions.files import read_file
from bncourse.grading.workflows.release import load_release
from bncourse.grading.workflows.submission_process import SubmissionProcess

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
        self._take_every_submission()

    def _take_every_submission(self) -> None:
        """Have nbgrader convert one notebook, under the assignment's name, in each folder that was handed in.

        It would pass over those in which the file has another name; how it is found there is for the engine to say.
        """
        converter = self.parent
        folders = getattr(converter, "assignments", None)
        if not isinstance(folders, dict):
            return
        course, name = converter.coursedir, converter.coursedir.assignment_id
        for folder in glob.glob(course.format_path(course.submitted_directory, course.student_id, name)):  # noqa: PTH207
            if Path(folder).is_dir():
                folders[folder] = [str(Path(folder) / f"{name}.ipynb")]

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
        with SubmissionProcess(course, master) as process:
            submission = process.submission(student)
            record = shared_grader(self.level).grade_submission(master, submission)
            notebook, record = process.show(submission, record)
        with GradebookWriter(course, master) as writer:
            writer.write(submission, record)
        self.log.info("%s: %s, %s of %s points", student, record.status, record.score, record.max_score)
        return nbformat.from_dict(json.loads(notebook)), resources


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
        submitted = root / "submitted"
        aside = _Aside(root / ODD, submitted)
        linked = [part for part in (folder.parent, folder) if part.is_symlink()]
        try:
            for path in linked[:1] or _odd_files(folder, submitted):
                aside.put(path)
        except OSError:  # nbgrader would go on and copy what it finds there
            aside.put(folder.parent)


class _Aside:
    """A folder of this call's own, made when something is put there: nothing lies there that a student made.

    Parameters
    ----------
    within : Path
        Where such folders are made.
    submitted : Path
        What is moved lies below it.
    """

    def __init__(self, within: Path, submitted: Path) -> None:
        self._within, self._submitted = within, submitted
        self._made: Path | None = None

    def put(self, path: Path) -> None:
        """Move a file, a link or a folder here, by its own name and never through a link."""
        if self._made is None:
            self._within.mkdir(exist_ok=True)
            self._made = Path(tempfile.mkdtemp(prefix=time.strftime("%Y-%m-%d-"), dir=self._within))
        target = self._made / path.relative_to(self._submitted)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)


def _odd_files(folder: Path, submitted: Path) -> list[Path]:
    """Links, pipes, devices, what cannot be read, names that move a terminal, and a timestamp that is none."""
    odd = list[Path]()

    def unreadable(error: OSError) -> None:
        odd.append(Path(os.fsdecode(error.filename)))

    for where, folders, files in os.walk(folder, onerror=unreadable):
        for name in (*folders, *files):
            path = Path(where, name)
            mode = path.lstat().st_mode
            plain = stat.S_ISDIR(mode) or (stat.S_ISREG(mode) and os.access(path, os.R_OK))
            if not plain or (one_line(name) != name and not stat.S_ISDIR(mode)):
                odd.append(path)
    timestamp = folder / "timestamp.txt"
    if os.path.lexists(timestamp) and timestamp not in odd:
        file = read_file(timestamp, submitted, beside.MAX_BYTES)
        if handed_in_at(file.content) is None:
            odd.append(timestamp)
    return odd


@sql.event.listens_for(Student, "before_insert")  # type: ignore[untyped-decorator]
def refuse_id(_mapper: Any, _connection: Any, student: Student) -> None:
    """Keep ids out of the gradebook that nbgrader's pages would read as a part of themselves."""
    why = why_refused(student.id)
    if why:
        raise CourseError(f"The folder {shown_id(student.id)} is not graded: {why}. Rename it.")
