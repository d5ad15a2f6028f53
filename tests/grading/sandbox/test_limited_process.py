"""A call that computes, waits, grows or crashes is ended with its reason, and the next one is answered."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bncourse.grading.sandbox import limited_process
from bncourse.grading.sandbox.limited_process import CallEnded, LimitedProcess


def search() -> None:
    """In one call of the C library, which no signal handler of Python's can break off."""
    sum(range(10**14))


def grow() -> int:
    return len(b"\0" * 2**33)


def fail() -> None:
    raise ValueError("odd")


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "pid": os.getpid,
    "search": search,
    "wait": lambda: time.sleep(60),
    "grow": grow,
    "fail": fail,
    "crash": crash,
    "exit": lambda: os._exit(3),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "keep": lambda count: KEPT.append(b"\1" * count),
    "open": lambda: held(),
    "large": lambda: b"\0" * (80 * 2**20),
}
KEPT: list[bytes] = []


def held() -> list[str]:
    """What the open files of this process are."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists them is closed by now
            found.append(str(each.readlink()))
    return found


@pytest.fixture
def process() -> Iterator[LimitedProcess]:
    with LimitedProcess(FUNCTIONS) as process:
        yield process


def test_what_a_function_returns_comes_back(process: LimitedProcess) -> None:
    assert process.call("add", "a" * 10**6, "b")[-2:] == "ab"
    assert process.call("pid") == process.call("pid") != os.getpid()


@pytest.mark.parametrize(
    ("name", "why", "for_good"),
    [
        ("grow", "MemoryError", True),
        ("fail", "ValueError: odd", True),
        ("crash", "SIGSEGV", True),
        ("exit", "ended its process (3)", True),
        ("killed", "was killed", False),
        ("large", "larger than 64 MiB", True),
    ],
)
def test_a_call_that_goes_wrong_has_its_reason_and_costs_nobody_else(
    process: LimitedProcess, name: str, why: str, for_good: bool
) -> None:
    with pytest.raises(CallEnded) as ended:
        process.call(name)
    assert why in str(ended.value) and ended.value.for_good == for_good
    assert process.call("add", 1, 2) == 3


def test_a_call_that_waits_is_ended_by_the_clock(process: LimitedProcess) -> None:
    process.call("pid")
    process.patience = 0.1
    with pytest.raises(CallEnded, match=r"did not end within 0\.1 seconds") as ended:
        process.call("wait")
    process.patience = 60.0
    assert not ended.value.for_good and process.call("add", 1, 2) == 3


def test_processor_time_ends_a_call_whatever_it_is_at() -> None:
    with LimitedProcess(FUNCTIONS, seconds=1) as process:
        with pytest.raises(CallEnded, match="more than 1 seconds of processor time") as ended:
            process.call("search")
        assert ended.value.for_good
        assert process.call("add", 1, 2) == 3
        assert process.forked == 2


def test_the_limit_is_one_call_s_and_not_the_process_s() -> None:
    """A process that has computed for long over many calls is not ended for it."""
    with LimitedProcess(FUNCTIONS | {"burn": burn}, seconds=1) as process:
        pids = {process.call("burn", 0.6) for _ in range(2)}
    assert len(pids) == 1


def burn(seconds: float) -> int:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    return os.getpid()


def test_a_process_that_has_grown_is_replaced_before_that_costs_an_honest_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limited_process, "KEPT", 2**24)
    with LimitedProcess(FUNCTIONS) as process:
        process.call("keep", 2**20)
        assert process.forked == 1
        process.call("keep", 2**25)
        assert process.call("add", 1, 2) == 3
        assert process.forked == 2


def test_it_holds_none_of_the_grader_s_files_and_sockets(tmp_path: Any) -> None:
    """A lane's connection that were open here would keep processes waiting that should end."""
    with (tmp_path / "gradebook.db").open("w"), LimitedProcess(FUNCTIONS) as process:
        held = process.call("open")
    assert not [name for name in held if "gradebook" in name]
    assert sum("socket" in name for name in held) <= 1


def test_it_is_forked_and_called_from_any_thread() -> None:
    answers: list[int] = []
    with LimitedProcess(FUNCTIONS) as process:
        threads = [threading.Thread(target=lambda: answers.append(process.call("add", 1, 2))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [3] * 4


def test_the_processes_end_with_it() -> None:
    with LimitedProcess(FUNCTIONS) as process:
        pid = process.call("pid")
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()


def test_another_is_forked_where_the_one_that_forks_is_killed(process: LimitedProcess) -> None:
    process.call("pid")
    os.kill(process._forker, signal.SIGKILL)
    with pytest.raises(CallEnded):
        process.call("exit")
    assert process.call("add", 1, 2) == 3
