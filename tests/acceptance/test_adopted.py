"""An assignment of another course, from adopting its notebook to marks and pages, by the commands of the guide."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.authoring.course_folder import find_course
from tests.grading.authoring.test_adopt import SUBMISSIONS, cells, notebook


def typed(line: str, course: Path) -> str:
    done = CliRunner().invoke(main, [*line.split(), "--course", str(course)])
    assert done.exit_code == 0, f"{line}: {done.output}"
    return done.output


@pytest.mark.long
@pytest.mark.sandbox
@pytest.mark.timeout(300)
def test_another_courses_assignment_goes_from_its_notebook_to_marks_and_pages(sandbox: None, tmp_path: Path) -> None:
    root = tmp_path / "other-2027"
    done = CliRunner().invoke(main, ["new-course", str(root), "--zone", "UTC", "--first-due", "2027-01-25"])
    assert done.exit_code == 0, done.output
    source = notebook(tmp_path / "source" / "ps1" / "cubes.ipynb", cells())
    typed(f"adopt {source} --due 2027-03-01", root)
    typed("release cubes", root)
    course = find_course(root)
    released = course.notebook("release", "cubes").read_text(encoding="utf-8")
    assert "cubes(5)[-1] == 125" not in released and "n must be at least 1" not in released
    (tmp_path / "handed-in").mkdir()
    for name, (content, _) in SUBMISSIONS.items():
        (tmp_path / "handed-in" / f"{name.replace(' ', '-')}.ipynb").write_bytes(content)
    assert f"{len(SUBMISSIONS)} taken" in typed(f"collect cubes {tmp_path / 'handed-in'}", root)
    typed("grade cubes", root)
    assert "answers still wait to be marked" in typed("export cubes", root)
    with (root / "grades.csv").open(encoding="utf-8", newline="") as table:
        found = {row["id"]: row for row in csv.DictReader(table)}
    assert {name.replace(" ", "-"): points for name, (_, points) in SUBMISSIONS.items()} == {
        student: float(row["score"]) for student, row in found.items()
    }
    typed("feedback cubes", root)
    pages = {path.parents[1].name: path.read_text(encoding="utf-8") for path in (root / "feedback").rglob("*.html")}
    assert set(pages) == set(found)
    assert "By induction." in pages["right"]
    assert not [student for student, page in pages.items() if "cubes(5)[-1] == 125" in page]
