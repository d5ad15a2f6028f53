"""A run's seed and a cell's name in; the seed of that cell out, whatever ran before."""

import functools
import hashlib
import random
import sys


@functools.lru_cache(maxsize=1000)
def cell_seed(seed: int, assignment: str, grade_id: str) -> int:
    """The seed of one cell, derived from the run's."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{assignment}/{grade_id}".encode()).digest()[:4], "big")


def begin_anew(seed: int) -> None:
    """Start all random numbers again, as the worker does for every cell, so that none depends on what ran before."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.manual_seed(seed)
