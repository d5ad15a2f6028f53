"""What a submission was graded with: a change of any part has it graded again, and says which part changed."""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from bncourse.grading.core import render
from bncourse.grading.core.environment import environment
from bncourse.grading.core.records import Master
from bncourse.grading.oracle.transcript import results_key
from bncourse.grading.submissions.files import HandedIn
from bncourse.grading.submissions.read import Reading


class Stamp(NamedTuple):
    """Digests of what decides a record."""

    whole: str
    """Of everything: the file, the master, the grader."""
    inputs: str
    """Of all but the test cells: what the student's process gets."""
    tests: Mapping[str, str]
    """Of each test cell."""
    results: str = ""
    """Of what decides the answers of the student's code: where its transcript lies."""


class Grading:
    """A master and the way in which submissions to it are graded."""

    def __init__(self, master: Master, level: str = "full", seed: int = 0) -> None:
        self._master, self._level = master, level
        how = [level, seed, environment(), code_digest()]
        self._whole = _digest([render.fingerprint(master), *how])
        others = [(cell.grade_id, cell.source) for cell in master.cells if cell.kind in ("given", "answer")]
        limits = [master.seconds_per_test, master.seconds_in_all]
        self._inputs = _digest([others, master.imports, limits, *how])
        self._tests = {
            cell.grade_id: _digest([cell.source, cell.points]) for cell in master.cells if cell.kind == "test"
        }

    def whole(self, file: HandedIn) -> str:
        """Digest of everything."""
        return hashlib.sha256(f"{self._whole}\0{file.reason}\0".encode() + file.content).hexdigest()

    def stamp(self, file: HandedIn, reading: Reading) -> Stamp:
        """The stamp of a submission."""
        inputs = _digest([self._inputs, file.reason, reading.reason, reading.answers, reading.extras])
        results = results_key(self._master, reading, self._level)
        return Stamp(self.whole(file), inputs, self._tests, results)


@lru_cache(maxsize=1)
def code_digest() -> str:
    """SHA-256 of the package's code that decides a grade."""
    package = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for room in ("diagnosis", "grading", "numpy_bn"):
        for path in sorted((package / room).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
