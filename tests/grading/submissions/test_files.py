"""One function opens what students hand in: no links on any level, plain files only, no more than a limit."""

import os
import socket
from pathlib import Path

import pytest

from bncourse.grading.submissions.beside import handed_in_at
from bncourse.grading.submissions.files import HandedIn, read_file


@pytest.fixture
def submitted(tmp_path: Path) -> Path:
    folder = tmp_path / "submitted"
    (folder / "ada" / "small").mkdir(parents=True)
    (folder / "ada" / "small" / "small.ipynb").write_bytes(b"{}")
    return folder


def test_a_plain_file_is_read(submitted: Path) -> None:
    assert read_file(submitted / "ada" / "small" / "small.ipynb", submitted) == HandedIn(b"{}")


@pytest.mark.parametrize("level", ["ada", "ada/small", "ada/small/small.ipynb"])
def test_no_link_is_followed_on_any_level(submitted: Path, tmp_path: Path, level: str) -> None:
    (submitted / level).rename(tmp_path / "elsewhere")
    (submitted / level).symlink_to(tmp_path / "elsewhere")
    file = read_file(submitted / "ada" / "small" / "small.ipynb", submitted)
    assert file.content == b"" and "is a link, which is not followed" in file.reason


def test_a_folder_is_taken_for_one_whatever_it_is_called(submitted: Path) -> None:
    (submitted / "ben").symlink_to("ada")
    reason = read_file(submitted / "ben" / "ben", submitted).reason
    assert reason == "the folder ben is a link, which is not followed"


def test_the_instructors_own_link_is_followed(submitted: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(submitted)
    assert read_file(tmp_path / "linked" / "ada" / "small" / "small.ipynb", tmp_path / "linked").content == b"{}"


@pytest.mark.parametrize(
    "kind", ["pipe", "folder", "socket", "device", "proc", "large", "endless", "missing", "a file above"]
)
def test_what_is_no_plain_file_has_a_reason(submitted: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = submitted / "ada" / "small" / "small.ipynb"
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            monkeypatch.chdir(path.parent)  # an address has room for 100 characters
            bound.bind(path.name)
    elif kind in ("device", "proc", "endless"):
        path.symlink_to({"device": "/dev/zero", "proc": "/proc/self/environ", "endless": path.name}[kind])
    elif kind == "large":
        path.touch()
        os.truncate(path, 40 * 2**20)
    elif kind == "a file above":
        path.parent.rmdir()
        path.parent.write_text("")
    file = read_file(path, submitted)
    assert file.content == b"" and file.reason


def test_a_name_moves_no_terminal(submitted: Path) -> None:
    folder = submitted / "ada" / "small"
    (folder / "small.ipynb").rename(folder / "\x1b[2J\udcff\n.ipynb")
    reason = read_file(folder / "small.ipynb", submitted).reason
    assert "but" in reason and reason.isprintable()
    assert reason.encode()


@pytest.mark.parametrize("name", ["x" * 255, "\udcff", "a\nb"])
def test_odd_names_of_folders_have_a_reason(submitted: Path, name: str) -> None:
    reason = read_file(submitted / name / "small" / "small.ipynb", submitted).reason
    assert reason.isprintable() and len(reason) < 300


@pytest.mark.parametrize(
    "content", [b"", b"yesterday", b"\xff\xfe", b"9" * 199, b"2027-02-12 23:59:00 UTC" * 9, b"\x00", b"1e999"]
)
def test_what_is_no_time_is_none(content: bytes) -> None:
    assert handed_in_at(content) is None


def test_a_time_is_read() -> None:
    time = handed_in_at(b"2027-02-12 23:59:00 UTC\n")
    assert time is not None and time.year == 2027
