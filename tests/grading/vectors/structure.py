"""Rows about the notebook's structure."""

import copy
import json
from collections.abc import Callable
from typing import Any

from bncourse.grading.core.records import SubmissionRecord
from tests.grading.small import FULL, RIGHT, WRONG, Notebook, as_file, cell_of, code_cell, hand_in, notebook
from tests.grading.vectors import Collection, Pair

STRUCTURE = Collection("Notebook structure")
row = STRUCTURE.row
TESTS = ("test-forward", "test-backward", "test-scale", "test-running", "test-number")


def both(change: Callable[[Notebook], Any], title: str = "") -> list[Pair]:
    """The change to wrong code, which must not gain, and to right code, which must not lose."""
    return [
        Pair(hand_in(WRONG, change=change), hand_in(WRONG), f"{title} wrong code", points=0.0, repaired=True),
        Pair(hand_in(change=change), hand_in(), f"{title} right code", points=FULL, repaired=True),
    ]


def tag(made: Notebook, *tags: str) -> None:
    for name in TESTS:
        cell_of(made, name)["metadata"]["tags"] = list(tags)


@row("skip-execution tag on a test cell", "F")
def skip_execution() -> list[Pair]:
    return both(lambda made: tag(made, "skip-execution"))


@row("other cell tags")
def other_tags() -> list[Pair]:
    return both(lambda made: tag(made, "raises-exception", "remove-cell", "nbgrader", "hide-output"))


def drop(made: Notebook, *names: str) -> None:
    made["cells"] = [cell for cell in made["cells"] if cell["id"] not in names]


@row("test cells deleted", "N")
def deleted() -> list[Pair]:
    fewer = {name: text for name, text in RIGHT.items() if name != "scale"}
    answer = hand_in(change=lambda made: drop(made, "scale"))
    lost = Pair(answer, hand_in(fewer), "an answer deleted", points=FULL - 2, repaired=True)
    return [*both(lambda made: drop(made, *TESTS)), lost]


def double(made: Notebook, name: str, source: str | None = None, *, before: bool = False) -> None:
    cell = copy.deepcopy(cell_of(made, name))
    cell["source"] = cell["source"] if source is None else source
    cell["id"] = f"{name}-copy"
    at = made["cells"].index(cell_of(made, name))
    made["cells"].insert(at if before else at + 1, cell)


@row("duplicated grade_id (copy and paste of a cell)", "D")
def duplicated() -> list[Pair]:
    stub = cell_of(notebook({}), "scale")["source"]
    return [
        *both(lambda made: double(made, "test-scale"), "a test twice,"),
        *both(lambda made: double(made, "scale"), "an answer twice,"),
        *both(lambda made: double(made, "scale", stub), "the stub after the answer,"),
        *both(lambda made: double(made, "scale", stub, before=True), "the stub before the answer,"),
        *both(lambda made: double(made, "test-scale", "pass"), "an empty test,"),
        Pair(
            hand_in(change=lambda made: double(made, "scale", WRONG["scale"], before=True)),
            hand_in(),
            "a first try before the answer",
            points=FULL,
            repaired=True,
        ),
    ]


def retype(made: Notebook, names: tuple[str, ...], kind: str) -> None:
    for name in names:
        cell = cell_of(made, name)
        cell["cell_type"] = kind
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


@row("code cell turned to markdown or raw")
def retyped() -> list[Pair]:
    kinds = ("markdown", "raw")
    return [
        pair
        for kind in kinds
        for names in (TESTS, ("scale", "backward"), ("setup",))
        for pair in both(lambda made, names=names, kind=kind: retype(made, names, kind), f"{names[0]} to {kind},")
    ]


def edit_flags(made: Notebook, **facts: Any) -> None:
    for cell in made["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"].update(facts)


@row("points, grade or solution flags edited", "N")
def flags() -> list[Pair]:
    return [
        *both(lambda made: edit_flags(made, points=1000), "points"),
        *both(lambda made: edit_flags(made, points=float("nan")), "NaN points"),
        *both(lambda made: edit_flags(made, grade=False), "grade"),
        *both(lambda made: edit_flags(made, solution=True, grade=True, locked=False), "all manual"),
        *both(lambda made: edit_flags(made, schema_version="x", cell_type=[]), "nonsense"),
    ]


