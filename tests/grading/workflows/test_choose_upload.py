"""One student's file that cannot be read in time costs nobody else their upload."""

from typing import Any

import pytest

from bncourse.grading.sandbox import limited_process
from bncourse.grading.submissions.downloads import Person, Upload
from bncourse.grading.submissions.files import HandedIn
from bncourse.grading.workflows import choose_upload
from bncourse.grading.workflows.choose_upload import UploadProcess, choose
from tests.grading.odd_text import ENDINGS, LIMITS, MARK, spoiled

NOTEBOOK = '{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {"bncourse": {"assignment": %s}}}'


def upload(named: str, text: str = "") -> Upload:
    return Upload(Person("Ada"), "backward.ipynb", HandedIn((NOTEBOOK % named + text).encode()))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_cannot_be_read_is_not_taken(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    monkeypatch.setattr(limited_process.LimitedProcess.__init__, "__kwdefaults__", LIMITS)
    monkeypatch.setattr(choose_upload, "read_notebook", spoiled(choose_upload.read_notebook, ending))
    with UploadProcess() as process:
        chosen, notes = choose(process, "backward", [upload('"backward"', f" {MARK}")])
        assert chosen is None
        assert ENDINGS[ending][1] in notes[0]
        good = upload('"backward"')
        assert choose(process, "backward", [upload('"backward"', f" {MARK}"), good])[0] is good


@pytest.mark.parametrize("named", ["[]", "{}", "1", '"\\ud800"', '"\\u001b[2J"', "[" * 900 + "]" * 900])
def test_what_metadata_name_is_shown_in_plain_characters(named: str) -> None:
    with UploadProcess() as process:
        chosen, notes = choose(process, "backward", [upload(named)])
    assert chosen is None
    assert all(note.isprintable() and len(note) < 200 for note in notes)


def test_of_two_notebooks_the_one_of_the_assignment_is_chosen() -> None:
    ours, lost = upload('"backward"'), upload("null")
    with UploadProcess() as process:
        assert choose(process, "backward", [lost, ours]) == (ours, ())
        assert choose(process, "backward", [lost]) == (lost, ("its metadata name no assignment",))


def test_the_process_ends_with_its_block() -> None:
    with UploadProcess() as process:
        found: Any = process.facts(b"no notebook")
    assert "JSON" in found.reason
