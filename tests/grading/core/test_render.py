import json
import pickle
from pathlib import Path

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

from bncourse.grading.authoring.masters import load_master
from bncourse.grading.core.records import Master
from bncourse.grading.core.render import as_bytes, master_of, release_notebook, source_notebook

MASTERS = sorted((Path(__file__).resolve().parents[3] / "assignments" / "masters").glob("*.md"))


@pytest.fixture(params=MASTERS, ids=lambda path: path.stem, scope="module")
def master(request: pytest.FixtureRequest) -> Master:
    return load_master(request.param)


def test_a_source_notebook_is_valid_for_jupyter_and_for_nbgrader(master: Master) -> None:
    notebook = nbformat.from_dict(json.loads(as_bytes(source_notebook(master))))
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)


def test_the_same_master_gives_the_same_bytes(master: Master) -> None:
    again = load_master(next(path for path in MASTERS if path.stem == master.assignment))
    assert as_bytes(source_notebook(master)) == as_bytes(source_notebook(again))
    assert master.key == again.key


def test_a_source_notebook_says_all_that_its_master_says(master: Master) -> None:
    assert master_of(json.loads(as_bytes(source_notebook(master)))) == master


def test_a_release_shows_no_solution_and_no_hidden_test(master: Master) -> None:
    text = as_bytes(release_notebook(master)).decode()
    for marker in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "Rubric"):
        assert marker not in text


def test_a_release_cuts_out_what_nbgrader_cuts_out(master: Master) -> None:
    notebook = nbformat.from_dict(json.loads(as_bytes(source_notebook(master))))
    notebook, _ = ClearSolutions().preprocess(notebook, {})
    notebook, _ = ClearHiddenTests().preprocess(notebook, {})
    ours = {cell["id"]: cell["source"] for cell in release_notebook(master)["cells"]}
    assert {cell["id"]: cell["source"] for cell in notebook.cells} == ours


def test_a_fingerprint_changes_with_any_cell(master: Master) -> None:
    from dataclasses import replace

    changed = replace(master.cells[0], source=master.cells[0].source + " ")
    assert replace(master, cells=(changed, *master.cells[1:])).key != master.key


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_a_master_that_was_serialized_is_the_same(path: Path) -> None:
    master = load_master(path)
    again = Master.deserialized(master.serialized)
    assert (again, again.key) == (master, master.key)


def test_a_master_is_sent_without_what_can_be_worked_out_again() -> None:
    master = load_master(MASTERS[0])
    assert master.trees and master.released
    again = pickle.loads(pickle.dumps(master))
    assert again == master
    assert "trees" not in vars(again)
