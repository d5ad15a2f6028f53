"""A class that has answered in writing, graded without running anything, and the pages on which it is marked."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from bncourse.grading.authoring.course import Course
from bncourse.grading.core.records import Outcome, SubmissionRecord, Verdict
from bncourse.grading.marking.questions import Answers, Group
from bncourse.grading.marking.server import MarkingServer
from bncourse.grading.workflows.store import CourseStore
from bncourse.grading.workflows.submission_process import SubmissionProcess

HandIn = Callable[..., None]


def enter(course: Course, student: str) -> None:
    """Write what a student has handed in into the gradebook, as grading does, with all tests lost."""
    master = course.master("backward")
    tests = [cell for cell in master.cells if cell.kind == "test"]
    with SubmissionProcess(course, master) as process, CourseStore(course, master, process) as store:
        submission = process.submission(student)
        outcome: Outcome = "unreadable" if submission.reading.reason else "wrong"
        verdicts = tuple(Verdict(cell.grade_id, outcome, 0.0, cell.points) for cell in tests)
        store.write(submission, SubmissionRecord(student, "backward", outcome, verdicts))


def groups_now(course: Course, question: str) -> list[Group]:
    """The groups of a question as they are at this moment."""
    with Answers(course, "backward") as answers:
        return answers.now()[question].groups


@pytest.fixture
def hand_in(course: Course) -> HandIn:
    """Hand in written answers to `backward` and enter them."""

    def handed_in(student: str, texts: Mapping[str, str], behind: Mapping[str, str] | None = None) -> None:
        """`behind` holds text cells of the student's own, by the cell behind which they stand."""
        notebook = json.loads(course.notebook("release", "backward").read_bytes())
        cells = list[dict[str, Any]]()
        for cell in notebook["cells"]:
            cells.append({**cell, "source": texts.get(cell["id"], cell["source"])})
            if text := (behind or {}).get(cell["id"]):
                cells.append({"cell_type": "markdown", "id": f"own-{len(cells)}", "metadata": {}, "source": text})
        path = course.notebook("submitted", "backward", student)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**notebook, "cells": cells}), encoding="utf-8")
        enter(course, student)

    return handed_in


@pytest.fixture
def served(course: Course, hand_in: HandIn) -> Iterator[MarkingServer]:
    """The pages of a class of three, of whom two have answered the same."""
    hand_in("ann", {"answer-probes": "Because $\\epsilon$ is small.", "proof": "See the book."})
    hand_in("ben", {"answer-probes": "Because  $\\epsilon$ is\nsmall."})
    hand_in("cem", {"answer-probes": "A longer answer, which is another one."})
    ready, made = threading.Event(), list[Any]()

    def serve() -> None:
        async def until_stopped() -> None:
            with Answers(course, "backward") as answers:
                made.extend((MarkingServer(answers), asyncio.get_running_loop(), asyncio.Event()))
                ready.set()
                await made[2].wait()
                made[0].stop()

        asyncio.run(until_stopped())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(60)
    yield made[0]
    made[1].call_soon_threadsafe(made[2].set)
    thread.join(60)
