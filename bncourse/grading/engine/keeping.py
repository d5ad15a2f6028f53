"""What a run keeps on disk while it grades, opened when it is first needed: a run that is refused leaves no file."""

import threading
from functools import cached_property
from pathlib import Path

from bncourse.grading.engine.attempt import Plan
from bncourse.grading.engine.journal import Journal
from bncourse.grading.engine.shelf import Shelf
from bncourse.grading.oracle.transcript import Transcript, results_key


class Keeping:
    """The journal and the transcripts.

    Parameters
    ----------
    journal, transcripts : Path or None
        Where they lie; None to keep none.
    """

    def __init__(self, journal: Path | None, transcripts: Path | None) -> None:
        self._journal_at = journal
        self._shelf = Shelf(transcripts) if transcripts is not None else None
        self.transcripts = transcripts is not None
        """Whether what the worker answers is kept."""
        self._guard = threading.Lock()

    def journal(self) -> Journal | None:
        """The journal; raises JournalError where another run writes it."""
        with self._guard:
            return self._journal

    @cached_property
    def _journal(self) -> Journal | None:
        return Journal(self._journal_at) if self._journal_at is not None else None

    def keep(self, plan: Plan, level: str) -> None:
        """Keep what the worker answered while a plan was carried out."""
        if self._shelf is not None and plan.passes:
            self._shelf.put(results_key(plan.master, plan.reading, level), Transcript(plan.passes, plan.left_out()))

    def close(self) -> None:
        """Close the files, and let others have them."""
        journal = self.__dict__.get("_journal")
        if journal is not None:
            journal.close()
        if self._shelf is not None:
            self._shelf.close()
