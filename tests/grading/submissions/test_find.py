"""A notebook is found under any name, and what lies there instead of one is named for what it is."""

import io
import json
import os
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bncourse.grading.engine.grader import Grader
from bncourse.grading.submissions.attempted import holds_work
from bncourse.grading.submissions.files import HandedIn
from bncourse.grading.submissions.find import find_notebook
from bncourse.grading.submissions.submission import submission_of
from tests.grading.small import FULL, MASTER, PATIENT, RIGHT, as_file, code_cell, notebook

NAMES = (
    "small.ipynb",
    "small (1).ipynb",
    "Copy of small.ipynb",
    "small-1.ipynb",
    "small.ipynb.ipynb",
    "Untitled.ipynb",
    "prénom_éàü.ipynb",
    "SMALL.IPYNB",
    "small.ipynb.json",
    "small.ipynb.txt",
    "small.ipynb.download",
    "small",
    "small/small.ipynb",
    "hand in/week 2/small (2).ipynb",
)


def made(assignment: str | None = "small", **answers: str) -> bytes:
    content = notebook(RIGHT | answers)
    content["metadata"] = {} if assignment is None else {"bncourse": {"assignment": assignment}}
    return as_file(content)


def put(folder: Path, name: str, content: bytes, time: int = 0) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (1_000_000 + time, 1_000_000 + time))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("says", ["small", None])
def test_a_notebook_is_graded_under_any_name(name: str, says: str | None, tmp_path: Path) -> None:
    put(tmp_path, name, made(says))
    put(tmp_path, ".ipynb_checkpoints/small-checkpoint.ipynb", made())
    put(tmp_path, "__MACOSX/._small.ipynb", b"\0\5\26\7")
    file = find_notebook(tmp_path, "small")
    assert (file.content, file.reason) == (made(says), "")
    assert bool(file.notes) == (name != "small.ipynb") and all(name in note for note in file.notes)


def test_of_two_the_newer_is_graded_and_another_assignments_is_not(tmp_path: Path) -> None:
    put(tmp_path, "small (2).ipynb", made(number="new = 1"), time=50)
    put(tmp_path, "small (1).ipynb", made(number="old = 1"), time=10)
    put(tmp_path, "forward.ipynb", made("forward"), time=90)
    put(tmp_path, "plots.ipynb", made(None), time=90)
    file = find_notebook(tmp_path, "small")
    assert b"new = 1" in file.content and "of 2 such files, it is the newest" in file.notes[0]


def test_a_file_without_work_is_passed_over_for_one_with_some(tmp_path: Path) -> None:
    given, begun = as_file(notebook({})), partial(holds_work, MASTER)
    put(tmp_path, "small.ipynb", given, time=90)
    put(tmp_path, "notes.txt", b"x")
    assert find_notebook(tmp_path, "small", begun) == HandedIn(given)
    put(tmp_path, "small (1).ipynb", made(number="old = 1"), time=10)
    put(tmp_path, "small (2).ipynb", made(number="new = 1"), time=50)
    put(tmp_path, "small (3).ipynb", given, time=80)
    put(tmp_path, "other.ipynb", made("forward"), time=80)
    file = find_notebook(tmp_path, "small", begun)
    assert b"new = 1" in file.content
    assert file.notes == ("small.ipynb holds no work of the student's, so small (2).ipynb was graded",)
    put(tmp_path, "small.ipynb", b"")
    assert find_notebook(tmp_path, "small", begun) == file
    put(tmp_path, "small.ipynb", made(number="mine = 1"))
    assert find_notebook(tmp_path, "small", begun) == HandedIn(made(number="mine = 1"))


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, made())
    return stream.getvalue()


OTHERS = {
    "a ZIP archive (with hw/small.ipynb in it): unpack it": zipped("hw/small.ipynb", "__MACOSX/hw/._small.ipynb"),
    "a ZIP archive (a Word document)": zipped("word/document.xml"),
    "a web page": b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>",
    "a PDF": b"%PDF-1.7\n",
    "a Python script": b"# %%\nimport numpy as np\n",
    "a picture": b"\x89PNG\r\n\x1a\n",
    "an archive (gzip)": b"\x1f\x8b\x08\0",
}


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("name", ["small.ipynb", "small.zip", "deeper/small (1)"])
def test_what_is_no_notebook_is_named_for_what_it_is(what: str, name: str, tmp_path: Path) -> None:
    put(tmp_path, name, OTHERS[what])
    file = find_notebook(tmp_path, "small")
    assert not file.content and what.replace("an archive", "compressed archive") in file.reason
    put(tmp_path, "my work.ipynb", made())
    assert find_notebook(tmp_path, "small").content == made()


def test_a_notebook_that_names_another_assignment_is_not_taken(tmp_path: Path) -> None:
    put(tmp_path, "work.ipynb", made("forward"))
    assert "there is no file named small.ipynb" in find_notebook(tmp_path, "small").reason


def test_links_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "zoe/small (1).ipynb", made())
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "small (1).ipynb").symlink_to(tmp_path / "zoe" / "small (1).ipynb")
    (tmp_path / "eve" / "deeper").symlink_to(tmp_path / "zoe")
    (tmp_path / "ben").symlink_to(tmp_path / "zoe")
    assert not find_notebook(tmp_path / "eve", "small").content
    assert not find_notebook(tmp_path / "ben", "small").content


