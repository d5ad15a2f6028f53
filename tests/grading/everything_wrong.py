"""An engine that finds everything wrong, without running it."""

from collections.abc import Iterable, Iterator
from typing import Self

from bncourse.grading.core.records import Master, SubmissionRecord, Verdict
from bncourse.grading.core.status import unreadable
from bncourse.grading.submissions.submission import Submission


class EverythingWrong:
    """Takes the place of a `Grader` where only what happens around the grading is tried."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def prepare(self, master: Master) -> None:
        """Do nothing."""

    def meet(self, master: Master, submission: Submission) -> None:
        """Do nothing; a test may look at each submission here."""

    def grade_all(
        self, master: Master, submissions: Iterable[Submission]
    ) -> Iterator[tuple[Submission, SubmissionRecord]]:
        """Find every test of every submission failed; what could not be read is unreadable."""
        for each in submissions:
            self.meet(master, each)
            tests = [cell for cell in master.cells if cell.kind == "test"]
            verdicts = tuple(Verdict(cell.grade_id, "wrong", 0.0, cell.points) for cell in tests)
            record = SubmissionRecord(each.student, master.assignment, "wrong", verdicts, reason=each.reading.reason)
            yield each, unreadable(master, record) if record.reason else record
