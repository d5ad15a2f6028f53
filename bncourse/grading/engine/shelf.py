"""The transcripts of an assignment in one file beside the gradebook, each under the digest of what decided it.

They hold what students' code returned for hidden inputs, so the file is for the owner's eyes alone, and nothing of it
goes into a release, an autograded notebook or feedback.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

from bncourse.grading.oracle.transcript import Transcript, packed, unpacked
from bncourse.grading.sandbox.bubblewrap import GraderError
from bncourse.grading.sandbox.inside.codec import Encoder

FILE = "transcripts.db"


class ShelfError(GraderError):
    """The file of transcripts cannot be used."""


class Shelf:
    """Transcripts by their address; what was put is there after a crash, whole or not at all.

    Parameters
    ----------
    path : Path
        The file; made when something is put.

    Raises
    ------
    ShelfError
        If it is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.Lock()
        self._file: sqlite3.Connection | None = None
        self._encoder = Encoder()

    def put(self, key: str, transcript: Transcript) -> None:
        """Keep a transcript; the process may end at any time after."""
        with self._guard:
            file = self._open(make=True)
            if file is not None:
                file.execute(
                    "INSERT OR REPLACE INTO transcript VALUES (?, ?)", (key, packed(transcript, self._encoder))
                )

    def get(self, key: str) -> Transcript | None:
        """The transcript at an address, if there is one."""
        with self._guard:
            file = self._open(make=False)
            row = file.execute("SELECT content FROM transcript WHERE key = ?", (key,)).fetchone() if file else None
        return unpacked(row[0]) if row else None

    def keep_only(self, keys: Iterable[str]) -> None:
        """Throw away the transcripts of what nobody has handed in any more."""
        with self._guard:
            file = self._open(make=False)
            if file is not None:
                kept = set(keys)
                gone = [row for row in file.execute("SELECT key FROM transcript").fetchall() if row[0] not in kept]
                file.executemany("DELETE FROM transcript WHERE key = ?", gone)

    def close(self) -> None:
        """Close the file."""
        with self._guard:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _open(self, *, make: bool) -> sqlite3.Connection | None:
        if self._file is None and (make or self.path.is_file()):
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
                file = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=60)
                # a write-ahead log survives the death of the process without waiting for the disk
                file.execute("PRAGMA journal_mode = WAL")
                file.execute("PRAGMA synchronous = NORMAL")
                file.execute("CREATE TABLE IF NOT EXISTS transcript (key TEXT PRIMARY KEY, content BLOB NOT NULL)")
            except (sqlite3.DatabaseError, OSError) as error:
                raise ShelfError(
                    f"{self.path} cannot be used ({error}). Delete it: it only spares running code again."
                ) from error
            self._file = file
        return self._file
