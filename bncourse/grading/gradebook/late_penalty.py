"""What late submissions lose: by the instructor's rule, from the whole score, worked out again whenever it is needed.

The score changes when written answers are marked, and the due date when it is moved or a student gets more time.
"""

import contextlib
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sql
from nbgrader.api import Assignment, Grade, SubmittedAssignment, SubmittedNotebook

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.gradebook.extensions import enter_extensions
from bncourse.grading.gradebook.records_table import open_gradebook


def late_penalty(course: Course) -> Callable[[str, float, float], float | None] | None:
    """What the course says about late submissions, in course.toml or in nbgrader_config.py; None if nothing.

    Returns
    -------
    callable or None
        Called with a student's id, their score and the seconds they were late; gives the points to take off.

    Raises
    ------
    CourseError
        If a file cannot be used, or both say something.
    """
    path, ours = course.nbgrader_config, course.settings.late
    says = path.is_file() and "Late" in path.read_text(encoding="utf-8")
    if ours is not None and says:
        raise CourseError(f"Both course.toml and {path} say what late submissions lose. Say it in one of them.")
    if ours is not None:
        return lambda _student, score, seconds: ours(score, seconds)
    if not says:
        return None
    from nbgrader.preprocessors import AssignLatePenalties
    from traitlets.config.loader import PyFileConfigLoader

    try:
        penalties = AssignLatePenalties(config=PyFileConfigLoader(path.name, str(path.parent)).load_config())
        penalties.init_plugin()
    except Exception as error:  # whatever the instructor's file raises
        raise CourseError(
            f"{path} cannot be used: {type(error).__name__}: {error}. Correct it, then start again."
        ) from error
    rule: Callable[[str, float, float], float | None] = penalties.plugin_inst.late_submission_penalty
    return rule


def enter_times(course: Course, assignment: str, times: Mapping[str, datetime]) -> None:
    """Enter when students have handed in, which decides whether they were late.

    Parameters
    ----------
    course, assignment
        Of those who have handed in, students of whom nothing was graded are passed over.
    times : mapping
        By student, in UTC.
    """
    query = (
        sql.select(SubmittedAssignment.id, SubmittedAssignment.student_id, SubmittedAssignment.timestamp)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == assignment)
    )
    with contextlib.closing(open_gradebook(course)) as gradebook, gradebook.engine.begin() as connection:
        found = ((row.id, row.timestamp, times.get(row.student_id)) for row in connection.execute(query).all())
        changed = [{"submission": row, "time": time} for row, before, time in found if time not in (None, before)]
        if changed:
            table = SubmittedAssignment.__table__
            update = sql.update(table).where(table.c.id == sql.bindparam("submission"))
            connection.execute(update.values(timestamp=sql.bindparam("time")), changed)


def update_penalties(course: Course, assignment: str) -> dict[str, float]:
    """Work out what each late submission loses, and enter it; returns the points lost by those that lose any.

    Raises
    ------
    CourseError
        If the instructor's rule cannot be used.
    """
    rule = late_penalty(course)
    score = sql.func.coalesce(sql.func.sum(Grade.score), 0.0)
    query = (
        sql.select(SubmittedNotebook.id, SubmittedNotebook.late_submission_penalty.label("before"))
        .add_columns(SubmittedAssignment.student_id, SubmittedAssignment.timestamp, SubmittedAssignment.extension)
        .add_columns(Assignment.duedate, score.label("score"))
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .where(Assignment.name == assignment)
        .group_by(SubmittedNotebook.id, SubmittedNotebook.late_submission_penalty, SubmittedAssignment.student_id)
        .group_by(SubmittedAssignment.timestamp, SubmittedAssignment.extension, Assignment.duedate)
    )
    lost, changed = dict[str, float](), []
    with contextlib.closing(open_gradebook(course)) as gradebook:
        enter_extensions(gradebook, assignment)
        for row in gradebook.db.execute(query).all():
            late = 0.0
            if row.timestamp is not None and row.duedate is not None:
                late = (row.timestamp - row.duedate - (row.extension or timedelta())).total_seconds()
            taken = rule(row.student_id, row.score, late) if rule and late > 0 else None
            if taken is not None and not math.isfinite(taken):
                raise CourseError(f"The rule about late submissions takes {taken} points from {row.student_id}.")
            taken = None if taken is None else min(max(0.0, float(taken)), row.score)
            if taken != row.before:
                changed.append({"notebook": row.id, "penalty": taken})
            if taken:
                lost[row.student_id] = taken
        gradebook.db.commit()
        if changed:
            table = SubmittedNotebook.__table__
            update = sql.update(table).where(table.c.id == sql.bindparam("notebook"))
            with gradebook.engine.begin() as connection:
                connection.execute(update.values(late_submission_penalty=sql.bindparam("penalty")), changed)
    return lost
