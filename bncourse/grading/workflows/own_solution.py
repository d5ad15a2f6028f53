"""A master in; whether its own solution passes all of its tests out, tried in this process."""

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.core.records import Master, Verdict
from bncourse.grading.core.render import source_notebook
from bncourse.grading.student.selfcheck import run_checks


def own_failure(master: Master) -> Verdict | None:
    """The first test, hidden ones included, that a master's own solution does not pass.

    Raises
    ------
    MissingExtraError
        If a library that its cells need is not installed here.
    """
    return next((each for each in run_checks(source_notebook(master)) if each.outcome != "correct"), None)


def require_own_solution(course: Course, assignment: str) -> None:
    """Refuse a master whose own solution does not pass its tests, so that nobody is graded by them.

    Raises
    ------
    CourseError
        Naming the test and what it says.
    MissingExtraError
        If a library that its cells need is not installed here, so that it cannot be tried.
    """
    failed = own_failure(course.master(assignment))
    if failed is not None:
        raise CourseError(
            f"The solution in {course.masters / assignment}.md itself does not pass {failed.grade_id}: "
            f"{failed.message} Correct the test or the solution; nothing was released."
        )
