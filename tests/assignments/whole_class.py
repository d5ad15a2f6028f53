"""A sample class through the real engine, and what it holds for every test here."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.sample_class import SampleClass, SampleStudent, load_sample_class, submission
from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.engine.grader import Grader
from bncourse.grading.workflows.release import release

MASTERS = Path(__file__).resolve().parents[2] / "assignments" / "masters"


def one_at_once(assignments: Iterable[str], *at_once: str) -> list[ParameterSet]:
    """These assignments as parameters: a few tried at once, and the others among the long tests."""
    return [pytest.param(a, marks=() if a in at_once else pytest.mark.long) for a in sorted(assignments)]


def class_of(assignment: str) -> SampleClass:
    """The sample class, for tests that need no course."""
    return load_sample_class(find_course(Path("nowhere"), MASTERS), assignment)


def who_learned_by_heart(assignment: str) -> SampleStudent:
    """The student who satisfies the visible tests, and knows nothing else."""
    return next(student for student in class_of(assignment).students if "by heart" in student.story)


def graded_by_the_engine(course: Course, assignment: str) -> list[tuple[SampleStudent, SubmissionRecord]]:
    """Release the assignment, have everybody hand in, and grade; each must get the marks that their code deserves."""
    release(course, assignment)
    master, sample = course.master(assignment), load_sample_class(course, assignment)
    released = json.loads(course.notebook("release", assignment).read_bytes())
    raw = [(student.id, submission(student, master, released, sample.written, 1)) for student in sample.students]
    with Grader(jobs=2) as grader:
        records = {record.student: record for record in grader.grade_many(master, raw)}
    pairs = [(student, records[student.id]) for student in sample.students]
    for student, record in pairs:
        assert (record.status, record.score) == (student.status, student.deserves(master)), student.id
    return pairs
