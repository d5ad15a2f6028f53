"""The wheel that lies with a release is the package, and only there where the notebook says so."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import bncourse
from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.core.install import WHEEL
from bncourse.grading.workflows.release import is_released
from bncourse.grading.workflows.student_wheel import lay_wheel, student_wheel


def test_the_wheel_beside_a_release_can_be_installed(released_course: Course, tmp_path: Path) -> None:
    wheel = released_course.folder("release", "backward") / WHEEL
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", tmp_path, wheel]
    subprocess.run(pip, check=True)
    code = "import bncourse.numpy_bn, importlib.metadata as m; print(bncourse.__file__, m.version('bncourse'))"
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout.split() == [str(tmp_path / "bncourse" / "__init__.py"), bncourse.__version__]


def test_no_solution_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "bncourse"
    (package / "grading/course_files/assignments/masters").mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "grading/course_files/assignments/masters/backward.md").write_text("a solution", encoding="utf-8")
    monkeypatch.setattr(bncourse, "__file__", str(package / "__init__.py"))
    names = zipfile.ZipFile(io.BytesIO(student_wheel())).namelist()
    assert [name for name in names if "dist-info" not in name] == ["bncourse/__init__.py"]


def test_no_right_answer_of_others_is_in_it() -> None:
    """They differ from the solutions in names at most, and what a student installs could be read."""
    assert (Path(bncourse.__file__).parent / "diagnosis/evidence/student_answers").is_dir()
    assert not [name for name in zipfile.ZipFile(io.BytesIO(student_wheel())).namelist() if "student_answers" in name]


def test_the_same_package_gives_the_same_wheel() -> None:
    assert student_wheel() == student_wheel()


def test_a_release_whose_wheel_is_gone_is_made_again(course: Course) -> None:
    assert is_released(course, "backward")
    (course.folder("release", "backward") / WHEEL).unlink()
    assert not is_released(course, "backward")


def test_where_the_site_or_an_index_has_the_package_no_wheel_is_handed_out(course: Course) -> None:
    folder = course.folder("release", "backward")
    (course.masters.parents[1] / "_config.yml").write_text(
        "sphinx: {config: {course_addresses: {site: 'https://course.test'}}}", encoding="utf-8"
    )
    course = find_course(course.root)
    assert not is_released(course, "backward"), "its words are other ones now"
    lay_wheel(folder, needed=course.installed_from.is_file)
    assert not (folder / WHEEL).exists()
