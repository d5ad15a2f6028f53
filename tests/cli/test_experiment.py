"""`bncourse experiment`: what a reader types to repeat a measurement of the book."""

import json
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from click.testing import CliRunner, Result

from bncourse import experiments
from bncourse.cli import main


def experiment(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["experiment", *arguments])


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    done = experiment("run", "outside_gradient", "--quick", "--seeds", "2", "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    return tmp_path / "outside_gradient.json"


def test_the_list_names_every_experiment_with_its_question() -> None:
    shown = experiment("list").output
    for name in experiments.NAMES:
        assert f"{name} " in shown
        assert experiments.experiment(name).QUESTION in shown


def test_a_run_leaves_a_result_that_follows_the_schema(quick: Path) -> None:
    schema = json.loads((Path(experiments.__file__).parent / "result.schema.json").read_text(encoding="utf-8"))
    document = json.loads(quick.read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    assert document["config"]["seeds"] == [0, 1]
    assert {unit["seed"] for unit in document["units"]} == {0, 1}


def test_a_second_run_computes_nothing_again(quick: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in quick.parent.rglob("units/*/*.json")}
    assert before
    done = experiment("run", "outside_gradient", "--quick", "--seeds", "2", "--out", str(quick.parent))
    assert done.exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in quick.parent.rglob("units/*/*.json")} == before


def test_one_seed_more_computes_only_that_one(quick: Path) -> None:
    experiment("run", "outside_gradient", "--quick", "--seeds", "3", "--out", str(quick.parent))
    assert {unit["seed"] for unit in json.loads(quick.read_text(encoding="utf-8"))["units"]} == {0, 1, 2}


def test_a_result_of_ones_own_is_drawn(quick: Path, tmp_path: Path) -> None:
    done = experiment("draw", str(quick), "--out", str(tmp_path / "own.svg"))
    assert done.exit_code == 0, done.output
    assert ElementTree.parse(tmp_path / "own.svg").getroot().get("aria-label") in done.output


def test_a_recorded_run_is_drawn(tmp_path: Path) -> None:
    done = experiment("draw", "explosion", "--out", str(tmp_path / "recorded.svg"))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "recorded.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "nothing"), "there is no experiment 'nothing'"),
        (("run", "explosion", "--data", "mnist"), "explosion uses no data set"),
        (("run", "explosion", "--seeds", "0"), "0 is not in the range"),
        (("run", "batch_size", "--quick", "--device", "abacus"), "PyTorch cannot use it here"),
        (("draw", "nothing"), "no full run of 'nothing' is recorded. Recorded are: "),
        (("draw", "nothing.json"), "nothing.json"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    arguments: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    done = experiment(*arguments)
    assert done.exit_code == 2
    assert says in " ".join(done.output.split())
    assert not list(tmp_path.iterdir())


def test_missing_data_are_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BNCOURSE_DATA", str(tmp_path / "empty"))
    done = experiment("run", "adabn", "--seeds", "1", "--out", str(tmp_path / "out"))
    assert done.exit_code == 2
    assert "BNCOURSE_DATA" in done.output


def test_digits_too_few_for_the_full_form_are_refused_with_the_way_out(tmp_path: Path) -> None:
    done = experiment("run", "placement", "--data", "digits", "--seeds", "1", "--out", str(tmp_path))
    assert done.exit_code == 2
    assert "digits has 1400 training pictures" in done.output and "--quick" in done.output


@pytest.mark.parametrize("out", ["/proc/nothing-can-be-written-here", "file/inside"])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_computed(
    out: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    done = experiment("run", "explosion", "--out", out)
    assert done.exit_code == 1
    assert done.output.splitlines()[-1].startswith("Error: ") and "--out" in done.output
