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
        Path(command[command.index("--output-dir") + 1]).mkdir()
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    asked: list[int] = []
    source = tmp_path / "one.ipynb"
    source.write_text("{}")

    def build() -> bool:
        return lite.build(tmp_path / "lite", lambda: asked.append(1) or {}, [source])

    assert (build(), build()) == (True, False)
    source.write_text('{"cells": []}')
    assert (build(), build()) == (True, False)
    assert len(asked) == 2


def test_its_notebooks_stand_on_the_pages_the_package_and_the_code_that_reads_both(tmp_path: Path) -> None:
    out = tmp_path / "html"
    page, task = tmp_path / "jupyter_execute/book/why/page.ipynb", out / lite_notebooks.DOWNLOADS / "task.ipynb"
    for path in (page, task):
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    found = lite_notebooks.sources(out)
    assert {page, task} <= set(found)
    assert {"live_cells.py", "statements.py", "text_numbers.py", "functional.py"} <= {path.name for path in found}
