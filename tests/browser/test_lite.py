"""JupyterLite under the site: an assignment from the first click to the grade; every chapter opens as a notebook."""

import ast
import builtins
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bncourse.grading.authoring.masters import load_master
from bncourse.grading.authoring.sample_class import submission
from bncourse.grading.core.render import release_notebook
from tests.assignments.whole_class import MASTERS, class_of
from tests.browser.test_live import facts, with_cells
from tools.book import ROOT
from tools.browser import runtime

pytestmark = pytest.mark.browser

PATIENCE = 300_000
"""Milliseconds: a kernel starts in seconds on a quiet machine."""

CELLS = """() => jupyterapp.shell.currentWidget.content.widgets.map(cell => ({
    id: cell.model.id, type: cell.model.type, source: cell.model.sharedModel.getSource(),
    outputs: cell.model.type === 'code' ? cell.model.sharedModel.getOutputs() : []}))"""

THROUGH = """() => {
const panel = jupyterapp.shell.currentWidget;
const code = panel.content.widgets.filter(one => one.model.type === 'code' && one.model.sharedModel.getSource());
const outputs = code.flatMap(one => one.model.sharedModel.getOutputs());
const over = outputs.some(one => one.output_type === 'error') || code.every(one => one.model.executionCount);
return over && panel.sessionContext.session?.kernel?.status === 'idle' }"""
"""Whether every code cell has run, or one has failed, and nothing runs."""


class Notebook:
    """A notebook open in JupyterLite."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.wait_until_open()

    def wait_until_open(self) -> None:
        """Wait until the notebook's cells are there."""
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_function("globalThis.jupyterapp?.shell?.currentWidget?.content?.widgets?.length > 3")

    def cells(self) -> list[dict[str, Any]]:
        """The cells as they are now."""
        return list(self.page.evaluate(CELLS))

    def write(self, sources: dict[str, str]) -> None:
        """Write into cells by their ids."""
        self.page.evaluate(
            """sources => { for (const cell of jupyterapp.shell.currentWidget.content.widgets)
            if (sources[cell.model.id] !== undefined) cell.model.sharedModel.setSource(sources[cell.model.id]) }""",
            sources,
        )

    def run_all(self) -> list[str]:
        """Forget what ran, run every cell as the menu does, wait until nothing runs; what failed says."""
        self.page.evaluate("jupyterapp.commands.execute('editmenu:clear-all')")
        self.page.evaluate("void jupyterapp.commands.execute('runmenu:run-all')")
        self.page.wait_for_function(THROUGH)
        outputs = [output for cell in self.cells() for output in cell["outputs"]]
        return ["\n".join(one["traceback"]) for one in outputs if one["output_type"] == "error"]

    def download(self, target: Path) -> Path:
        """Save the notebook and take the file that *Download* gives."""
        self.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
        with self.page.expect_download() as found:
            self.page.evaluate("jupyterapp.commands.execute('docmanager:download')")
        target.parent.mkdir(parents=True)
        found.value.save_as(target)
        return target


@pytest.fixture(scope="module")
def context(browser: Any, site: Path) -> Iterator[Any]:
    """A browser that keeps what is stored, as a reader's does, and tells what it asked for."""
    if not runtime.present():
        pytest.skip("PYTHON FOR THE BROWSER IS MISSING, and no notebook was opened: make runtime")
    opened = browser.new_context(viewport={"width": 1300, "height": 1000}, accept_downloads=True)
    opened.set_default_timeout(PATIENCE)
    opened.asked = []
    opened.on("request", lambda request: opened.asked.append(request.url))
    yield opened
    opened.close()


def answers(name: str) -> dict[str, str]:
    """What a student of the sample class writes into the cells of `backward`."""
    master = load_master(MASTERS / "backward.md")
    sample = class_of("backward")
    student = next(one for one in sample.students if one.id == name)
    made = json.loads(submission(student, master, release_notebook(master), sample.written, 1))
    kinds = {cell.grade_id: cell.kind for cell in master.cells}
    return {cell["id"]: cell["source"] for cell in made["cells"] if kinds[cell["id"]] in ("answer", "written")}


