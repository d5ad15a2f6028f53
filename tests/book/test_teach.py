"""The pages for teachers and students: their commands run and say what the pages show, and no secret is in them."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.course import Course
from bncourse.grading.masters import load_master
from tools.first_hour import COMMANDS, FOLDER, WIDTH, cleaned

ROOT = Path(__file__).resolve().parents[2]
TEACH = ROOT / "book" / "teach"
PAGES = sorted(TEACH.glob("*.md"))

BY_OTHER_TESTS = {
    "nbgrader generate_assignment backward": "tests/grading/test_stock.py",
    "nbgrader autograde backward": "tests/grading/test_stock.py",
    "nbgrader generate_feedback backward": "tests/grading/test_stock.py",
    "nbgrader export": "tests/grading/test_stock.py",
}
"""Commands that another test runs, as a tuple of their words."""

NOT_RUN = {
    "make": "it is what CI runs",
    "pip install 'bncourse[cli]' jupyterlab": "tests install nothing",
    "pip install 'bncourse[torch]'": "tests install nothing",
    "pip install 'bncourse[grading]'": "tests install nothing",
    "apt install bubblewrap libseccomp2": "tests install nothing",
    "cd assignments": "a folder",
    "jupyter lab": "formgrader's pages are opened in tests/grading/test_formgrader.py",
}
"""Commands that no test runs, and why."""


def commands(page: Path) -> list[str]:
    """What a page tells its reader to type."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


def words(said: str) -> list[str]:
    """The words of what a command said: numbers and what hangs on this machine or on the table's width are masked."""
    said = re.sub(r"(?m)^(graded with|digest): .*$", r"\1", said)
    said = re.sub(r"\d+", "#", re.sub(r"[^\w\s+'.:,()/-]", " ", said))
    return sorted(set(said.split()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_command_on_the_pages_is_run_by_a_test_or_marked_as_not(page: Path) -> None:
    known = {*COMMANDS.values(), *BY_OTHER_TESTS, *NOT_RUN}
    assert [command for command in commands(page) if command not in known] == []


def test_what_other_tests_run_is_run_there() -> None:
    for command, file in BY_OTHER_TESTS.items():
        literals = ", ".join(f'"{word}"' for word in command.split()[1:])
        assert f"({literals}" in (ROOT / file).read_text("utf-8"), command


def test_the_list_of_commands_that_are_not_run_has_no_leftovers() -> None:
    assert {*NOT_RUN, *BY_OTHER_TESTS} <= {command for page in PAGES for command in commands(page)}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_of_the_first_hour_says_what_the_page_shows(name: str, graded: Course) -> None:
    _, command, *arguments = COMMANDS[name].split()
    options = [] if command in ("doctor", "check") else ["--course", str(graded.root), "--masters", str(graded.masters)]
    if command == "check":
        arguments = [str(graded.notebook("release", "backward"))]
    done = CliRunner().invoke(main, [command, *arguments, *options], env={"COLUMNS": str(WIDTH)})
    assert done.exit_code == (command == "check"), done.output
    shown, said = (FOLDER / f"{name}.txt").read_text("utf-8"), cleaned(done.stdout, graded.root)
    assert words(said) == words(shown), "run `python -m tools.first_hour` and look at what has changed"


@pytest.mark.slow
def test_the_notebooks_to_download_are_the_releases(site: Path) -> None:
    masters = {path.stem: load_master(path) for path in (ROOT / "assignments" / "masters").glob("*.md")}
    assert {path.stem for path in (site / "assignments").glob("*.ipynb")} == set(masters)
    for name, master in masters.items():
        text = (site / "assignments" / f"{name}.ipynb").read_text("utf-8")
        cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(text)["cells"]}
        assert list(cells) == [cell.grade_id for cell in master.cells], "the notebook is not of the master as it is"
        for secret in ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "Rubric", str(ROOT), f"{Path.home()}/"):
            assert secret not in text, f"{name}: {secret}"


@pytest.mark.slow
def test_both_tables_of_assignments_have_a_row_and_a_link_for_each_master(site: Path) -> None:
    for page in ("assignments", "instructor_guide"):
        html = (site / "book" / "teach" / f"{page}.html").read_text("utf-8")
        for path in (ROOT / "assignments" / "masters").glob("*.md"):
            assert f'href="../../assignments/{path.stem}.ipynb"' in html
            assert load_master(path).title in html


@pytest.mark.slow
def test_the_reference_has_every_public_name_of_both_twins(site: Path) -> None:
    import bncourse.numpy_bn
    import bncourse.torch_bn

    for page, room in (("api", bncourse.numpy_bn), ("api_torch", bncourse.torch_bn)):
        html = (site / "book" / "teach" / f"{page}.html").read_text("utf-8")
        missing = [name for name in room.__all__ if f'id="{room.__name__}.{name}"' not in html]
        assert not missing, f"{room.__name__}: {missing}"
