"""JupyterLite is laid out again where something changed on which its notebooks stand, and only there."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tools.book import ROOT
from tools.browser import lite

sys.path.insert(0, str(ROOT / "book" / "_ext"))

import lite_notebooks


def test_it_is_laid_out_again_only_where_a_source_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> SimpleNamespace:
        page = Path(command[command.index("--output-dir") + 1]) / "notebooks" / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"<head>{lite.FIRST}></script></head>")
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    asked: list[int] = []
    source = tmp_path / "one.ipynb"
    source.write_text("{}")
    lock = tmp_path / "pyodide-lock.json"
    lock.write_text("{}")

    def build() -> bool:
        return lite.build(tmp_path / "lite", lambda: asked.append(1) or {}, [source], lock)

    assert (build(), build()) == (True, False)
    source.write_text('{"cells": []}')
    assert (build(), build()) == (True, False)
    assert len(asked) == 2
    lock.write_text("[]")
    assert (build(), build()) == (True, False)
    page = (tmp_path / "lite/notebooks/index.html").read_text("utf-8")
    assert page.index(lite.START.name) < page.index(lite.FIRST)
    assert (tmp_path / "lite" / lite.START.name).exists()


def test_the_address_of_the_list_of_packages_changes_with_the_list(tmp_path: Path) -> None:
    def address(text: str) -> str:
        lock = tmp_path / "pyodide-lock.json"
        lock.write_text(text)
        settings = lite.configured(lock)["jupyter-config-data"]["litePluginSettings"][lite.KERNEL]
        return str(settings["loadPyodideOptions"]["lockFileURL"])

    assert address("{}").startswith("./../_static/pyodide/pyodide-lock.json?")
    assert address("{}") == address("{}") != address("[]")


def test_a_page_of_another_jupyterlite_is_refused() -> None:
    with pytest.raises(RuntimeError, match="0 times, and not once"):
        lite.with_start("<head></head>")


def test_its_notebooks_stand_on_the_pages_the_package_and_the_code_that_reads_both(tmp_path: Path) -> None:
    out = tmp_path / "html"
    page, task = tmp_path / "jupyter_execute/book/why/page.ipynb", out / lite_notebooks.DOWNLOADS / "task.ipynb"
    for path in (page, task):
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    found = lite_notebooks.sources(out)
    assert {page, task} <= set(found)
    assert {"live_cells.py", "statements.py", "text_numbers.py", "functional.py"} <= {path.name for path in found}
