"""The build tells the truth: what is broken fails it, and what it shows belongs to the package as it is."""

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.book import ROOT, build

sys.path.insert(0, str(ROOT / "book" / "_ext"))

import page_dependencies
import teach_pages

HEAD = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# A page

It cites {cite:p}`ioffe2015`.

```{code-cell} python
1 + 1
```
"""


@pytest.fixture
def small_book(tmp_path: Path) -> Path:
    """A book of one sound page, with the settings of the real one."""
    (tmp_path / "book").mkdir()
    shutil.copy(ROOT / "_config.yml", tmp_path)
    for folder in ("_ext", "_static"):
        shutil.copytree(ROOT / "book" / folder, tmp_path / "book" / folder)
    shutil.copy(ROOT / "book" / "references.bib", tmp_path / "book")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/intro\nchapters:\n  - file: book/references\n")
    shutil.copy(ROOT / "book" / "references.md", tmp_path / "book")
    (tmp_path / "book" / "intro.md").write_text(HEAD, encoding="utf-8")
    return tmp_path


def add(book: Path, text: str) -> None:
    """Append to the page."""
    page = book / "book" / "intro.md"
    page.write_text(page.read_text("utf-8") + text, encoding="utf-8")


@pytest.mark.long
def test_a_sound_page_builds_and_a_broken_one_fails_the_build(
    small_book: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert build(small_book, small_book) == 0
    page = small_book / "_build" / "html" / "book" / "intro.html"
    assert "Ioffe" in page.read_text("utf-8")

    add(small_book, '\n```{code-cell} python\nraise RuntimeError("told so")\n```\n')
    assert build(small_book, small_book) != 0
    assert "told so" in capfd.readouterr().out


def count(name: str) -> str:
    """A cell that counts how often it is run."""
    return f"\n```{{code-cell}} python\nwith open('../{name}.ran', 'a') as ran:\n    ran.write('x')\n```\n"


@pytest.mark.long
def test_pages_are_run_ahead_and_each_of_them_once(small_book: Path, capfd: pytest.CaptureFixture[str]) -> None:
    names = ["first", "second", "third"]
    for name in names:
        (small_book / f"book/{name}.md").write_text(HEAD + count(name), encoding="utf-8")
    toc = small_book / "_toc.yml"
    toc.write_text(toc.read_text("utf-8") + "".join(f"  - file: book/{name}\n" for name in names), encoding="utf-8")
    assert build(small_book, small_book) == 0
    assert [(small_book / f"{name}.ran").read_text("utf-8") for name in names] == ["x", "x", "x"]
    assert capfd.readouterr().out.count("Executed notebook ahead") == 4

    (small_book / "book/second.md").write_text(HEAD + count("second") + "\nMore words.\n", encoding="utf-8")
    broken = HEAD + count("third") + '\n```{code-cell} python\nraise RuntimeError("told so")\n```\n'
    (small_book / "book/third.md").write_text(broken, encoding="utf-8")
    add(small_book, "\n```{code-cell} python\n2 + 2\n```\n")
    assert build(small_book, small_book) != 0
    assert "told so" in capfd.readouterr().out
    assert (small_book / "second.ran").read_text("utf-8") == "x", "other words do not run the cells"


@pytest.mark.long
@pytest.mark.parametrize(
    "fault",
    [
        "\nSee {eq}`eq-nowhere`.\n",
        "\n[a link](nowhere.md)\n",
        "\n```{literalinclude} /nowhere.py\n```\n",
        '\n```{code-cell} python\nimport warnings\nwarnings.warn("a cell that warns")\n```\n',
    ],
    ids=["equation", "link", "include", "cell that warns"],
)
def test_a_warning_fails_the_build(small_book: Path, fault: str) -> None:
    add(small_book, fault)
    assert build(small_book, small_book) != 0


def test_students_see_a_notebook_from_its_own_date_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    masters = tmp_path / "assignments" / "masters"
    masters.mkdir(parents=True)
    for name in ("shift", "forward"):
        shutil.copy(ROOT / "assignments" / "masters" / f"{name}.md", masters)
    (tmp_path / "course.toml").write_text('[opens]\nforward = "2028-02-01 12:00"\n')
    monkeypatch.setenv("BNCOURSE_COURSE", str(tmp_path))
    names = [
        [master.assignment for master in teach_pages.listed(tmp_path, datetime(2028, 2, 1, hour, tzinfo=UTC))]
        for hour in (11, 12)
    ]
    assert names == [["shift"], ["shift", "forward"]]


def test_a_page_is_read_again_where_a_master_or_a_setting_changes_comes_or_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masters = tmp_path / "assignments" / "masters"
    masters.mkdir(parents=True)
    monkeypatch.setenv("BNCOURSE_COURSE", str(tmp_path))
    app = SimpleNamespace(srcdir=tmp_path)
    env = SimpleNamespace(metadata={"book/teach": {}, "book/other": {}})

    def outdated() -> list[str]:
        found = teach_pages.find_outdated(app, env, set(), set(), set())
        env.metadata["book/teach"][teach_pages.STATE] = teach_pages.state_of(tmp_path)
        return found

    assert (outdated(), outdated()) == ([], [])
    for path in (masters / "forward.md", tmp_path / "course.toml", tmp_path / "variants.json"):
        path.write_text("one")
        assert (outdated(), outdated()) == (["book/teach"], [])
        os.utime(path, (1, 1))
        assert (outdated(), outdated()) == (["book/teach"], [])
        path.unlink()
        assert (outdated(), outdated()) == (["book/teach"], [])


def test_a_page_stands_on_what_its_modules_import() -> None:
    files = {path.name for path in page_dependencies.stands_on(frozenset({"bncourse.plots.graph"}))}
    assert {"graph.py", "style.py"} <= files
    assert "invariance.py" not in files


def test_a_change_below_changes_the_page_and_a_change_beside_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "bncourse"
    shutil.copytree(page_dependencies.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(page_dependencies, "PACKAGE", package)
    page = "```{code-cell} python\nfrom bncourse.plots.graph import computational_graph\n```\n"

    def state() -> str:
        page_dependencies.read_anew()
        return page_dependencies.page_hash(page)

    before = state()
    beside = package / "plots" / "invariance.py"
    beside.write_text(beside.read_text("utf-8") + "\n# changed\n", encoding="utf-8")
    assert state() == before
    below = package / "plots" / "style.py"
    below.write_text(below.read_text("utf-8") + "\n# changed\n", encoding="utf-8")
    assert state() != before
    page_dependencies.read_anew()
