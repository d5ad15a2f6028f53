"""A submission's verdicts and repairs in; its one status out."""

import dataclasses

from bncourse.grading.core.records import Master, Outcome, SubmissionRecord, Verdict

BY_WEIGHT: tuple[Outcome, ...] = ("needs review", "out of memory", "timeout", "crashed")
"""What an instructor should look at first; the first that any test cell shows is the submission's status."""


def status_of(record: SubmissionRecord) -> Outcome:
    """The one status of a submission that was graded."""
    outcomes = {verdict.outcome for verdict in record.verdicts}
    if record.reason:
        return "needs review"
    for outcome in BY_WEIGHT:
        if outcome in outcomes:
            return outcome
    if record.repairs:
        return "repaired"
    if outcomes == {"not attempted"}:
        return "not attempted"
    return "correct" if outcomes <= {"correct"} else "wrong"


def unreadable(master: Master, blank: SubmissionRecord) -> SubmissionRecord:
    """The record of a submission that cannot be read: no points; `blank` says the reason and what was repaired."""
    verdicts = tuple(
        Verdict(cell.grade_id, "unreadable", 0.0, cell.points, f"The notebook cannot be read: {blank.reason}.")
        for cell in master.cells
        if cell.kind == "test"
    )
    return dataclasses.replace(blank, status="unreadable", verdicts=verdicts)


def to_review(master: Master, blank: SubmissionRecord, reason: str) -> SubmissionRecord:
    """The record of a submission on which the grader failed: a person decides."""
    verdicts = tuple(
        Verdict(cell.grade_id, "needs review", 0.0, cell.points, "This could not be graded; a person will look at it.")
        for cell in master.cells
        if cell.kind == "test"
    )
    return dataclasses.replace(blank, status="needs review", reason=reason, verdicts=verdicts)


def given_up(record: SubmissionRecord) -> bool:
    """Whether the grader failed, so that another try may succeed."""
    return any(verdict.outcome == "needs review" for verdict in record.verdicts)
