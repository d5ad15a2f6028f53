"""What the worker answered while a submission was graded, so that a changed test can be tried without running code.

A transcript is a list of passes, each with its segments: for one cell, the digests of the requests and the answers
to them. Requests, which hold hidden inputs, are not kept; an answer is found again only by whoever asks the same.
"""

import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from bncourse.grading.core.environment import allowed, environment
from bncourse.grading.core.records import Master
from bncourse.grading.oracle.proxies import Connection
from bncourse.grading.sandbox import inside
from bncourse.grading.sandbox.inside.channel import Gone, Late
from bncourse.grading.sandbox.inside.codec import Decoder, Encoder, WireError
from bncourse.grading.submissions.read import Reading

DIGEST = 12
MAX_BYTES = 2 * 2**20
"""Answers that are kept of one pass; what comes after is run again when it is needed."""


class Pass(NamedTuple):
    """What one process of the student's answered, and how it ended."""

    answers: bytes
    dead: str = ""
    """The cell at which it ended before its time."""
    ended: int | None = None
    """Its exit status, as the supervisor saw it."""


LeftOut = dict[str, tuple[str, list[int]]]
"""By cell: how it ended its process, and which of its statements were left out for that."""


class Transcript(NamedTuple):
    """What is kept of one submission."""

    passes: list[Pass]
    left_out: LeftOut


class Segment:
    """What was asked and answered while one cell ran."""

    def __init__(self, cell: str) -> None:
        self.cell, self.digests, self.answers, self.end = cell, list[bytes](), list[bytes](), ""

    def plain(self, places: dict[bytes, int]) -> tuple[Any, ...]:
        """The segment as it is written: an answer by its place among all that differ."""
        return self.cell, b"".join(self.digests), [places.setdefault(a, len(places)) for a in self.answers], self.end


class Diverged(BaseException):
    """Something is asked that was not asked then; not an Exception, so that no test hides it."""


class Recording(Connection):
    """A connection that keeps what is answered."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self.segments: list[Segment] = []
        self.left_over = MAX_BYTES
        self.paused = False

    def begin(self, cell: str) -> None:
        """Keep what follows as this cell's."""
        self.segments.append(Segment(cell))

    def transfer(self, data: bytes, deadline: float) -> bytes:
        """Ask, and keep the answer."""
        if self.paused or self.left_over <= 0:
            return super().transfer(data, deadline)
        segment = self.segments[-1]
        segment.digests.append(_digest(data))
        try:
            answer = super().transfer(data, deadline)
        except (Late, Gone, WireError) as error:
            segment.end = f"{type(error).__name__} {error}"
            raise
        self.left_over -= len(answer) + 32
        if self.left_over > 0:
            segment.answers.append(answer)
        else:
            self.segments.pop()
        return answer

    def end(self, how: type[BaseException]) -> NoReturn:
        """Take back an answer that came too late."""
        segment = self.segments[-1] if self.segments else Segment("")
        if not segment.end and segment.answers:
            segment.answers.pop()
            segment.end = "Late "
        super().end(how)

    def free(self) -> None:
        """Let values go, which is not kept: when it happens depends on the collector."""
        self.paused = True
        super().free()
        self.paused = False

    def packed(self) -> bytes:
        """All segments, each answer once: most come more often, and what is left cannot be compressed."""
        places: dict[bytes, int] = {}
        segments = [segment.plain(places) for segment in self.segments]
        return Encoder().encode((segments, list(places)))


class Replayed(Connection):
    """A connection that answers from a transcript, as long as the same is asked."""

    def __init__(self, passes: bytes) -> None:
        super().__init__(None)
        found: dict[tuple[str, bytes], Segment] = {}
        for packed in Decoder().decode(passes):
            segments, answers = Decoder().decode(packed)
            for cell, digests, places, end in segments:
                segment = Segment(cell)
                segment.digests = [digests[at : at + DIGEST] for at in range(0, len(digests), DIGEST)]
                segment.answers, segment.end = [answers[place] for place in places], end
                found[cell, digests[:DIGEST]] = segment
        self.found = found
        self.begin("")

    def begin(self, cell: str) -> None:
        """Answer what follows as this cell was answered."""
        self.cell, self.asked, self.segment = cell, 0, Segment(cell)
        self.ended = None

    def transfer(self, data: bytes, deadline: float) -> bytes:
        """Answer from the transcript."""
        digest = _digest(data)
        if self.asked == 0:
            self.segment = self.found.get((self.cell, digest), self.segment)
        if self.asked >= len(self.segment.digests) or self.segment.digests[self.asked] != digest:
            self.end(Diverged)
        place = self.asked
        self.asked += 1
        if place < len(self.segment.answers):
            return self.segment.answers[place]
        kind, _, text = self.segment.end.partition(" ")
        raise {"Late": Late, "Gone": Gone}.get(kind, WireError)(text)

    def free(self) -> None:
        """Nothing is kept anywhere."""
        self.freed = []


def packed(transcript: Transcript, encoder: Encoder) -> bytes:
    """A transcript as it is stored; by an encoder that is kept, because a new one has no memory yet."""
    return encoder.encode(([tuple(each) for each in transcript.passes], transcript.left_out))


def unpacked(stored: bytes) -> Transcript:
    """The transcript that was stored."""
    passes, left_out = Decoder().decode(stored)
    return Transcript([Pass(*each) for each in passes], left_out)


def answers_of(passes: Iterable[Pass]) -> bytes:
    """What `Replayed` reads of a transcript."""
    return Encoder().encode([each.answers for each in passes if each.answers])


def results_key(master: Master, reading: Reading, level: str) -> str:
    """SHA-256 of all that decides what the worker answers, requests aside: the address of a transcript."""
    limits = [master.seconds_per_test, master.seconds_in_all]
    given = [cell.source for cell in master.cells if cell.kind == "given"]
    parts = [allowed(master), limits, given, level, environment(), inside_digest(), reading.answers, reading.extras]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@functools.cache
def inside_digest() -> str:
    """SHA-256 of our own code that runs beside the student's."""
    digest = hashlib.sha256()
    for path in sorted(Path(inside.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=DIGEST).digest()
