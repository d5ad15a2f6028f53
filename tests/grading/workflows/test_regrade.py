import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.authoring.sample_class import write_sample_class
from bncourse.grading.engine.grader import Grader
from bncourse.grading.engine.shelf import FILE, Shelf
from bncourse.grading.gradebook.records_table import kept_records, records_of
from bncourse.grading.reports.changes import Change
from bncourse.grading.submissions.upgrade import handed_in
from bncourse.grading.workflows.grade import grade_class
from bncourse.grading.workflows.regrade import preview
from bncourse.grading.workflows.release import release
from tests.conftest import copied

pytestmark = pytest.mark.sandbox

OLD = 'assert prediction_4 in ("a", "b", "c")'
NEW = 'assert prediction_4 in ("c",)'


def mend(course: Course) -> None:
    """Change one visible test: now only the right prediction counts."""
    path = course.masters / "backward.md"
    text = path.read_text()
    assert OLD in text
    path.write_text(text.replace(OLD, NEW))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and "source" not in path.parts}


def test_nothing_changes_and_nothing_runs_where_no_test_was_changed(graded: Course, never: Callable[[], Any]) -> None:
    result = preview(graded, "backward", never)
    assert (result.changes, result.compared, result.cells_run) == ((), len(graded.students("backward")), 0)


def test_a_preview_names_who_would_lose_what_and_writes_nothing(graded: Course) -> None:
    mend(graded)
    before = everything(graded.root)
    result = preview(graded, "backward", lambda: Grader(jobs=1))
    assert result.changes == (Change("ivan", 30.0, 29.0, (("test-prediction-4", 1.0, 0.0),)),)
    missing = 2
    """Lena and Mika have not written it."""
    assert (result.stored, result.run, result.cells_run) == (missing, result.compared - missing - 1, result.run)
    assert everything(graded.root) == before


def test_after_a_regrade_marks_are_those_of_the_preview_and_nobody_looks_tampered(graded: Course) -> None:
    before = {name: kept.record for name, kept in kept_records(graded, "backward").items()}
    mend(graded)
    for student in ("otto", "pia"):  # slow, and not needed here
        graded.notebook("submitted", "backward", student).write_text("{}")
    release(graded, "backward")
    grade_class(graded, "backward", grader=lambda: Grader(jobs=2))
    for record in records_of(graded, "backward"):
        if record.student not in ("otto", "pia"):
            expected = before[record.student].score - (1 if record.student == "ivan" else 0)
            assert (record.score, record.status) == (expected, before[record.student].status), record.student
            assert record.repairs == before[record.student].repairs


def test_what_a_student_edited_in_an_earlier_release_stays_visible(graded: Course) -> None:
    mend(graded)
    release(graded, "backward")
    master = graded.master("backward")
    cells = {c["id"]: c for c in json.loads(handed_in(graded, master, "sven").content)["cells"]}
    assert NEW in "".join(cells["test-prediction-4"]["source"])
    assert cells["test-closed-dbeta"]["source"] == "print('PASSED')"
    assert cells["test-closed-dx"]["metadata"]["tags"] == ["skip-execution"]


def test_a_notebook_of_an_unknown_release_is_taken_as_it_is(graded: Course) -> None:
    path = graded.notebook("submitted", "backward", "ada")
    notebook = json.loads(path.read_bytes())
    for digest in ("f" * 64, "../../../etc/passwd", 3):
        notebook["metadata"]["bncourse"]["digest"] = digest
        path.write_text(json.dumps(notebook))
        assert handed_in(graded, graded.master("backward"), "ada").content == path.read_bytes()


def test_a_class_that_was_not_graded_has_no_preview(course: Course, never: Callable[[], Any]) -> None:
    with pytest.raises(CourseError, match="bncourse grade backward"):
        preview(course, "backward", never)


# --- from stored results ---

CLASS = ("ada", "dora", "otto", "pia", "tove")
NEAR = {
    "near": "    return dvar * (-2 / len(x)) * (x - center).sum(axis=0) * (1 + 1e-11)",
    "beside": "    return dvar * (-2 / len(x)) * (x - center).sum(axis=0) + 1e-10",
}
"""Students whose code is only just right, or only just wrong."""
TIGHTER = "assert np.abs(part - expected).max() < 1e-9", "assert np.abs(part - expected).max() < 1e-12"
LOOSER = "assert np.abs(part).max() < 1e-12", "assert np.abs(part).max() < 1e-8"
SEED = "rng = np.random.default_rng(21)", "rng = np.random.default_rng(22)"


