"""Cells that await something run as they do in a notebook."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from bncourse.grading.sandbox.inside.worker import Worker

CELL = """\
import asyncio
async def later(value):
    await asyncio.sleep(0.001)
    return value
x = await later(3)
task = asyncio.create_task(later(4))
async with asyncio.Lock():
    y = 5
async for _ in aiter_of(2):
    z = 6
await asyncio.gather(later(1), later(2))"""


@pytest.fixture(autouse=True)
def no_running_loop() -> Iterator[None]:
    """A browser that another test has opened counts as a loop that runs in this thread."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


@pytest.fixture
def worker() -> Iterator[Worker]:
    ours, theirs = socket.socketpair()
    made = Worker(ours.detach())
    yield made
    theirs.close()


def test_awaits_at_the_top_of_a_cell(worker: Worker) -> None:
    first = "async def aiter_of(n):\n    for i in range(n):\n        yield i"
    assert worker.do_run("zero", first, False, [], 1, True)[1] == []
    ran = worker.do_run("one", CELL, False, [], 1, True)
    assert ran[1:3] == ([], "[1, 2]\n")
    assert [worker.space[name] for name in "xyz"] == [3, 5, 6]
    assert worker.do_run("two", "await task", False, [], 1, True)[1:3] == ([], "4\n")


def test_what_is_awaited_may_fail(worker: Worker) -> None:
    ran = worker.do_run("one", "async def f():\n    return 1 / 0\na = 1\nawait f()\nb = 2", False, [], 1, True)
    assert [problem[:2] for problem in ran[1]] == [(2, "ZeroDivisionError")]
    assert worker.space["b"] == 2


def test_a_cell_without_await_needs_no_loop(worker: Worker) -> None:
    worker.do_run("one", "x = 1\nx", False, [], 1, True)
    assert worker.awaiting._loop is None
