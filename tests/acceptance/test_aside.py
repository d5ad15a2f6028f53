"""What nbgrader must not copy is moved aside by its own name: nothing goes through a link that a student made."""

from pathlib import Path

import pytest

from bncourse.grading.authoring.course import CourseError
from bncourse.grading.nbgrader_plugin.preprocessors import ODD, refuse_id, set_odd_files_aside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "submitted" / "eve" / "small"
    made.mkdir(parents=True)
    (made / "small.ipynb").write_text("{}")
    return made


def aside(folder: Path) -> list[str]:
    """Move the odd files of a submission; returns the names of all that was ever moved."""
    set_odd_files_aside("small", "eve", [str(folder / "small.ipynb")])
    moved = folder.parents[2] / ODD
    return sorted(str(Path(*path.relative_to(moved).parts[1:])) for path in moved.rglob("*") if not path.is_dir())


def test_nothing_is_moved_through_a_link_of_an_earlier_submission(folder: Path, tmp_path: Path) -> None:
    """The second time a file of the same name went where the first, a link, led."""
    (tmp_path / "instructor").mkdir()
    (folder / "x").symlink_to(tmp_path / "instructor")
    aside(folder)
    (folder / "x").symlink_to("anywhere")
    assert not (folder / "y").exists() and len(aside(folder)) == 1  # the link to a folder counts as one
    assert list((tmp_path / "instructor").iterdir()) == []


@pytest.mark.parametrize("level", ["eve", "eve/small"])
def test_a_folder_linked_to_a_classmates_is_set_aside_and_the_classmates_stays(
    folder: Path, tmp_path: Path, level: str
) -> None:
    zoe = tmp_path / "submitted" / "zoe"
    (tmp_path / "submitted" / "eve").rename(zoe)
    link = tmp_path / "submitted" / level
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(zoe / "small" if level == "eve/small" else zoe)
    aside(folder)
    assert not link.is_symlink()
    assert (zoe / "small" / "small.ipynb").read_text() == "{}"


@pytest.mark.parametrize("content", [b"yesterday", b"\xff" * 9, b"9" * 10_000])
def test_a_timestamp_that_is_none_is_set_aside(folder: Path, content: bytes) -> None:
    (folder / "timestamp.txt").write_bytes(content)
    assert aside(folder) == ["eve/small/timestamp.txt"]


def test_names_that_move_a_terminal_are_set_aside(folder: Path) -> None:
    (folder / "a\x1b[2J").write_text("")
    (folder / "\udcff").write_text("")
    (folder / "data.csv").write_text("")
    assert len(aside(folder)) == 2 and (folder / "data.csv").exists()


def test_no_id_enters_the_gradebook_that_a_page_would_read() -> None:
    class Student:
        id = "<img src=x onerror=alert(1)>"

    with pytest.raises(CourseError, match="Rename it"):
        refuse_id(None, None, Student())  # type: ignore[arg-type]
