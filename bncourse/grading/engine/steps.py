"""A master and a submission's cells in; the steps that run them out, in the notebook's order."""

from collections.abc import Set
from functools import lru_cache
from typing import Any

from bncourse.grading.core.given_code import as_run
from bncourse.grading.core.records import Master
from bncourse.grading.submissions.magics import plain_python
from bncourse.grading.submissions.read import Reading

AGAIN, INSTEAD = "again:", "instead:"
"""How the steps are named in which code of another cell runs a second time, or in the place of an answer."""


def steps_of(master: Master, reading: Reading, stubs: Set[str]) -> list[dict[str, Any]]:
    """The steps of one pass: given cells, answers, the student's own cells where they stand, and tests.

    In the cells of `stubs` nothing was written; a test that is about such cells alone is told which names they bind.
    """
    steps = _own_cells(reading, "")
    answers = {cell.grade_id: master.binds[cell.grade_id] for cell in master.cells if cell.kind == "answer"}
    for cell in master.cells:
        name = cell.grade_id
        if cell.kind == "given":
            steps.append({"do": "given", "cell": name, "source": _given(cell.source)})
        elif cell.kind == "answer":
            source = plain(reading, reading.answers.get(name, ""))
            facts = {"source": source, "binds": sorted(master.binds[name]), "stub": name in stubs}
            steps.append({"do": "answer", "cell": name, **facts})
            late = (extra.source for extra in reading.moved if extra.after == name)
            steps += [{"do": "extra", "cell": f"{AGAIN}{name}", "source": source} for source in late]
        elif cell.kind == "test":
            about = {one: sorted(binds) for one, binds in answers.items() if binds & master.loads[name]}
            steps.append({"do": "test", "cell": name, "stubs": about if about.keys() <= stubs else {}})
        steps += _own_cells(reading, name)
    return steps


@lru_cache(maxsize=256)
def _given(source: str) -> str:
    """A given cell as it is run; every submission has the same."""
    return plain_python(as_run(source))


def with_another(steps: list[dict[str, Any]], answer: str, source: str) -> list[dict[str, Any]]:
    """The steps with other code behind an answer, and behind each cell below it that the student added."""
    made, below = list[dict[str, Any]](), False
    for step in steps:
        made.append(step)
        is_answer = (step["do"], step["cell"]) == ("answer", answer)
        below = below or is_answer
        if is_answer or (below and step["do"] == "extra"):
            made.append({"do": "extra", "cell": f"{INSTEAD}{answer}", "source": source})
    return made


def plain(reading: Reading, source: str) -> str:
    """Code of a submission as it is run, without magics."""
    return reading.plain.get(source, source)


def _own_cells(reading: Reading, after: str) -> list[dict[str, Any]]:
    sources = [extra.source for extra in reading.extras if extra.after == after]
    return [
        {"do": "extra", "cell": f"after:{after}:{number}", "source": plain(reading, source)}
        for number, source in enumerate(sources, start=1)
    ]
