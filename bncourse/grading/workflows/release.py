"""An assignment in; the students' notebook, the wheel beside it, and nbgrader's entry for it out."""

import contextlib
import json
from pathlib import Path
from typing import Any

from bncourse.grading.authoring.course import WITHOUT_WRITTEN, Course, CourseError, notebook_digest, write
from bncourse.grading.core.install import WHEEL
from bncourse.grading.workflows.nbgrader_settings import configure
from bncourse.grading.workflows.student_wheel import lay_wheel


def is_released(course: Course, assignment: str) -> bool:
    """Whether the released notebook, and the gradebook, are those of the master as it is now."""
    digest = course.master(assignment).metadata["digest"]
    if notebook_digest(course.notebook("release", assignment)) != digest:
        return False
    if course.installed_from.is_file and not (course.folder("release", assignment) / WHEEL).is_file():
        return False
    # not by nbgrader's interface, which takes seconds to import
    import sqlalchemy as sql

    try:
        url = sql.make_url(course.db_url)
    except (sql.exc.ArgumentError, ValueError):
        return False
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return False
    query = sql.text(
        "SELECT COUNT(*) FROM notebook JOIN assignment ON notebook.assignment_id = assignment.id "
        "WHERE notebook.name = :name AND assignment.name = :name"
    )
    try:
        engine = sql.create_engine(url)
    except ImportError:
        return False
    try:
        with engine.connect() as connection:
            return bool(connection.scalar(query, {"name": assignment}) == 1)
    except sql.exc.SQLAlchemyError:
        return False
    finally:
        engine.dispose()


def choose_written(course: Course, assignment: str, *, written: bool) -> None:
    """Have this course's release of an assignment hold its written answers, or be marked by tests alone.

    Raises
    ------
    CourseError
        If students have handed in already. Nothing has been changed then.
    """
    course.master(assignment)
    without = course.without_written
    if (assignment not in without) == written:
        return
    students = course.students(assignment)
    if students:
        raise CourseError(
            f"{students[0]} has handed in {assignment}, so its written answers stay as they are here: grades would "
            "be of another total. Use another --course folder."
        )
    names = without - {assignment} if written else without | {assignment}
    write(course.root / WITHOUT_WRITTEN, (json.dumps(sorted(names)) + "\n").encode())


def release(course: Course, assignment: str) -> None:
    """Write the students' notebook and the assignment's entry in the gradebook, as `nbgrader generate_assignment` does.

    Raises
    ------
    CourseError
        If there is no such assignment, or nbgrader refuses.
    """
    from nbgrader.converters import GenerateAssignment, NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    from bncourse.grading.gradebook.records_table import open_gradebook, require_writable

    course.master(assignment)
    with contextlib.closing(open_gradebook(course)) as gradebook:
        require_writable(gradebook, course)
    config = Config()
    configure(config, course)
    config.BaseConverter.force = True
    directory = CourseDirectory(config=config, assignment_id=assignment)
    directory.log.setLevel("ERROR")
    try:
        GenerateAssignment(coursedir=directory, config=config).start()
    except NbGraderException as error:
        raise CourseError(
            f"nbgrader could not release {assignment}; its messages are above. If cells were added or removed "
            "after students handed in, release under another name."
        ) from error
    lay_wheel(course.folder("release", assignment), needed=course.installed_from.is_file)


def load_release(course: Course, assignment: str) -> dict[str, Any]:
    """The released notebook.

    Raises
    ------
    CourseError
        If the assignment was not released, or its master has changed since.
    """
    path = course.notebook("release", assignment)
    try:
        released: dict[str, Any] = json.loads(path.read_bytes())
        same = released["metadata"]["bncourse"]["digest"] == course.master(assignment).metadata["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise CourseError(
            f"{assignment} is not released as its master is now. Type first: bncourse release {assignment}"
        )
    for cell in released["cells"]:
        cell["source"] = "".join(cell["source"])  # which Jupyter writes line by line
    return released
