"""A journal on disk: a line for every submission that was graded, in the file before anybody hears of it.

A run that was killed reads it and goes on. A line that was cut short is dropped, and that submission graded
again; since a verdict depends on nothing but what its digest covers, the result is the same. Lines outlive the
process at once; after a power failure those of the last second may be missing, and are graded again as well.
"""

import base64
import contextlib
import fcntl
import json
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bncourse.grading.core.records import CellOutput, SubmissionRecord, Verdict
from bncourse.grading.sandbox.bubblewrap import GraderError

SYNC_SECONDS = 1.0


class JournalError(GraderError):
    """The journal cannot be used."""


class Journal:
    """Append-only lines of records, found again by the digest of what was graded.

    Parameters
    ----------
    path : Path
        The file; made if it is missing.

    Raises
    ------
    JournalError
        If another run is writing it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise JournalError(f"{path} is being written by another run. Wait for it, or end it.") from error
        self._guard = threading.Lock()
        self._synced = 0.0
        self._places: dict[str, tuple[int, int]] = {}
        self._by_student: dict[tuple[str, str], tuple[int, int]] = {}
        self._end = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._by_student)

    def close(self) -> None:
        """Close the file, and let others have it."""
        if not self._file.closed:
            os.fdatasync(self._file.fileno())
        self._file.close()

    def find(self, digest: str, student: str | None = None) -> SubmissionRecord | None:
        """The record of this digest: of this student, or, if none is named, of anybody."""
        with self._guard:
            place = self._by_student.get((digest, student)) if student is not None else self._places.get(digest)
            line = os.pread(self._file.fileno(), place[1], place[0]) if place else b""
        return from_line(line) if line else None

    def append(self, record: SubmissionRecord) -> None:
        """Write a record; the disk has it within a second, or when the journal is closed."""
        line = to_line(record)
        with self._guard:
            os.write(self._file.fileno(), line)
            if time.monotonic() > self._synced + SYNC_SECONDS:
                os.fdatasync(self._file.fileno())
                self._synced = time.monotonic()
            self._note(record.digest, record.student, len(line))
            self._end += len(line)

    def _note(self, digest: str, student: str, length: int) -> None:
        place = (self._end, length)
        self._places.setdefault(digest, place)
        self._by_student[digest, student] = place

    def _read(self) -> int:
        """Find the lines; cut off what a killed run left half written."""
        self._end = 0
        self._file.seek(0)
        with open(self._file.fileno(), "rb", closefd=False) as lines:
            for line in lines:
                facts: Any = None
                with contextlib.suppress(ValueError):
                    facts = json.loads(line)
                if not line.endswith(b"\n") or not isinstance(facts, dict) or "digest" not in facts:
                    break
                self._note(facts["digest"], facts["student"], len(line))
                self._end += len(line)
        os.ftruncate(self._file.fileno(), self._end)
        return self._end


def to_line(record: SubmissionRecord) -> bytes:
    """A record as one line of JSON."""
    facts = {**vars(record), "verdicts": [vars(verdict) for verdict in record.verdicts]}
    facts["outputs"] = [
        vars(output) | {"pictures": [base64.b64encode(picture).decode() for picture in output.pictures]}
        for output in record.outputs
    ]
    return json.dumps(facts, sort_keys=True).encode() + b"\n"


def from_line(line: bytes) -> SubmissionRecord:
    """The record that `to_line` wrote."""
    facts = json.loads(line)
    outputs = tuple(
        CellOutput(o["cell"], o["text"], tuple(base64.b64decode(p) for p in o["pictures"])) for o in facts["outputs"]
    )
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
    verdicts = tuple(Verdict(**verdict) for verdict in facts["verdicts"])
    return SubmissionRecord(**plain | {"verdicts": verdicts, "outputs": outputs})
