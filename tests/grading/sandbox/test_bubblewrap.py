"""The sandbox's layers: what is refused without them, and that nothing asks for root."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from bncourse.grading.engine.grader import Grader
from bncourse.grading.sandbox import bubblewrap
from tests.grading.small import FULL, MASTER, PATIENT, RIGHT, hand_in
from tools.unprivileged import prefix

pytestmark = pytest.mark.sandbox
ROOT = Path(__file__).resolve().parents[3]


def report(*missing: str) -> bubblewrap.Report:
    names = ("bubblewrap", "namespaces", "filter")
    return bubblewrap.Report(tuple((name, name not in missing, f"install {name}") for name in names))


LOWER = [((), "full"), (("filter",), "no-filter"), (("bubblewrap",), "process"), (("namespaces",), "process")]


@pytest.mark.parametrize(("missing", "level"), LOWER)
def test_a_missing_layer_lowers_the_level(missing: tuple[str, ...], level: str) -> None:
    assert report(*missing).level == level


def test_grading_without_a_layer_is_refused_in_one_line_that_says_what_to_install() -> None:
    with pytest.raises(bubblewrap.SandboxError, match=r"install bubblewrap.*--level process") as caught:
        report("bubblewrap").require("full")
    assert "\n" not in str(caught.value)
    report("bubblewrap").require("process")


def test_a_lowered_level_stands_in_the_record() -> None:
    with Grader(level="process", jobs=1) as grader:
        record = grader.grade(MASTER, "x", hand_in())
    assert (record.score, record.level) == (FULL, "process")


KEEP = """\
def standardize(x):
    import os
    open("kept", "a").write(str(x))
    here = os.getcwd()
    for _ in range(0 if os.path.exists("d") else 1_100):
        os.mkdir("d")
        os.chdir("d")
    os.chdir(here)
    return (x - x.mean()) / x.std()"""
TELL = """\
class Running:
    def __init__(self, momentum):
        import os
        raise ValueError(*(name for name in os.listdir(".")), *(open(name).read() for name in os.listdir(".")))"""


def test_no_file_of_a_pass_is_there_in_the_next_where_there_are_no_namespaces() -> None:
    """Neither for what is told of a test, nor for the next student; and what is nested deeply is removed as well."""
    telling = hand_in(RIGHT | {"scale": KEEP, "running": TELL}, first="import os\nprint(os.listdir('.'))")
    with Grader(level="process", jobs=1, cache=False) as grader:
        for student in ("eve", "zoe"):
            record = grader.grade(PATIENT, student, telling)
            (told,) = (verdict.message for verdict in record.verdicts if verdict.grade_id == "test-running")
            assert told.endswith("ValueError")
            assert [output.text for output in record.outputs] == ["[]\n"]
            assert record.score == FULL - 2


GRADE = """\
import os, sys
assert os.getuid() != 0
from bncourse.grading.engine.grader import Grader
from tests.grading.small import FULL, MASTER, WRONG, hand_in
with Grader(jobs=1) as grader:
    assert grader.grade(MASTER, "x", hand_in()).score == FULL
    assert grader.grade(MASTER, "x", hand_in(WRONG)).score == 0
    assert grader.level == "full"
print("graded as user", os.getuid())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="the tests run as an unprivileged user already")
def test_nothing_asks_for_root() -> None:
    """The whole acceptance suite does so in CI: `make unprivileged`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])}
    done = subprocess.run(
        [*prefix(), sys.executable, "-c", GRADE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert "graded as user" in done.stdout, done.stderr