@pytest.fixture(scope="session")
def kept_course(released_course: Course, sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Some of the sample class, and two who are near a tolerance, graded with transcripts."""
    course = copied(released_course, tmp_path_factory.mktemp("kept"))
    write_sample_class(course, "backward")
    for student in set(course.students("backward")) - set(CLASS):
        shutil.rmtree(course.root / "submitted" / student)
    for student, line in NEAR.items():
        notebook = json.loads(course.notebook("submitted", "backward", "ada").read_bytes())
        answer = next(cell for cell in notebook["cells"] if cell["id"] == "second-part")
        answer["source"] = f"def dmean_through_var(x, center, dvar):\n{line}"
        path = course.notebook("submitted", "backward", student)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook))
    grade_class(course, "backward", grader=lambda: recording(course))
    return course


@pytest.fixture
def kept(kept_course: Course, tmp_path: Path) -> Course:
    return copied(kept_course, tmp_path)


def recording(course: Course) -> Grader:
    return Grader(jobs=2, transcripts=course.results("backward") / FILE)


def change(course: Course, old: str, new: str) -> None:
    path = course.masters / "backward.md"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def marks(course: Course) -> dict[str, dict[str, float]]:
    return {
        record.student: {v.grade_id: v.points for v in record.verdicts} for record in records_of(course, "backward")
    }


def truly_regraded(course: Course) -> dict[str, dict[str, float]]:
    """What a real regrade of the whole class gives, every answer run in the sandbox."""
    release(course, "backward")
    grade_class(course, "backward", grader=lambda: Grader(jobs=2), force=True)
    return marks(course)


def foretold(course: Course, changes: tuple[Change, ...]) -> dict[str, dict[str, float]]:
    """The marks in the gradebook, with a preview's changes made."""
    told = marks(course)
    for each in changes:
        told[each.student].update({cell: after for cell, _, after in each.cells})
    return told


@pytest.fixture(scope="session")
def everybody() -> int:
    """How many have handed in what can be read."""
    return len(CLASS) + len(NEAR) - 1


def test_a_changed_tolerance_needs_no_run_at_all(kept: Course, never: Callable[[], Any], everybody: int) -> None:
    change(kept, *TIGHTER)
    before = everything(kept.root)
    result = preview(kept, "backward", never, jobs=2)
    assert result.changes == (Change("near", 33.0, 31.0, (("test-second-part", 2.0, 0.0),)),)
    assert (result.stored, result.run, result.cells_run) == (everybody, 0, 0)
    assert everything(kept.root) == before
    told = foretold(kept, result.changes)
    assert truly_regraded(kept) == told


def test_only_who_gets_further_than_before_is_run(kept: Course, everybody: int) -> None:
    """What a test asks only after an assertion that had failed is in no transcript."""
    change(kept, *LOOSER)
    result = preview(kept, "backward", lambda: Grader(jobs=2), jobs=2)
    assert result.changes == (Change("beside", 31.0, 33.0, (("test-second-part", 0.0, 2.0),)),)
    assert (result.stored, result.run, result.cells_run) == (everybody - 1, 1, 1)


def test_a_changed_seed_is_run_again(kept: Course, everybody: int) -> None:
    change(kept, *SEED)
    result = preview(kept, "backward", lambda: Grader(jobs=2), jobs=2)
    assert result.changes == ()
    assert (result.stored, result.run, result.cells_run) == (1, everybody - 1, everybody - 1), (
        "who fails before it is not asked"
    )


def test_all_tests_are_judged_anew_where_the_package_has_changed(
    kept: Course, never: Callable[[], Any], everybody: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Timeouts, crashes and refusals come out of the transcripts as they came out of the sandbox."""
    before = {name: each.record for name, each in kept_records(kept, "backward").items()}
    monkeypatch.setattr("bncourse.grading.gradebook.fingerprints.code_digest", lambda: "a newer release of the package")
    result = preview(kept, "backward", never, jobs=2)
    assert (result.changes, result.stored, result.run) == ((), everybody, 0)
    assert {before[name].status for name in ("otto", "pia")} == {"timeout", "crashed"}


def test_without_transcripts_everything_is_run(kept: Course, everybody: int) -> None:
    (kept.results("backward") / FILE).unlink()
    change(kept, *LOOSER)
    for student in ("otto", "pia"):  # slow, and not needed here
        kept.notebook("submitted", "backward", student).write_text("{}")
    result = preview(kept, "backward", lambda: Grader(jobs=2), jobs=2)
    assert Change("beside", 31.0, 33.0, (("test-second-part", 0.0, 2.0),)) in result.changes
    assert (result.stored, result.run) == (0, everybody - 2)


def test_transcripts_of_earlier_files_are_thrown_away(kept: Course) -> None:
    file = kept.results("backward") / FILE
    before = {each.stamp.results for each in kept_records(kept, "backward").values()}
    kept.notebook("submitted", "backward", "dora").write_bytes(
        kept.notebook("submitted", "backward", "near").read_bytes()
    )
    grade_class(kept, "backward", grader=lambda: recording(kept))
    after = {each.stamp.results for each in kept_records(kept, "backward").values()}
    shelf = Shelf(file)
    assert [shelf.get(key) is None for key in before - after] == [True]
    assert all(shelf.get(key) for key in after - {kept_records(kept, "backward")["tove"].stamp.results})
    shelf.close()


def test_transcripts_lie_beside_the_gradebook_for_their_owner_alone(kept: Course) -> None:
    file = kept.results("backward") / FILE
    assert file.stat().st_mode & 0o077 == 0
    assert [path for path in kept.root.rglob("*.db*") if path.parent != file.parent] == [kept.root / "gradebook.db"]


def test_what_is_asked_of_the_code_is_not_in_a_transcript(kept: Course) -> None:
    """An answer is found by whoever asks the same; hidden inputs are not written down."""
    secret = np.random.default_rng(21).normal(2, 3, (5, 3))
    for path in kept.results("backward").glob(f"{FILE}*"):
        assert secret.tobytes()[:40] not in path.read_bytes()
