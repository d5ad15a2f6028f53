"""The folder last released to is the one that nbgrader's commands, later commands and the book's pages work on."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from traitlets.config import PyFileConfigLoader

from bncourse.cli import main
from bncourse.grading.authoring.course import Course, write
from bncourse.grading.authoring.course_folder import COURSE_VARIABLE, IN_USE, PACKED, find_course, in_use, take_into_use
from bncourse.grading.core.render import as_bytes, release_notebook
from tests.conftest import ASSIGNMENTS, lay_out


@pytest.fixture
def laid_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A clone in which nothing has been released, and in which commands are typed."""
    monkeypatch.delenv(COURSE_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bncourse.grading.workflows.release.release", released)
    return lay_out(tmp_path)


def released(course: Course, assignment: str) -> None:
    """What a release is, without the seconds that nbgrader takes for it."""
    write(course.notebook("release", assignment), as_bytes(release_notebook(course.master(assignment))))


def nbgraders(course: Course) -> str:
    """The gradebook on which nbgrader's commands and formgrader work, typed beside the masters."""
    return str(
        PyFileConfigLoader("nbgrader_config.py", str(course.masters.parent)).load_config().CourseDirectory.db_url
    )


def test_the_folder_last_released_to_is_in_use_and_another_only_where_it_is_named(
    laid_out: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_year, beside = tmp_path / "2028", laid_out.masters.parent / IN_USE
    assert nbgraders(laid_out) == laid_out.db_url and find_course().root == laid_out.root
    done = CliRunner().invoke(main, ["release", "backward", "--course", str(next_year)])
    assert done.exit_code == 0, done.output
    assert nbgraders(laid_out) == f"sqlite:///{next_year}/gradebook.db" and find_course().root == next_year
    monkeypatch.setenv(COURSE_VARIABLE, "third")
    assert find_course().root == tmp_path / "third"
    assert nbgraders(laid_out) == f"sqlite:///{tmp_path}/third/gradebook.db"
    take_into_use(find_course())
    monkeypatch.delenv(COURSE_VARIABLE)
    assert find_course().root == next_year and find_course(tmp_path / "fourth").root == tmp_path / "fourth"
    take_into_use(laid_out)
    assert find_course().root == laid_out.root and not beside.exists()


@pytest.mark.parametrize("said", [b"", b"nowhere", b"/nowhere/at/all", b"\xff\x00", b"relative/2028"])
def test_a_note_that_leads_nowhere_is_none(said: bytes, laid_out: Course) -> None:
    (laid_out.masters.parent / IN_USE).write_bytes(said)
    assert in_use(laid_out.masters) is None and find_course().root == laid_out.root


def test_a_folder_with_its_own_masters_and_the_package_get_no_note(tmp_path: Path) -> None:
    course = lay_out(tmp_path)
    for one in (Course(tmp_path, course.masters, course.db_url), Course(tmp_path, PACKED / "assignments/masters", "")):
        take_into_use(one)
        assert not (one.masters.parent / IN_USE).exists()


def test_the_students_page_offers_the_variant_and_the_dates_in_use(
    laid_out: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ASSIGNMENTS.parent / "book" / "_ext"))
    import teach_pages

    next_year = find_course(tmp_path / "2028", laid_out.masters)
    write(next_year.root / "variants.json", json.dumps({"backward": "2028"}).encode())
    write(next_year.root / "course.toml", b'[due]\nbackward = "2028-03-01 12:00"\n')
    app = SimpleNamespace(srcdir=str(tmp_path), outdir=str(tmp_path / "site"), builder=SimpleNamespace(format="html"))
    offered = tmp_path / "site" / "assignments" / "backward.ipynb"

    def facts() -> tuple[str, str]:
        teach_pages.release_notebooks(app, None)
        (master,) = teach_pages.masters_of(tmp_path)
        return json.loads(offered.read_bytes())["metadata"]["bncourse"]["digest"], str(master.metadata["due"])[:16]

    assert facts() == (laid_out.master("backward").metadata["digest"], "2027-02-12 23:59")
    take_into_use(next_year)
    assert facts() == (find_course().master("backward").metadata["digest"], "2028-03-01 12:00")
    assert next_year.root / "variants.json" in teach_pages.settings_of(tmp_path)
    sys.modules.pop("teach_pages", None)
