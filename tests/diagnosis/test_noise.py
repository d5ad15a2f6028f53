"""No message says a name of the grader's own, an address in memory or a place on a disk."""

import re
from pathlib import Path

import pytest

from bncourse.diagnosis.catalogue import known_beliefs, task_beliefs

HERE = Path(__file__).resolve().parent
NOISE = re.compile(
    r"bncourse\.(?!diagnosis|numpy_bn|torch_bn)\w|<locals>|<lambda>|0x[0-9a-f]{6}|/tmp/|/home/|site-packages|__main__"
    r"|\b(?:Remote\w*|Proxy|Posing|Kept\w+|NoArray|StudentError|Misconception|MasterCell|Turned|EngineError|Slip)\b"
)
"""Inner names, and what Python shows of an object that says nothing of itself."""


@pytest.mark.parametrize("name", ["messages.txt", "messages_elsewhere.txt"])
def test_no_recorded_message_has_noise_in_it(name: str) -> None:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if NOISE.search(line)] == []


def test_no_sentence_of_the_catalogue_has_noise_in_it() -> None:
    entries = [*known_beliefs().values(), *task_beliefs().values()]
    assert len(entries) > 150
    assert [entry.id for entry in entries if NOISE.search(str(vars(entry)))] == []


@pytest.mark.parametrize(
    "noise",
    ["<bncourse.grading.oracle at 0x7f1c022b6d10>", "f.<locals>.g", "<function <lambda>>", "a Remote", "/tmp/x"],
)
def test_noise_is_known(noise: str) -> None:
    assert NOISE.search(noise)
