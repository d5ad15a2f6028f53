"""One setting decides how every page says to install the package."""

import sys

import pytest

from tools.book import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))

from install_words import PLACE, WHEEL, target

NOWHERE = {"repository": "", "site": "", "jupyterhub": ""}
SITE = NOWHERE | {"site": "https://course.test/bn"}


@pytest.mark.parametrize(
    ("index", "addresses", "extras", "expected"),
    [
        ("PyPI", NOWHERE, "", "bncourse"),
        ("PyPI", SITE, "cli", "'bncourse[cli]'"),
        ("", SITE, "cli", f"'bncourse[cli] @ https://course.test/bn/{PLACE}'"),
        ("", SITE, "", f"'bncourse @ https://course.test/bn/{PLACE}'"),
        ("", NOWHERE, "cli,torch", f"'./{WHEEL}[cli,torch]'"),
        ("", NOWHERE, "", f"./{WHEEL}"),
    ],
)
def test_what_stands_behind_pip_install(index: str, addresses: dict[str, str], extras: str, expected: str) -> None:
    assert target({"package_index": index, "course_addresses": addresses}, extras) == expected


def test_no_page_says_it_with_words_of_its_own() -> None:
    alone = [
        f"{page.relative_to(ROOT)}: {line.strip()}"
        for page in (ROOT / "book/intro.md", ROOT / "book/teach/assignments.md")
        for line in page.read_text("utf-8").splitlines()
        if "pip install" in line
    ]
    assert alone == []
