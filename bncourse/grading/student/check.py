"""What a student runs before handing in: their file, read and run as when it is graded, but for the hidden tests.

Nothing but NumPy is needed. The cells run in a process of their own, with the assignment's limits and its imports.
"""

import contextlib
import importlib.metadata
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import bncourse
from bncourse.grading.core.environment import allowed
from bncourse.grading.core.names import imports_of, parse
from bncourse.grading.core.records import Kind, Master, MasterCell, Verdict
from bncourse.grading.core.render import public_master
from bncourse.grading.engine.attempt import Attempt
from bncourse.grading.engine.missing_names import charge_once, with_names
from bncourse.grading.engine.slips import with_slips_put_right
from bncourse.grading.engine.substitutes import keep_what_passes, with_substitutes
from bncourse.grading.oracle.patience import MOST
from bncourse.grading.student.selfcheck import MissingExtraError, UnreadableNotebookError
from bncourse.grading.submissions.cell_statements import names_of
from bncourse.grading.submissions.complete import complete
from bncourse.grading.submissions.files import MAX_BYTES, HandedIn
from bncourse.grading.submissions.find import what_it_is, with_modules
from bncourse.grading.submissions.notebooks import read_notebook
from bncourse.grading.submissions.read import read_submission
from bncourse.grading.submissions.review_flags import looks

MAX_PASSES = 12
GRACE = 3.0
"""Seconds after which a process that does not end by its own timer is ended."""
START_SECONDS = 60.0


class Checked(NamedTuple):
    """What a check found."""

    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]
    """What else there is to say, in words: statements that failed, cells that were changed, what a person will see."""


def check(path: Path) -> Checked:
    """Check a notebook.

    Raises
    ------
    UnreadableNotebookError
        If it is no notebook of the course.
    MissingExtraError
        If a library must be installed first.
    """
    if path.is_dir():
        raise UnreadableNotebookError(f"{path} is a folder. Expected a notebook, such as backward.ipynb.")
    try:
        content = path.read_bytes()[: MAX_BYTES + 1]
    except OSError as error:
        raise UnreadableNotebookError(f"{path} cannot be read: {error.strerror}.") from error
    if what_it_is(content):
        raise UnreadableNotebookError(f"{path} is {what_it_is(content)}.")
    file = with_modules(HandedIn(content), path, path.parent)
    master = find_master(path, content)
    reading = complete(master, read_submission(master, file.content))
    if reading.reason:
        raise UnreadableNotebookError(f"{path} cannot be graded: {reading.reason}.")
    plan = Attempt(master, reading)
    carry_out(plan)
    for put_right in (with_names, with_slips_put_right):
        again = put_right(plan)
        if again is not None:
            carry_out(again)
            charge_once(plan, again)
    for other in with_substitutes(plan):
        carry_out(other)
        keep_what_passes(plan, other)
    said = [*file.notes, *reading.repairs, *plan.all_notes()]
    look = looks(reading, plan.measured)
    return Checked(plan.all_verdicts(), (*said, *([f"A person will look at this: {look}"] if look else [])))


def find_master(path: Path, content: bytes) -> Master:
    """What the notebook, or another one in its folder, says of the release that it was made of.

    Raises
    ------
    UnreadableNotebookError
        If none does.
    """
    for text in (content, *_others(path)):
        data: Any = None
        with contextlib.suppress(ValueError, RecursionError):
            data = json.loads(text.decode(json.detect_encoding(text), "replace"), strict=False)
        master = (public_master(data) or _by_its_cells(data)) if isinstance(data, dict) else None
        if master is not None and (text is content or not read_submission(master, content).reason):
            return master
    if not read_notebook(content).reason:
        raise UnreadableNotebookError(
            f"{path} holds no tests that are known, or has lost what it says of its release. If it is of this course, "
            "put the notebook as you were given it into the same folder, and check again."
        )
    raise UnreadableNotebookError(f"{path} is not a notebook: its content is not JSON with a list of cells.")


def _by_its_cells(data: dict[str, Any]) -> Master | None:
    """What the cells of a notebook say themselves, where it says nothing of its release: tests as they stand."""
    cells, names = list[MasterCell](), set[str]()
    for cell in data.get("cells") or ():
        try:
            facts = cell["metadata"]["nbgrader"]
            flags = tuple(bool(facts.get(flag)) for flag in ("grade", "solution"))
            name, source = str(facts["grade_id"]), "".join(cell["source"])
            points = float(facts.get("points") or 0.0)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        kinds: dict[tuple[bool, ...], Kind] = {(True, False): "test", (False, True): "answer", (False, False): "given"}
        kind = kinds.get(flags)
        if kind is None or name in names or cell.get("cell_type") != "code" or not _parses(source, kind):
            continue
        names.add(name)
        if kind == "answer":
            binds = sorted(names_of(source).binds)
            source = "\n".join(
                ["### BEGIN SOLUTION", *(f"{each} = None" for each in binds), "pass", "### END SOLUTION"]
            )
        cells.append(MasterCell(name, kind, source, points))
    if not any(cell.kind == "test" for cell in cells):
        return None
    imports = {
        "numpy",
        *(each.split(".")[0] for c in cells if c.kind == "given" for each in imports_of(parse(c.source))),
    }
    return Master("unknown", "", tuple(cells), tuple(sorted(imports - {"bncourse"})))


