"""How a student installs the package: one setting decides the words, wherever they stand."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import bncourse

WHEEL = f"bncourse-{bncourse.__version__}-py3-none-any.whl"
PLACE = f"_static/wheels/{WHEEL}"
"""Where the wheel lies in the course's site."""

ROLE = re.compile(r"\{install\}`([\w,-]+)`")
"""What stands in a master, and in the book, for the command with these extras (`-`: none)."""


class Source(NamedTuple):
    """Where the package comes from: an index that has it, or else the course's site, or else the file itself.

    A name that no index has yet is never typed alone: someone else could register it.
    """

    named: str = ""
    site: str = ""

    @property
    def is_file(self) -> bool:
        """Whether the wheel has to lie where the command is typed."""
        return not self.named and not self.site


def source_of(config: Mapping[str, Any]) -> Source:
    """Read the settings `package_index` and `course_addresses` of _config.yml.

    Without an address of its own, the site is taken to be the repository's GitHub Pages.

    >>> source_of({"course_addresses": {"repository": "https://github.com/me/bn"}})
    Source(named='', site='https://me.github.io/bn')
    """
    said = {name: str(one or "").rstrip("/") for name, one in dict(config.get("course_addresses") or {}).items()}
    return Source(str(config.get("package_index") or ""), said.get("site") or pages(said.get("repository", "")))


def pages(repository: str) -> str:
    """The GitHub Pages of a repository, or nothing."""
    found = re.fullmatch(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?", repository)
    if not found:
        return ""
    owner, name = found.groups()
    home = f"https://{owner.lower()}.github.io"
    return home if f"https://{name.lower()}" == home else f"{home}/{name}"


def command(source: Source, extras: str = "") -> str:
    """The command that installs the package with these extras, for any shell.

    >>> command(Source(named="PyPI"), "cli")
    'pip install "bncourse[cli]"'
    >>> command(Source(site="https://course.test"), "cli")
    'pip install "bncourse[cli] @ https://course.test/_static/wheels/bncourse-0.1.0-py3-none-any.whl"'
    >>> command(Source())
    'pip install "./bncourse-0.1.0-py3-none-any.whl"'
    """
    with_extras = f"[{extras}]" if extras else ""
    if source.named:
        wanted = f"bncourse{with_extras}"
    elif source.site:
        wanted = f"bncourse{with_extras} @ {source.site}/{PLACE}"
    else:
        wanted = f"./{WHEEL}{with_extras}"
    return f'pip install "{wanted}"'


def written_out(text: str, source: Source) -> str:
    """A master's text with the command in it, and with where to type it where that matters."""
    place = ", in the folder with this file, which comes with the notebook" if source.is_file else ""
    return ROLE.sub(lambda role: f"`{command(source, role[1].strip('-'))}`{place}", text)