def graded(folder: Path, notebooks: dict[str, Path]) -> dict[tuple[str, str], dict[str, Any]]:
    """The verdicts of `bncourse grade` on the files that were downloaded, by student and test."""
    shutil.copytree(ROOT / "assignments", folder / "assignments", ignore=shutil.ignore_patterns("__pycache__"))
    course = folder / "course"
    bncourse = [sys.executable, "-m", "bncourse"]
    subprocess.run([*bncourse, "release", "backward", "--course", course], cwd=folder, check=True)
    for student, path in notebooks.items():
        target = course / "submitted" / student / "backward" / "backward.ipynb"
        target.parent.mkdir(parents=True)
        shutil.copyfile(path, target)
    subprocess.run([*bncourse, "grade", "backward", "--course", course, "--jobs", "1"], cwd=folder, check=True)
    lines = (course / "verdicts.jsonl").read_text("utf-8").splitlines()
    return {(told["student"], told["cell"]): told for told in map(json.loads, lines)}


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_an_assignment_from_the_first_click_to_the_grade(
    context: Any, address: str, sandbox: None, tmp_path: Path
) -> None:
    page = context.new_page()
    page.goto(f"{address}/book/teach/assignments.html")
    page.get_by_text("open backward", exact=True).click()
    notebook = Notebook(page)
    right = answers("ada")
    notebook.write(right)
    assert notebook.run_all() == []
    handed_in = {"right": notebook.download(tmp_path / "right" / "backward.ipynb")}
    page.reload()
    notebook.wait_until_open()
    written = {cell["id"]: cell["source"] for cell in notebook.cells()}
    assert {name: written[name] for name in right} == right, "the work is not there after a reload"

    notebook.write(answers("emil"))  # without the path through the mean
    (said,) = notebook.run_all()
    handed_in["wrong"] = notebook.download(tmp_path / "wrong" / "backward.ipynb")
    assert [url for url in context.asked if not url.startswith((address, "data:", "blob:"))] == []

    verdicts = graded(tmp_path, handed_in)
    of_right = [told for (student, _), told in verdicts.items() if student == "right"]
    assert {told["verdict"] for told in of_right if told["max_points"] and told["cell"].startswith("test-")} == {
        "correct"
    }
    assert all(told["points"] == told["max_points"] for told in of_right if told["cell"].startswith("test-"))
    wrong = verdicts["wrong", "test-closed-dx"]
    assert (wrong["verdict"], wrong["belief"]) == ("wrong", "mean-path-missing")
    assert wrong["message"].splitlines()[0] in said, "the cell says another belief than the grader"


def test_the_assignments_page_opens_five_notebooks_by_one_click(context: Any, address: str, site: Path) -> None:
    page = context.new_page()
    page.goto(f"{address}/book/teach/assignments.html")
    links = page.locator("a[href*='lite/notebooks']")
    addresses = [links.nth(n).get_attribute("href") for n in range(links.count())]
    opened = [link.partition("path=")[2] for link in addresses if "/" not in link.partition("path=")[2]]
    assert sorted(opened) == ["backward.ipynb", "beyond.ipynb", "forward.ipynb", "shift.ipynb", "training.ipynb"]
    assert all((site / "lite" / "files" / name).exists() for name in opened)
    page.close()


BUTTON = "a[title='Open this page as a notebook in your browser'], a[data-bs-original-title*='as a notebook']"


def test_every_page_that_is_live_opens_as_a_notebook(site: Path) -> None:
    if not runtime.present():
        pytest.skip("PYTHON FOR THE BROWSER IS MISSING, and no notebook was looked for: make runtime")
    from bs4 import BeautifulSoup

    for name in with_cells(site):
        if not facts(site, name):
            continue
        page = BeautifulSoup((site / f"{name}.html").read_text("utf-8"), "html.parser")
        links = {link["href"] for link in page.select(BUTTON)}
        assert len(links) == 1, f"{name} has no button, or several: {links}"
        (path,) = parse_qs(urlsplit(links.pop()).query)["path"]
        assert path == f"{name.removeprefix('book/')}.ipynb"
        assert (site / "lite" / "files" / path).exists(), path


def test_a_chapters_notebook_stands_on_its_own(site: Path) -> None:
    if not runtime.present():
        pytest.skip("PYTHON FOR THE BROWSER IS MISSING, and no notebook was looked for: make runtime")
    chapters = sorted(path for path in (site / "lite" / "files").rglob("*.ipynb") if path.parent.name != "files")
    assert len(chapters) >= 25
    for path in chapters:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        tree = ast.parse("\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"))
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                bound |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                bound.add(node.name)
            elif isinstance(node, ast.arg):
                bound.add(node.arg)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                bound.add(node.name)
        free = {node.id for node in names} - bound - set(dir(builtins)) - {"display"}
        assert free == set(), f"{path.name} uses names that none of its cells binds"
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert "myst_nb" not in imported, f"{path.name} needs the book's own tools"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_chapter_with_the_digits_opens_by_its_button_and_runs(context: Any, address: str) -> None:
    page = context.new_page()
    page.goto(f"{address}/book/transform/transform.html")
    with context.expect_page() as opened:  # in a tab of its own
        page.locator(BUTTON).first.click()
    notebook = Notebook(opened.value)
    assert notebook.run_all() == []
    cells = notebook.cells()
    assert any("load_digits" in cell["source"] for cell in cells)
    assert any(
        output["output_type"] == "display_data" or "data" in output for cell in cells for output in cell["outputs"]
    )
    assert [url for url in context.asked if not url.startswith((address, "data:", "blob:"))] == []
