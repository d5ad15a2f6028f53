"""What `bncourse collect` prints of a run."""

import pytest

from bncourse.cli.collect import show
from bncourse.grading.workflows.collect import Collected, Collection


def row(student: str, outcome: str, *notes: str) -> Collected:
    return Collected(student, student.title(), outcome, f"{student}.ipynb", notes)  # type: ignore[arg-type]


def test_what_was_not_taken_stands_first(capsys: pytest.CaptureFixture[str]) -> None:
    rows = (
        row("ada", "taken", "late by the platform"),
        row("bob", "not taken", "a ZIP file"),
        row("cy", "taken"),
        row("dee", "not taken", "not JSON"),
        row("eve", "kept", "a newer one is there"),
    )
    show(Collection("canvas", rows, (), ()), everything=False)
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "canvas: 2 taken, 1 kept, 2 not taken"
    assert [line.split()[0] for line in lines] == ["bob", "dee", "ada", "eve"]


def test_of_an_empty_download_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show(Collection("folder", (), (), ("ada",)), everything=False)
    assert capsys.readouterr().out.splitlines()[0] == "folder: no files of students were found"
