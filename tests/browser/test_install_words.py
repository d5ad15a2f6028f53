"""One setting decides how every page says to install the package."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tools.book import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))

from install_words import source

from bncourse.grading.authoring.masters import MasterError, load_master
from bncourse.grading.core.install import PLACE, WHEEL, Source, command, source_of

NOWHERE = {"repository": "", "site": "", "jupyterhub": ""}
SITE = NOWHERE | {"site": "https://course.test/bn"}
GITHUB = NOWHERE | {"repository": "https://github.com/Me/bn.git"}
MASTERS = ROOT / "assignments" / "masters"


@pytest.mark.parametrize(
    ("index", "addresses", "extras", "expected"),
    [
        ("PyPI", NOWHERE, "", '"bncourse"'),
        ("PyPI", SITE, "cli", '"bncourse[cli]"'),
        ("", SITE, "cli", f'"bncourse[cli] @ https://course.test/bn/{PLACE}"'),
        ("", SITE, "", f'"bncourse @ https://course.test/bn/{PLACE}"'),
        ("", GITHUB, "cli", f'"bncourse[cli] @ https://me.github.io/bn/{PLACE}"'),
        ("", NOWHERE, "cli,torch", f'"./{WHEEL}[cli,torch]"'),
        ("", NOWHERE, "", f'"./{WHEEL}"'),
    ],
)
def test_what_stands_behind_pip_install(index: str, addresses: dict[str, str], extras: str, expected: str) -> None:
    config = {"package_index": index, "course_addresses": addresses}
    assert command(source_of(config), extras) == f"pip install {expected}"
    assert source(config) == source_of(config), "the book and the notebooks say different things"


def with_settings(folder: Path, settings: str | None) -> Path:
    """A copy of a master, under these settings."""
    target = folder / "assignments" / "masters" / "backward.md"
    target.parent.mkdir(parents=True)
    shutil.copyfile(MASTERS / "backward.md", target)
    if settings is not None:
        (folder / "_config.yml").write_text(f"sphinx:\n  config:\n    {settings}\n", "utf-8")
    return target


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("package_index: PyPI", command(Source("PyPI"), "cli")),
        ("course_addresses: {site: 'https://course.test'}", command(Source("", "https://course.test"), "cli")),
        ("language: en", command(Source(), "cli")),
        (None, command(Source(), "cli")),
    ],
)
def test_a_release_follows_the_setting(tmp_path: Path, settings: str | None, expected: str) -> None:
    master = load_master(with_settings(tmp_path, settings))
    said = next(cell.source for cell in master.cells if cell.grade_id == "how-it-works")
    assert f"`{expected}`" in said
    assert ("in the folder with this file" in said) == ("./bncourse" in expected)


def test_settings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(MasterError, match=r"_config\.yml does not say where the package comes from"):
        load_master(with_settings(tmp_path, "[nothing"))


PAGES = [*(ROOT / "book").rglob("*.md"), *MASTERS.glob("*.md"), ROOT / "README.md"]


def test_nobody_is_sent_to_an_index_that_does_not_have_the_package() -> None:
    alone = [
        f"{page.relative_to(ROOT)}: {line.strip()}"
        for page in PAGES
        for line in page.read_text("utf-8").splitlines()
        if re.search(r"pip install ['\"]?bncourse", line)
    ]
    assert alone == [], "write {install}`EXTRAS` instead; _config.yml decides the words"