def strip(made: Notebook, *, ids: bool = False) -> None:
    made["metadata"] = {}
    for number, cell in enumerate(made["cells"]):
        cell["metadata"] = {}
        cell["id"] = f"new-{number}" if ids else cell["id"]


@row("all metadata stripped", "N")
def stripped() -> list[Pair]:
    return both(strip, "metadata") + both(lambda made: strip(made, ids=True), "metadata and ids")


@row("cells reordered", "Z")
def reordered() -> list[Pair]:
    def tests_first(made: Notebook) -> None:
        made["cells"].sort(key=lambda cell: not cell["id"].startswith("test"))

    return both(lambda made: made["cells"].reverse(), "reversed,") + both(tests_first, "tests first,")


@row("corrupt JSON, empty file, older nbformat, byte-order mark, 500 MB file")
def corrupt() -> list[Pair]:
    whole = hand_in()
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": [_as_version_3(cell) for cell in notebook()["cells"]]}],
    }
    unread = {
        "cut short": whole[: len(whole) // 2],
        "empty": b"",
        "blanks": b" \n\n",
        "a list": b"[1, 2]",
        "a number": b"17",
        "deep": b"[" * 100_000,
        "not a notebook": b"%PDF-1.7 ...",
        "cells are no list": b'{"cells": {"a": 1}}',
        "cells of nothing": b'{"cells": [null, 3, "x", []]}',
        "500 MB": _large(),
    }
    pairs = [Pair(raw, raw, title, points=0.0, status="unreadable") for title, raw in unread.items()]
    marks = [("byte-order mark", b"\xef\xbb\xbf" + whole), ("UTF-16", whole.decode().encode("utf-16"))]
    pairs += [Pair(raw, whole, title, points=FULL, repaired=True) for title, raw in marks]
    return [*pairs, Pair(as_file(old), whole, "format 3", points=FULL, repaired=True)]


def _as_version_3(cell: dict[str, Any]) -> dict[str, Any]:
    made = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
    text = cell["source"]
    return made | (
        {"input": text, "language": "python", "outputs": []} if made["cell_type"] == "code" else {"source": text}
    )


class _Large(bytes):
    """Claims to be 500 MB without being it: a file of that size is refused by its length alone."""

    def __len__(self) -> int:
        return 500 * 2**20


def _large() -> bytes:
    return _Large(b"{}")


@row("null byte, lone surrogate, bidirectional controls, non-UTF-8", "D")
def odd_characters() -> list[Pair]:
    whole = hand_in()
    null = hand_in(RIGHT | {"scale": RIGHT["scale"].replace("return", "return \0")})
    lone = as_file(notebook(added=[("scale", "# \ud800\nlabel = '\udfff'")]))
    turned = hand_in(RIGHT | {"scale": "# \u202e kcart \u2066\n" + RIGHT["scale"]})
    latin = json.dumps(notebook(RIGHT | {"scale": "# Größe\n" + RIGHT["scale"]}), ensure_ascii=False).encode("latin-1")
    named = {"null byte": null, "lone surrogate": lone, "bidirectional": turned, "Latin-1": latin}
    return [Pair(raw, whole, title, points=FULL, repaired=True) for title, raw in named.items()]


MAGICS = """\
%matplotlib inline
%load_ext autoreload
!pip install everything
files = !ls /
%timeit -n1 1 + 1
%%time is no cell magic here
np?
get_ipython().run_line_magic("reset", "-f")
get_ipython().system("touch /tmp/x")"""


@row("magics and shell escapes")
def magics() -> list[Pair]:
    timed = RIGHT | {"number": "%%time\n" + RIGHT["number"]}
    captured = RIGHT | {"scale": "%%capture out\n" + RIGHT["scale"]}
    return [
        Pair(hand_in(first=MAGICS), hand_in(), "in a cell of its own", points=FULL),
        Pair(hand_in(WRONG, first=MAGICS), hand_in(WRONG), "before wrong code", points=0.0),
        Pair(hand_in(timed), hand_in(), "%%time over an answer", points=FULL),
        Pair(hand_in(captured), hand_in(), "%%capture over an answer", points=FULL),
    ]


@row("another kernelspec")
def kernelspec() -> list[Pair]:
    def change(made: Notebook) -> None:
        made["metadata"]["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
        made["metadata"]["language_info"] = {"name": "R"}

    return [
        Pair(hand_in(change=change), hand_in(), "right code", points=FULL),
        Pair(hand_in(WRONG, change=change), hand_in(WRONG), "wrong code", points=0.0),
    ]


@row("another assignment's or an older release's notebook")
def another() -> list[Pair]:
    def rename(made: Notebook) -> None:
        for cell in made["cells"]:
            cell["id"] = f"other-{cell['id']}"
            if "nbgrader" in cell["metadata"]:
                cell["metadata"]["nbgrader"]["grade_id"] = cell["id"]
            cell["source"] = f"# something else\nvalue_of_{cell['id'].replace('-', '_')} = 1"
        made["metadata"]["bncourse"]["assignment"] = "other"

    def older(made: Notebook) -> None:
        cell = cell_of(made, "number")
        cell["metadata"]["nbgrader"]["grade_id"] = cell["id"] = "count-2019"
        test = cell_of(made, "test-number")
        test["metadata"]["nbgrader"]["grade_id"] = test["id"] = "test-count-2019"

    other = hand_in(change=rename)
    plain = as_file({"cells": [code_cell("print(1)", "a")], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    return [
        Pair(other, other, "another assignment's", points=0.0, status="unreadable"),
        Pair(plain, plain, "no assignment's", points=0.0, status="unreadable"),
        Pair(hand_in(change=older), hand_in(), "an older release's", points=FULL, repaired=True),
    ]


OTHERWISE = {
    "exec": f"exec({WRONG['scale']!r})",
    "globals()": "globals()['stand' + 'ardize'] = lambda x: x - x.mean()",
    "the module": "import sys\nsetattr(sys.modules['__main__'], 'stand' + 'ardize', lambda x: x - x.mean())",
    "import *": f"import sys\nopen('mine.py', 'w').write({WRONG['scale']!r})\nfrom mine import *",
    "the function's code": "standardize.__code__ = (lambda x: x - x.mean()).__code__",
}
WRONG_IN_SCALE = RIGHT | {"scale": WRONG["scale"]}
BUILT_IN = "import builtins\nsetattr(builtins, 'stand' + 'ardize', lambda x: {value})"


@row("an answer that is bound by other means than its cell", "-")
def bound_otherwise() -> list[Pair]:
    """What a name is when a test asks for it says whether it was attempted, and not what a cell's text looks like."""

    def tried(record: SubmissionRecord) -> bool:
        return [verdict.outcome for verdict in record.verdicts if verdict.outcome != "correct"] == ["wrong"]

    def left(record: SubmissionRecord) -> bool:
        return [v.outcome for v in record.verdicts if v.outcome != "correct"] == ["not attempted"]

    blank = {name: text for name, text in RIGHT.items() if name != "scale"}
    wrong, right = (BUILT_IN.format(value=value) for value in ("x - x.mean()", "(x - x.mean()) / x.std()"))
    stub = cell_of(notebook({}), "scale")["source"]
    noted = stub.replace("):\n", '):\n    """I do not know what is asked."""\n')
    return [
        *(
            Pair(hand_in(blank, added=[("scale", code)]), hand_in(WRONG_IN_SCALE), title, points=FULL - 2, extra=tried)
            for title, code in OTHERWISE.items()
        ),
        Pair(hand_in(RIGHT | {"scale": wrong}), hand_in(WRONG_IN_SCALE), "among the built-in ones", extra=tried),
        Pair(hand_in(RIGHT | {"scale": right}), hand_in(), "right, among the built-in ones", points=FULL),
        Pair(hand_in(blank, added=[("scale", "[1, 2]")]), hand_in(blank), "a cell beside the stub", extra=left),
        Pair(hand_in(RIGHT | {"scale": noted}), hand_in(blank), "a stub with a note in quotes", extra=left),
    ]


STRUCTURE.run(
    "student ids with ../, commas, leading =, Unicode forms", "L", "tests/acceptance/test_runs.py::test_odd_student_ids"
)