def _parses(source: str, kind: str) -> bool:
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        parse(source if kind != "answer" else "")
        return True
    return False


def _others(path: Path) -> Iterator[bytes]:
    """The other notebooks in the folder."""
    for other in sorted(path.parent.glob("*.ipynb"))[:20]:
        if other != path and other.is_file() and other.stat().st_size <= MAX_BYTES:
            yield other.read_bytes()


def carry_out(plan: Attempt) -> None:
    """Run passes until every test has its verdict."""
    deadline = time.monotonic() + START_SECONDS + MOST * plan.master.seconds_in_all
    for _ in range(MAX_PASSES):
        if not plan.open_tests():
            break
        cut = _one_pass(plan, deadline)
        if cut is None:
            break
        plan.accept(cut, "preview" if cut.get("loading") else "grade")
    plan.end("grade")
    plan.give_up("crashed")


def _one_pass(plan: Attempt, deadline: float) -> dict[str, Any] | None:
    """Run the steps once in a new process; returns what cut it short, if anything did."""
    job = {
        "master": plan.master.serialized,
        "steps": plan.steps("grade"),
        "seconds": plan.master.seconds_per_test,
        "allowed": sorted(importable(plan.master)),
    }
    ours = str(Path(bncourse.__file__).parents[1])
    paths = os.pathsep.join(filter(None, [ours, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": paths}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "bncourse.grading.student.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
        )
        try:
            return _follow(plan, process, job, deadline)
        finally:
            process.kill()
            process.wait()


def _follow(
    plan: Attempt, process: "subprocess.Popen[bytes]", job: dict[str, Any], deadline: float
) -> dict[str, Any] | None:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise RuntimeError("the process has no pipes")
    with contextlib.suppress(BrokenPipeError):
        stdin.write(json.dumps(job).encode())
        stdin.close()
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(stdout, lines), daemon=True).start()
    patience, at = START_SECONDS, dict[str, Any]()
    while True:
        try:
            line = lines.get(timeout=max(0.1, min(patience, deadline - time.monotonic())))
        except queue.Empty:
            if time.monotonic() >= deadline:
                return {"overdue": True, "in_all": True}
            return _ended(plan, at, "timeout")
        if not line:
            return _ended(plan, at, "crashed", process.wait())
        message: dict[str, Any] = json.loads(line)
        if "extra" in message:
            raise MissingExtraError(message["extra"])
        if "at" in message:
            at, patience = message, MOST * job["seconds"] + GRACE
        elif "dead" in message:
            return message
        elif "done" in message:
            return None
        else:
            plan.take(message)


def _ended(plan: Attempt, at: dict[str, Any], how: str, code: int | None = None) -> dict[str, Any]:
    """What the grader says of a process that has ended, or did not end."""
    if not at:
        raise RuntimeError("the process in which the notebook is checked does not start")
    cell, loading = at["at"], at["do"] != "test"
    if not loading:
        points = next(each.points for each in plan.master.cells if each.grade_id == cell)
        text = "did not end in time" if how == "timeout" else "ended the process in which your code ran"
        verdict = {"grade_id": cell, "outcome": how, "points": 0.0, "max_points": points}
        verdict["message"] = f"The test {cell} {text}."
        facts = {"withheld": False, "missing": [], "stopped": "", "broken": [], "measured": {}, "untouched": False}
        plan.take({"verdict": verdict, **facts})
    return {
        "dead": how,
        "secret": False,
        "loading": loading,
        "cell": cell,
        "statement": at["statement"],
        "signal": code,
    }


def _read_lines(stream: IO[bytes], lines: "queue.SimpleQueue[bytes]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(b"")


def importable(master: Master) -> set[str]:
    """Top-level modules that there are when it is graded: Python's, the master's, and what these require."""
    names = set(sys.stdlib_module_names) | set(allowed(master)) | {"IPython"}
    wanted, seen = list(allowed(master)), set[str]()
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name in seen or name == "bncourse":
            continue
        seen.add(name)
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        names |= {str(file).split("/")[0].removesuffix(".py") for file in found.files or ()}
        wanted += [re.split(r"[^\w.-]", line)[0] for line in found.requires or () if "extra ==" not in line]
    return names
