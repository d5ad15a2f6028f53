"""Two submissions that are graded side by side have no way to signal one another, and none to touch the machine."""

from collections.abc import Iterator

import pytest

from bncourse.grading.engine.grader import Grader
from tests.grading.small import FULL, MASTER, RIGHT, hand_in

pytestmark = pytest.mark.sandbox

PROBE = """
import ctypes, errno, fcntl, mmap, os, platform, threading

libc = ctypes.CDLL(None, use_errno=True)
library = os.open(np.__file__, os.O_RDONLY)
pages = mmap.mmap(library, 0, prot=mmap.PROT_READ)
libc.mmap.restype = ctypes.c_void_p
address = ctypes.c_void_p(libc.mmap(None, ctypes.c_size_t(4096), 1, 1, library, ctypes.c_long(0)))
futex = {"x86_64": 202, "aarch64": 98}[platform.machine()]


def tried(function, *arguments):
    try:
        done = function(*arguments)
    except OSError as error:
        return "refused"
    return "refused" if type(done) is int and done < 0 else "done"


found = {
    "flock": tried(fcntl.flock, library, fcntl.LOCK_SH | fcntl.LOCK_NB),
    "lockf": tried(fcntl.lockf, library, fcntl.LOCK_SH | fcntl.LOCK_NB),
    "lock of the open file": tried(fcntl.fcntl, library, 37, bytes(32)),
    "lease": tried(fcntl.fcntl, library, 1024, 0),
    "mincore": tried(libc.mincore, address, ctypes.c_size_t(4096), ctypes.create_string_buffer(8)),
    "page out": tried(pages.madvise, 21),
    "wake another process": tried(libc.syscall, futex, address, 1, 1, None, None, 0),
    "load of the machine": tried(os.getloadavg),
    "mode of a device": tried(os.chmod, "/dev/null", 0o666),
    "times of a device": tried(os.utime, "/dev/null"),
}
thread = threading.Thread(target=print, args=("a thread ran",))
thread.start()
thread.join()
with open("/dev/null", "w") as nothing:
    nothing.write("x")
for name, outcome in found.items():
    print(name, outcome, sep=": ")


def standardize(x):
    return (x - x.mean()) / x.std()
"""
REFUSED = (
    "flock",
    "lockf",
    "lock of the open file",
    "lease",
    "mincore",
    "page out",
    "wake another process",
    "load of the machine",
    "mode of a device",
    "times of a device",
)


@pytest.fixture(scope="module")
def said() -> Iterator[str]:
    with Grader(jobs=1) as grader:
        record = grader.grade(MASTER, "x", hand_in(RIGHT | {"scale": PROBE}))
    assert record.score == FULL
    yield next(output.text for output in record.outputs if output.cell == "scale")


@pytest.mark.parametrize("channel", REFUSED)
def test_what_another_submission_could_notice_is_refused(said: str, channel: str) -> None:
    assert f"{channel}: refused" in said.splitlines()


def test_threads_and_the_null_device_work_beside_it(said: str) -> None:
    assert "a thread ran" in said.splitlines()


MARK = """
import os
open("own", "w").close()
before = os.stat("own")
os.chmod("own", 0o640)
os.utime("own", (1, 1))
os.fchmod(os.open("own", os.O_RDONLY), 0o444)
after = os.stat("own")
print(before.st_mode == after.st_mode, before.st_mtime_ns == after.st_mtime_ns)
"""


def test_no_file_can_be_marked_for_another_process_where_there_are_no_namespaces() -> None:
    """There the devices are the machine's own: when one was touched last would tell a number of a hidden test."""
    with Grader(level="process", jobs=1) as grader:
        record = grader.grade(MASTER, "x", hand_in(first=MARK))
    assert record.score == FULL
    assert [output.text for output in record.outputs] == ["True True\n"]
