import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.masters import MasterError, load_master
from bncourse.grading.authoring.variants import VariantError, check_name, varied
from bncourse.grading.workflows.choose_variant import choose_variant
from bncourse.grading.workflows.release import is_released, release
from tests.grading.authoring.test_masters import BODY, FRONT

WORDS = "  varies:\n    - {cells: [test-add], words: ['add(1, 2) == 3', 'add(4, 2) == 6', 'add(5, 1) == 6']}\n"
VARYING = FRONT[: -len("---\n")] + WORDS + "---\n" + BODY


@pytest.fixture
def tiny(tmp_path: Path) -> Course:
    masters = tmp_path / "assignments" / "masters"
    masters.mkdir(parents=True)
    (masters / "tiny.md").write_text(VARYING, encoding="utf-8")
    return find_course(tmp_path / "course")


def test_two_years_in_a_row_never_share_their_words() -> None:
    varies = [{"cells": ["t"], "words": ["1.5", "2", "3"]}]
    found = [varied([("t", "test", "x = 1.5; y = 11.5; z = x1.5", False)], varies, str(year)) for year in (2027, 2028)]
    assert found == [["x = 3; y = 11.5; z = x1.5"], ["x = 2; y = 11.5; z = x1.5"]]


def test_words_change_places_all_at_once() -> None:
    varies = [{"cells": ["t"], "words": ["1", "2"]}, {"cells": ["t"], "words": ["2", "1"]}]
    assert varied([("t", "given", "1 and 2", False)], varies, "2027") == ["2 and 1"]


def test_seeds_move_in_test_cells_and_nowhere_else() -> None:
    source = "f(seed=7); g(default_rng(8)); h(default_rng(0).normal(3)); k(unseed=9)\nfor seed in (1, 22): p(seed)"
    moved = "f(seed=5007); g(default_rng(5008)); h(default_rng(5000).normal(3)); k(unseed=9)\n"
    assert varied([("t", "test", source, False)], [], "5") == [moved + "for seed in (5001, 5022): p(seed)"]
    assert varied([("t", "given", source, False)], [], "5") == [source]


OPTIONS = '**Predict.**\n\n- `"a"`: up\n- `"b"`: down\n- `"c"`: away\n\nGo.'


def test_options_change_places_and_the_solution_follows() -> None:
    orders = set()
    for year in range(2020, 2040):
        cells = [("q", "text", OPTIONS, False), ("p", "answer", 'prediction_1 = "b"', False)]
        text, solution = varied(cells, [], str(year))
        chosen = solution[-2]
        assert f'- `"{chosen}"`: down' in text, "the letter of the solution is that of the same words"
        assert sorted(text.replace('"', " ").split()) == sorted(OPTIONS.replace('"', " ").split())
        orders.add(text)
    assert len(orders) == 6


def test_options_stay_in_their_order_where_the_master_says_so() -> None:
    cells = [("q", "text", OPTIONS, True), ("p", "answer", 'prediction_1 = "b"', False)]
    assert all(varied(cells, [], str(year)) == [OPTIONS, 'prediction_1 = "b"'] for year in range(2020, 2040))


@pytest.mark.parametrize("name", ["", "2027 ", "-x", "a/b", "..", "ü", "x" * 33, "20\n27"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(VariantError, match="Expected up to 32 letters, digits and dashes"):
        check_name(name)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("  varies: 3\n", "not a list of mappings"),
        ("  varies:\n    - {cells: [test-add]}\n", "Expected cells and words"),
        ("  varies:\n    - {cells: [test-add], words: [1, 2]}\n", "a text in quotes"),
        ("  varies:\n    - {cells: [test-add], words: ['3', '3']}\n", "others in its place"),
        ("  varies:\n    - {cells: [test-add], words: ['4', '5']}\n", "'4' does not stand in the cell 'test-add'"),
        ("  varies:\n    - {cells: [nowhere], words: ['3', '5']}\n", "does not stand in the cell 'nowhere'"),
        (WORDS + "    - {cells: [test-add], words: ['3', '5']}\n", "varies has 2 words in .*, but 3 before"),
    ],
)
def test_a_list_of_words_with_a_fault_is_refused_by_name(tmp_path: Path, words: str, said: str) -> None:
    path = tmp_path / "tiny.md"
    path.write_text(VARYING.replace(WORDS, words), encoding="utf-8")
    with pytest.raises(MasterError, match=f"tiny.md.*{said}"):
        load_master(path)


def test_the_list_of_words_reaches_no_notebook(tiny: Course) -> None:
    choose_variant(tiny, "tiny", "2027")
    release(tiny, "tiny")
    for step in ("source", "release"):
        facts = json.loads(tiny.notebook(step, "tiny").read_bytes())["metadata"]["bncourse"]
        assert "varies" not in facts and facts["variant"] == "2027"


def test_a_course_remembers_its_variant_and_forgets_it_when_told(tiny: Course) -> None:
    original = tiny.master("tiny")
    choose_variant(tiny, "tiny", "2027")
    again = find_course(tiny.root)
    assert not is_released(again, "tiny")
    assert again.variants == {"tiny": "2027"}
    assert "add(5, 1) == 6" in again.master("tiny").cells[2].source
    release(again, "tiny")
    assert is_released(again, "tiny")
    choose_variant(again, "tiny", "original")
    assert again.master("tiny") == original and not is_released(again, "tiny")


def test_a_variant_in_which_the_solution_fails_is_refused_and_nothing_changes(tiny: Course) -> None:
    path = tiny.masters / "tiny.md"
    path.write_text(path.read_text().replace("add(5, 1) == 6", "add(5, 1) == 7"))
    before = tiny.master("tiny")
    with pytest.raises(CourseError, match="With variant '2027' the solution of tiny itself does not pass test-add"):
        choose_variant(tiny, "tiny", "2027")
    assert tiny.variants == {} and tiny.master("tiny") == before


def test_a_variant_does_not_change_under_students_who_have_handed_in(tiny: Course) -> None:
    choose_variant(tiny, "tiny", "2027")
    write(tiny.notebook("submitted", "tiny", "ann"), b"{}")
    choose_variant(tiny, "tiny", "2027")
    with pytest.raises(CourseError, match="ann has handed in tiny as variant '2027', so it cannot become '2028' here"):
        choose_variant(tiny, "tiny", "2028")
    assert tiny.variants == {"tiny": "2027"}


@pytest.mark.parametrize("content", ["{", "[]", '{"tiny": "a b"}'])
def test_a_list_of_variants_that_makes_no_sense_is_refused_in_one_line(tiny: Course, content: str) -> None:
    write(tiny.root / "variants.json", content.encode())
    with pytest.raises(CourseError, match=r"variants\.json cannot be used"):
        tiny.master("tiny")


def test_the_command_releases_a_variant_and_says_which(course: Course) -> None:
    where = ("--course", str(course.root))
    before = course.notebook("release", "backward").read_bytes()
    done = CliRunner().invoke(main, ("release", "backward", "--variant", "2027", *where))
    assert done.exit_code == 0 and "variant 2027" in done.output
    first = course.notebook("release", "backward").read_bytes()
    assert first != before
    done = CliRunner().invoke(main, ("release", "backward", *where))
    assert "variant 2027" in done.output and course.notebook("release", "backward").read_bytes() == first
    done = CliRunner().invoke(main, ("release", "backward", "--variant", "no name", *where))
    assert done.exit_code == 2 and "'no name' is no name" in done.stderr and done.stderr.count("\n") == 1