def test_a_folder_of_thousands_of_files_is_not_read_through(tmp_path: Path) -> None:
    for number in range(400):
        put(tmp_path, f"{number:03}.txt", b"x")
    put(tmp_path, "zz.ipynb", made())
    assert "there is no file" in find_notebook(tmp_path, "small").reason


# --- modules ---

HELPER = "def center(x):\n    return x - x.mean()"
BY_HELPER = "def standardize(x):\n    return center(x) / x.std()"
IMPORTS = RIGHT | {"scale": f"from helper import center\n{BY_HELPER}"}


def cells(*sources: str) -> Any:
    def change(content: dict[str, Any]) -> None:
        content["cells"][0:0] = [code_cell(source, f"own-{n}") for n, source in enumerate(sources)]

    return change


WRITTEN = {
    "writefile": as_file(notebook(IMPORTS, change=cells(f"%%writefile helper.py\n{HELPER}"))),
    "file": as_file(notebook(IMPORTS, change=cells(f"%%file helper.py\n{HELPER}"))),
    "append": as_file(
        notebook(IMPORTS, change=cells("%%writefile helper.py\nimport numpy", f"%%writefile -a helper.py\n\n{HELPER}"))
    ),
    "a package": as_file(
        notebook(
            RIGHT | {"scale": f"from lib.helper import center\n{BY_HELPER}"},
            change=cells(f"%%writefile lib/helper.py\n{HELPER}"),
        )
    ),
    "open": as_file(notebook(IMPORTS, change=cells(f"with open('helper.py', 'w') as f:\n    f.write({HELPER!r})"))),
    "run": as_file(
        notebook(RIGHT | {"scale": BY_HELPER}, change=cells(f"%%writefile helper.py\n{HELPER}", "%run helper.py"))
    ),
    "run with an option, without its ending": as_file(
        notebook(
            RIGHT | {"scale": BY_HELPER}, change=cells(f"%%writefile lib/helper.py\n{HELPER}", "%run -i './lib/helper'")
        )
    ),
    "a folder on the path": as_file(
        notebook(IMPORTS, change=cells(f"%%writefile src/helper.py\n{HELPER}", "import sys\nsys.path.insert(0, 'src')"))
    ),
    "star": as_file(
        notebook(
            RIGHT | {"scale": f"import helper as h\nfrom helper import *\n{BY_HELPER}"},
            change=cells(f"%%writefile helper.py\n{HELPER}"),
        )
    ),
}


@pytest.mark.sandbox
def test_modules_that_a_notebook_writes_are_there_for_it(sandbox: None) -> None:
    hides = cells("%%writefile numpy.py\nraise SystemExit", "%%writefile random.py\nraise SystemExit")
    with Grader(jobs=1) as grader:
        for form, content in WRITTEN.items():
            record = grader.grade(PATIENT, "x", content)
            assert (record.score, record.status, record.notes) == (FULL, "correct", ()), form
        record = grader.grade(PATIENT, "x", as_file(notebook(RIGHT, change=hides)))
        assert (record.score, record.status) == (FULL, "correct")
        outside = grader.grade(PATIENT, "x", as_file(notebook(RIGHT, change=cells("%%writefile ../../x.py\nx = 1"))))
        assert "%%writefile was ignored" in outside.notes[0]
        without = grader.grade(PATIENT, "x", as_file(notebook(IMPORTS)))
        assert without.score < FULL


@pytest.mark.sandbox
@pytest.mark.parametrize("beside", ["helper.py", "lib/helper.py"])
def test_a_module_that_was_handed_in_beside_is_there_for_the_notebook(
    beside: str, sandbox: None, tmp_path: Path
) -> None:
    name = beside.removesuffix(".py").replace("/", ".")
    answers = RIGHT | {"scale": f"from {name} import center\n{BY_HELPER}"}
    put(tmp_path, "small (1).ipynb", as_file(notebook(answers)))
    put(tmp_path, beside, HELPER.encode())
    put(tmp_path, "unused.py", b"raise SystemExit")
    file = find_notebook(tmp_path, "small")
    assert file.notes[-1] == f"modules beside the notebook were there for it: {beside}"
    with Grader(jobs=1) as grader:
        record = grader.grade_submission(PATIENT, submission_of(PATIENT, "x", file))
    assert (record.score, record.status, record.notes) == (FULL, "correct", file.notes)
    assert json.loads(file.content)["cells"][0]["source"].startswith(f"%%writefile {beside}\n")


@pytest.mark.parametrize(
    ("how", "is_there"),
    [
        ("import sys\nfrom helper import center", True),
        ("import sys\nimport os, helper as h", True),
        ("x = 1\n%run -i helper", True),
        ("exec(open('helper.py').read())", True),
        ("from importlib import import_module\nh = import_module('helper')", True),
        ("h = __import__('helper')", True),
        ("helper = 1", False),
        ("from helpers import center", False),
    ],
)
def test_a_module_is_known_by_the_line_that_asks_for_it(how: str, is_there: bool, tmp_path: Path) -> None:
    content = notebook(RIGHT, change=cells(how))
    put(tmp_path, "helper.py", HELPER.encode())
    for text in (how, how.splitlines(keepends=True)):
        content["cells"][0]["source"] = text
        put(tmp_path, "small.ipynb", as_file(content))
        assert bool(find_notebook(tmp_path, "small").notes) is is_there
