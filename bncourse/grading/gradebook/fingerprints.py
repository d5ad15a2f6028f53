"""A master, a level and a seed in; the digest of all that decides a file's record out."""

import dataclasses
import hashlib
import json
from functools import lru_cache
from pathlib import Path

from bncourse.grading.core.environment import environment
from bncourse.grading.core.records import Master
from bncourse.grading.submissions.read import Reading

DECIDING = ("authoring", "core", "engine", "oracle", "sandbox", "submissions")
"""The packages of grading that decide a grade; the others show it, or keep it."""


class Fingerprints:
    """Digests of files that are graded in one way.

    Parameters
    ----------
    master : Master
        The assignment, tests included.
    level : {"full", "no-filter", "user", "process"}
        The sandbox.
    seed : int
        What the seeds of all cells are derived from.
    """

    def __init__(self, master: Master, level: str = "full", seed: int = 0) -> None:
        due = dataclasses.replace(master, metadata={**master.metadata, "due": "", "digest": ""})
        parts = [due.key, level, seed, environment(("numpy", *master.imports)), code_digest()]
        self.way = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
        """Of the master, but for its date, the level, the seed, and the code and the libraries that grade."""

    def of(self, digest: str) -> str:
        """The way, and the file's digest; empty where there is none, so that the file is graded again."""
        return digest and f"{self.way} {digest}"

    def is_another_way(self, fingerprint: str) -> bool:
        """Whether what has this fingerprint was graded in another way, whatever its file."""
        return fingerprint.partition(" ")[0] != self.way


def answer_digests(master: Master, reading: Reading) -> dict[str, str]:
    """For each cell that can be marked by hand, the SHA-256 of what the student wrote there.

    A mark that a person gave stays as long as this does. That of a test cell covers all of the student's code.
    """
    code = [[cell.grade_id, reading.answers.get(cell.grade_id, "")] for cell in master.cells if cell.kind == "answer"]
    whole = _digest([code, reading.extras, reading.moved])
    digests = {cell.grade_id: whole for cell in master.cells if cell.kind == "test"}
    for cell in master.cells:
        if cell.kind == "written":
            name = cell.grade_id
            beside = [text.source for text in reading.texts] if name in reading.elsewhere else []
            pictures = [hashlib.sha256(picture.data).hexdigest() for picture in reading.pictures.get(name, ())]
            digests[name] = _digest([reading.answers.get(name, ""), beside, pictures])
    return digests


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@lru_cache(maxsize=1)
def code_digest() -> str:
    """SHA-256 of the package's code that decides a grade."""
    package = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for folder in ("diagnosis", "numpy_bn", *(f"grading/{name}" for name in DECIDING)):
        for path in sorted((package / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
