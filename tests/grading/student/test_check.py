"""`bncourse check` reads and runs a notebook as it is when it is graded: the same verdicts, in the same words."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

from bncourse.grading import oracle
from bncourse.grading.authoring.masters import list_masters, load_master
from bncourse.grading.authoring.sample_class import submission
from bncourse.grading.core.records import Master, SubmissionRecord, Verdict
from bncourse.grading.core.regions import HIDDEN_TESTS, without_region
from bncourse.grading.core.render import master_of, public_master, release_notebook, source_notebook
from bncourse.grading.engine.grader import Grader
from bncourse.grading.sandbox import inside
from bncourse.grading.student.check import check, importable
from bncourse.grading.student.selfcheck import UnreadableNotebookError
from tests.assignments.whole_class import MASTERS, class_of
from tests.grading.small import MASTER, RIGHT, SCALE, WRONG, WRONG_SCALE, cell_of, code_cell, notebook
from tests.grading.submissions.test_elsewhere import FORMS as ELSEWHERE
from tests.grading.submissions.test_elsewhere import REST
from tests.grading.vectors.files import DIFFERENCES, FROM_THE_CACHE, IN_FORWARD, OUT_OF_SIGHT

Notebook = dict[str, Any]
DECEIVES_THE_CHECK = {"sven"}
"""Who replaces the tests in their own process deceives nobody but themselves."""


def visible(master: Master) -> Master:
    """The master without its hidden tests."""
    cells = tuple(
        replace(cell, source=without_region(cell.source, HIDDEN_TESTS)) if cell.kind == "test" else cell
        for cell in master.cells
    )
    return replace(master, cells=cells)


def older_format(made: Notebook) -> None:
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
    made["worksheets"] = [{"cells": made.pop("cells")}]
    made["nbformat"] = 3


def without_cells_metadata(made: Notebook) -> None:
    for cell in made["cells"]:
        cell["metadata"] = {}
        cell.pop("id")


def merged_with_its_test(made: Notebook) -> None:
    test = cell_of(made, "test-scale")
    cell_of(made, "scale")["source"] += f"\n\n{test['source']}"
    made["cells"].remove(test)


def edited_test(made: Notebook) -> None:
    cell_of(made, "test-scale")["source"] = "print('PASSED')"


def with_code(**answers: str) -> Callable[[Notebook], None]:
    def change(made: Notebook) -> None:
        for name, source in answers.items():
            cell_of(made, name)["source"] = source

    return change


MEASURED = {
    "forward": RIGHT["forward"].replace("(x_hat, inv_std, gamma)", "(x, gamma, beta, eps, x_hat)"),
    "backward": """def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    def slope(index, h):
        step = np.zeros(x.shape, dtype=np.longdouble)
        step[index] = h
        up, down = (batch_norm_forward(x + s * step, gamma, beta, eps=eps)[0] for s in (1, -1))
        return (dy * (up - down)).sum() / (2 * h)
    entries = map(lambda i: (4 * slope(i, 1e-5) - slope(i, 2e-5)) / 3, np.ndindex(x.shape))
    return np.array([*entries], dtype=float).reshape(x.shape), (dy * x_hat).sum(axis=0), dy.sum(axis=0)""",
}
"""Right numbers, which are measured by differences."""

FORMS: dict[str, Callable[[Notebook], Any]] = {
    "right": lambda made: None,
    "released": lambda made: [cell.update(source=MASTER.released[cell["id"]]) for cell in made["cells"]],
    "wrong": with_code(**WRONG),
    "older format": older_format,
    "metadata lost": without_cells_metadata,
    "merged with its test": merged_with_its_test,
    "edited test": edited_test,
    "a library that is not there": with_code(scale=f"import scipy\n{RIGHT['scale']}"),
    "a library that is not there, needed": with_code(
        scale="import scipy.stats\ndef standardize(x):\n    return scipy.stats.zscore(x)"
    ),
    "input": with_code(scale=f"name = input()\n{RIGHT['scale']}"),
    "input in a function": with_code(scale="def standardize(x):\n    return input()"),
    "a syntax error": with_code(scale="def standardize(x):\n    return (x - x.mean() / x.std()"),
    "an unbound variable": with_code(
        scale="def standardize(x):\n    if x is None:\n        m = 0\n    return (x - m) / x.std()"
    ),
    "its own NotImplementedError": with_code(scale="def standardize(x):\n    raise NotImplementedError('later')"),
    "an exception": with_code(scale="def standardize(x):\n    return x.men()"),
    "a missing name": with_code(scale="def normalise(x):\n    return x"),
    "a size that is missing": with_code(
        backward=RIGHT["backward"].replace("dy.mean(axis=0)", "dy.sum(axis=0) / N"),
    ),
    "a variable under another name": with_code(
        forward=RIGHT["forward"].replace("    y = gamma", "    out = gamma"), number="values_per_chanel = 200"
    ),
    "hints under __future__, in a cell above": lambda made: (
        made["cells"].insert(0, code_cell("from __future__ import annotations", "own")),
        with_code(scale="def standardize(x: Array) -> Missing:\n    return (x - x.mean()) / x.std()")(made),
    ),
    "the member of an enumeration": with_code(
        number="import enum\nclass Count(enum.IntEnum):\n    VALUES = 200\nvalues_per_channel = Count.VALUES"
    ),
    "an object without items": with_code(forward=RIGHT["forward"].replace("y, cache", "{y.size: y}.values()")),
    "gradients that are made one by one": with_code(
        backward=RIGHT["backward"].replace("return dx, dgamma, dbeta", "return (each for each in (dx, dgamma, dbeta))")
    ),
    "a dictionary of one's own kind": with_code(
        forward=f"class Out(dict):\n    pass\n{RIGHT['forward'].replace('return y, cache', 'return Out(y=y)')}"
    ),
    "a function for a pair": with_code(
        forward=RIGHT["forward"].replace("return y, cache", "return lambda: (y, cache)")
    ),
    "an object without an attribute": with_code(running=RIGHT["running"].replace("self.mean", "self.average")),
    "None in place of a pair": with_code(forward=RIGHT["forward"].replace("return y, cache", "pass")),
    "a folder on the path": lambda made: (
        made["cells"].insert(0, code_cell("%%writefile src/helper.py\ndef center(x):\n    return x - x.mean()", "own")),
        with_code(
            scale="import sys\nsys.path.append('src')\nfrom helper import center\n"
            "def standardize(x):\n    return center(x) / x.std()"
        )(made),
    ),
    "no number": with_code(scale="def standardize(x):\n    return None"),
    "magics": with_code(scale=f"%matplotlib inline\n!ls\n{RIGHT['scale']}"),
    "a cell magic": with_code(scale=f"%%time\n{RIGHT['scale']}"),
    "a module": lambda made: (
        made["cells"].insert(0, code_cell("%%writefile helper.py\ndef center(x):\n    return x - x.mean()", "own")),
        with_code(scale="from helper import center\ndef standardize(x):\n    return center(x) / x.std()")(made),
    ),
    "differences": with_code(**MEASURED),
    "out of sight": with_code(forward=DIFFERENCES, backward=OUT_OF_SIGHT["from a trace of its own"]),
    "in the forward pass": with_code(forward=IN_FORWARD, backward=FROM_THE_CACHE),
    "the end of the process": with_code(scale="import os\nos._exit(0)"),
    **{f"elsewhere: {name}": change for name, change in list(ELSEWHERE.items())[:5]},
}
SLOW = {
    "a loop in a cell": with_code(scale="while True: pass"),
    "a loop": with_code(scale=WRONG_SCALE + "\n\n" + SCALE),
}
SLOW["a loop"] = with_code(scale="def standardize(x):\n    while True:\n        pass")


def outcomes(verdicts: tuple[Verdict, ...]) -> list[tuple[str, str, str | None]]:
    return [(verdict.grade_id, verdict.outcome, verdict.belief) for verdict in verdicts]


PATIENT = {"seconds_per_test": 60.0, "seconds_in_all": 600.0}
"""For whatever ends by itself: so a busy machine decides nothing."""


@pytest.fixture(scope="module")
def graded(sandbox: None) -> dict[str, tuple[Verdict, ...]]:
    seen = visible(MASTER)
    with Grader(jobs=2) as grader:
        found = list[SubmissionRecord]()
        for forms, master in ((FORMS, replace(seen, **PATIENT)), (SLOW, seen)):
            found += grader.grade_many(master, [(name, json.dumps(made(name)).encode()) for name in forms])
    return {record.student: record.verdicts for record in found}


def made(form: str) -> Notebook:
    answers = REST if form.startswith("elsewhere") else RIGHT
    whole = notebook(answers, change=(FORMS | SLOW)[form])
    if form in FORMS:
        whole["metadata"]["bncourse"] |= PATIENT
    return whole


@pytest.mark.sandbox
@pytest.mark.xdist_group("check")
@pytest.mark.parametrize("form", [*FORMS, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_the_check_says_what_the_grader_says(form: str, graded: dict[str, tuple[Verdict, ...]], tmp_path: Path) -> None:
    path = tmp_path / "small (1).ipynb"
    path.write_text(json.dumps(made(form)))
    checked = check(path)
    assert outcomes(checked.verdicts) == outcomes(graded[form])
    assert [v.message for v in checked.verdicts] == [v.message for v in graded[form]]
    if form in ("differences", "out of sight", "in the forward pass"):
        assert any("A person will look at this" in note for note in checked.notes)


def inner_names() -> set[str]:
    """The classes of the grader, but for the records that its pages are made of."""
    packages = (oracle, inside)
    names = (f"{package.__name__}.{each.name}" for package in packages for each in iter_modules(package.__path__))
    modules = [import_module(name) for name in names if not name.endswith("_main")]
    found = {(name, each) for module in modules for name, each in vars(module).items() if isinstance(each, type)}
    return {name for name, each in found if each.__module__.startswith("bncourse.grading.")}


@pytest.mark.sandbox
@pytest.mark.xdist_group("check")
def test_no_message_says_a_name_of_the_graders_own(graded: dict[str, tuple[Verdict, ...]]) -> None:
    inner = re.compile(rf"\b(?:{'|'.join(sorted(inner_names()))})\b")
    assert {"Remote", "KeptDict", "Handle", "StudentError"} <= inner_names()
    assert [v.message for found in graded.values() for v in found if inner.search(v.message)] == []


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.sandbox
@pytest.mark.parametrize("assignment", list_masters(MASTERS))
def test_the_check_says_of_every_class_what_the_grader_says(assignment: str, sandbox: None, tmp_path: Path) -> None:
    master, sample = load_master(MASTERS / f"{assignment}.md"), class_of(assignment)
    released = release_notebook(master)
    students = [student for student in sample.students if student.id not in DECEIVES_THE_CHECK]
    raw = [(student.id, submission(student, master, released, sample.written, 1)) for student in students]
    with Grader(jobs=2) as grader:
        records = {record.student: record for record in grader.grade_many(visible(master), raw)}
    for student, content in raw:
        path = tmp_path / f"{student}.ipynb"
        path.write_bytes(content)
        if records[student].status == "unreadable":
            with pytest.raises(UnreadableNotebookError):
                check(path)
        else:
            assert outcomes(check(path).verdicts) == outcomes(records[student].verdicts), student


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_a_file_is_read_whatever_its_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_bytes(
        json.dumps(notebook({"number": "größe = 1\nvalues_per_channel = 200"}), ensure_ascii=False).encode(encoding)
    )
    assert [v.outcome for v in check(path).verdicts if v.grade_id == "test-number"] == ["correct"]


def test_changed_tests_and_failed_lines_are_said(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    change = with_code(scale="x = 1\ny = x + nothing\n" + RIGHT["scale"])
    path.write_text(json.dumps(notebook(RIGHT, change=lambda made: (change(made), edited_test(made)))))
    checked = check(path)
    assert "test cell test-scale had been changed" in checked.notes
    assert "cell scale, line 2: NameError: name 'nothing' is not defined" in checked.notes
    assert {verdict.outcome for verdict in checked.verdicts} == {"correct"}


def test_a_notebook_that_has_lost_everything_is_known_by_another_beside_it(tmp_path: Path) -> None:
    lost = notebook(RIGHT, change=without_cells_metadata) | {"metadata": {}}
    path = tmp_path / "work.ipynb"
    path.write_text(json.dumps(lost))
    with pytest.raises(UnreadableNotebookError, match="as you were given it"):
        check(path)
    (tmp_path / "small.ipynb").write_text(json.dumps(release_notebook(MASTER)))
    assert {verdict.outcome for verdict in check(path).verdicts} == {"correct"}


@pytest.mark.parametrize("assignment", list_masters(MASTERS))
def test_a_release_says_of_its_master_all_but_solutions_and_hidden_tests(assignment: str) -> None:
    master = load_master(MASTERS / f"{assignment}.md")
    released = release_notebook(master)
    assert master_of(source_notebook(master)) == master
    public = public_master(released)
    assert public is not None and (public.imports, public.seconds_per_test) == (master.imports, master.seconds_per_test)
    for cell in public.cells:
        assert public.released[cell.grade_id] == master.released[cell.grade_id]
        if cell.kind in ("given", "answer"):
            assert public.binds[cell.grade_id] == master.binds[cell.grade_id]
        assert HIDDEN_TESTS.begin not in cell.source
    said = json.dumps(released)
    for cell in master.cells:
        solution = [
            line.strip() for line in set(cell.source.split("\n")) - set(master.released[cell.grade_id].split("\n"))
        ]
        kept = [
            line
            for line in solution
            if len(line) > 25 and "###" not in line and line not in "\n".join(master.released.values())
        ]
        assert [line for line in kept if json.dumps(line)[1:-1] in said] == []


def test_only_what_the_master_imports_and_requires_can_be_imported() -> None:
    names = importable(MASTER)
    assert {"numpy", "matplotlib", "math", "PIL"} <= names and not {"scipy", "torch", "bncourse"} & names
