"""Tests of one group run in one process, so that what they share is made once."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TESTS = """
import time
import pytest

@pytest.mark.parametrize("number", range(6))
@pytest.mark.xdist_group("shared")
def test_shared(number, worker_id):
    time.sleep(0.02)
    print("shared", worker_id)

@pytest.mark.parametrize("number", range(6))
def test_alone(number, worker_id):
    time.sleep(0.02)
    print("alone", worker_id)
"""


@pytest.mark.long
def test_a_group_stays_in_one_process_and_the_other_has_work_too(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    for name in ("test_one.py", "test_two.py"):
        (tmp_path / name).write_text(TESTS, encoding="utf-8")
    command = ["-m", "pytest", "-n", "2", "--dist", "loadgroup", "-rP", "-p", "no:cacheprovider", "--rootdir", "."]
    done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "24 passed" in done.stdout, done.stdout + done.stderr
    workers = {group: re.findall(rf"^{group} (gw\d)$", done.stdout, re.MULTILINE) for group in ("shared", "alone")}
    assert len(workers["shared"]) == len(workers["alone"]) == 12
    assert len(set(workers["shared"])) == 1
    assert set(workers["alone"]) - set(workers["shared"]), "the other process has nothing to do"
