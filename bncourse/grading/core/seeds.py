"""A run's seed and a cell's name in; the seed of that cell out, whatever ran before.

The seeds of hidden tests stand in a public repository. Each course replaces them by others, which follow from a secret
of its own, so that nobody can draw beforehand what a hidden test draws.
"""

import functools
import hashlib
import random
import re
import sys

from bncourse.grading.core.regions import hidden_lines

SEEDS = re.compile(r"(?<=\bseed=)\d+|(?<=\bdefault_rng\()\d+(?=\))|(?<=\bfor seed in \()\d[\d, ]*(?=\))")
"""Where seeds stand in a test: `seed=7`, `default_rng(7)` and `for seed in (7, 8)`."""


@functools.lru_cache(maxsize=1000)
def cell_seed(seed: int, assignment: str, grade_id: str) -> int:
    """The seed of one cell, derived from the run's."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{assignment}/{grade_id}".encode()).digest()[:4], "big")


def with_secret_seeds(source: str, secret: str, assignment: str) -> str:
    """A test cell's text with other seeds in its hidden lines; what students see stays as it is."""
    lines, hidden = source.split("\n"), hidden_lines(source)
    return "\n".join(
        secret_seeds(line, secret, assignment) if number in hidden else line
        for number, line in enumerate(lines, start=1)
    )


def secret_seeds(line: str, secret: str, assignment: str) -> str:
    """A line with other seeds, which only a course that knows the secret can tell.

    Equal seeds stay equal. The new ones have 62 bits, more than can be tried.

    >>> secret_seeds("a, b = draw(seed=31, rows=5), np.random.default_rng(31)", "secret", "backward")
    'a, b = draw(seed=4542455422065846478, rows=5), np.random.default_rng(4542455422065846478)'
    """

    def other(found: re.Match[str]) -> str:
        said = f"{secret}/{assignment}/{found[0]}".encode()
        return str(int.from_bytes(hashlib.sha256(said).digest()[:8], "big") >> 2)

    return SEEDS.sub(lambda found: re.sub(r"\d+", other, found[0]), line)


def begin_anew(seed: int) -> None:
    """Start all random numbers again, as the worker does for every cell, so that none depends on what ran before."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.manual_seed(seed)
