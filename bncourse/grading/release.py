"""Release an assignment: render its master and let nbgrader make the students' version and its gradebook entry."""

from pathlib import Path

from bncourse.grading.course import Course, CourseError, notebook_digest
from bncourse.grading.nbgrader_settings import configure


def is_released(course: Course, assignment: str) -> bool:
    """Whether the released notebook, and the gradebook, are those of the master as it is now."""
    digest = course.master(assignment).metadata["digest"]
    if notebook_digest(course.notebook("release", assignment)) != digest:
        return False
    # not by nbgrader's interface, which takes seconds to import
    import sqlalchemy as sql

    url = sql.make_url(course.db_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return False
    query = sql.text(
        "SELECT COUNT(*) FROM notebook JOIN assignment ON notebook.assignment_id = assignment.id "
        "WHERE notebook.name = :name AND assignment.name = :name"
    )
    engine = sql.create_engine(url)
    try:
        with engine.connect() as connection:
            return bool(connection.scalar(query, {"name": assignment}) == 1)
    except sql.exc.SQLAlchemyError:
        return False
    finally:
        engine.dispose()


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

    course.master(assignment)
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
