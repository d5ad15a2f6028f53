"""A year's name in; the assignment with that year's numbers in all that the course does from now on."""

import json

from bncourse.grading.authoring.course import VARIANTS, Course, CourseError, write
from bncourse.grading.authoring.masters import load_master
from bncourse.grading.authoring.variants import VariantError, check_name
from bncourse.grading.student.selfcheck import MissingExtraError
from bncourse.grading.workflows.own_solution import own_failure

ORIGINAL = "original"
"""The name under which the master is released as it stands."""


def choose_variant(course: Course, assignment: str, variant: str) -> None:
    """Have this course use another year's numbers for an assignment, in all that is done from now on.

    Parameters
    ----------
    course : Course
    assignment : str
    variant : str
        A year or another name; `original` for the master as it stands.

    Raises
    ------
    CourseError
        If the name is none, if students have handed in another variant, or if the master's own solution does not
        pass its tests with these numbers. Nothing has been changed then.
    """
    try:
        wanted = None if variant == ORIGINAL else check_name(variant)
    except VariantError as error:
        raise CourseError(str(error)) from error
    course.master(assignment)
    chosen = course.variants
    if chosen.get(assignment) == wanted:
        return
    students = course.students(assignment)
    if students:
        raise CourseError(
            f"{students[0]} has handed in {assignment} as variant {chosen.get(assignment, ORIGINAL)!r}, so it cannot "
            f"become {variant!r} here. Give each year its own folder with --course."
        )
    master = load_master(course.masters / f"{assignment}.md", wanted, course.installed_from)
    try:
        failed = own_failure(master)
    except MissingExtraError as error:
        raise CourseError(f"{assignment} cannot be tried out in variant {variant!r}: {error}") from error
    if failed is not None:
        raise CourseError(
            f"With variant {variant!r} the solution of {assignment} itself does not pass {failed.grade_id}: "
            f"{failed.message} Take another name."
        )
    rest = {name: its for name, its in chosen.items() if name != assignment}
    chosen = rest | ({assignment: wanted} if wanted else {})
    write(course.root / VARIANTS, (json.dumps(chosen, indent=1, sort_keys=True) + "\n").encode())
