"""The pages for teachers and students: their commands run and say what the pages show, and no secret is in them."""

import contextlib
import importlib.util
import json
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.masters import load_master
from bncourse.grading.gradebook.late_penalty import late_penalty
from tools import whole_classes
from tools.book_pages import pages
from tools.first_hour import COMMANDS, FOLDER, WIDTH, cleaned

ROOT = Path(__file__).resolve().parents[2]
TEACH = ROOT / "book" / "teach"
PAGES = sorted(TEACH.glob("*.md"))

BY_OTHER_TESTS = {
    "nbgrader generate_assignment backward": "tests/grading/nbgrader_plugin/test_preprocessors.py",
    "nbgrader autograde backward": "tests/grading/nbgrader_plugin/test_preprocessors.py",
    "nbgrader generate_feedback backward": "tests/grading/nbgrader_plugin/test_preprocessors.py",
    "nbgrader export": "tests/grading/nbgrader_plugin/test_preprocessors.py",
    "nbgrader release_assignment backward": "tests/acceptance/test_exchange.py",
    "nbgrader collect backward": "tests/acceptance/test_exchange.py",
    "nbgrader release_feedback backward": "tests/acceptance/test_exchange.py",
    "bncourse release backward --variant 2027": "tests/grading/authoring/test_variants.py",
}
"""Commands that another test runs, as a tuple of their words."""

NOT_RUN = {
    "make": "it is what CI runs",
    "apt install bubblewrap libseccomp2": "tests install nothing",
    "bncourse adopt source/ps1/problem1.ipynb --due 2027-03-01": "tests/grading/authoring/test_adopt.py does",
    "bncourse new-course bn-2027": "tests/grading/workflows/test_new_course.py makes such folders",
    "jupyter lab": "formgrader's pages are opened in tests/acceptance/test_formgrader.py",
}
"""Commands that no test runs, and why."""


DEVELOPERS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md")
ALL = pages()
DEVELOPERS_NOT_RUN = {
    "make format": "it changes files",
    "make mutants": "it takes hours; what it does to the solutions, tests/assignments/test_mutants.py does in CI",
    "make bench": "it measures, and CI's machines are not quiet",
    "make browser-bench": "it measures, and CI's machines are not quiet",
    "make serve": "it does not end",
    "make help": "it lists the targets",
    "make test-all": "it takes hours in all: searches, kills and fuzzers at full length",
    "make site": "it is `make book`, which is run, and prints; tests/book/test_offline.py does that with two pages",
    ".venv": "a folder",
    ".venv/bin/pre-commit install": "it changes the user's git",
    ".ci/run": "it is CI itself",
}
"""Commands of the developer's pages that CI does not run, and why."""


def commands(page: Path) -> list[str]:
    """What a page tells its reader to type."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


def words(said: str) -> list[str]:
    """The words of what a command said: numbers and what hangs on this machine or on the table's width are masked."""
    said = re.sub(r"(?m)^(graded with|digest): .*$", r"\1", said)
    said = re.sub(r"\d+", "#", re.sub(r"[^\w\s+'.:,()/-]", " ", said))
    return sorted(set(said.split()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_command_on_the_pages_is_run_by_a_test_or_marked_as_not(page: Path) -> None:
    known = {*COMMANDS.values(), *BY_OTHER_TESTS, *NOT_RUN}
    assert [command for command in commands(page) if command not in known] == []


def test_what_other_tests_run_is_run_there() -> None:
    for command, file in BY_OTHER_TESTS.items():
        literals = ", ".join(f'"{word}"' for word in command.split()[1:])
        assert f"({literals}" in (ROOT / file).read_text("utf-8"), command


def test_the_list_of_commands_that_are_not_run_has_no_leftovers() -> None:
    assert {*NOT_RUN, *BY_OTHER_TESTS} <= {command for page in PAGES for command in commands(page)}


def mentioned(page: Path) -> list[str]:
    """The commands that a page names in its text."""
    return re.findall(r"`((?:bncourse|make|nbgrader|python -m) [^`]+)`", page.read_text("utf-8"))


def unknown(command: str) -> str:
    """What of a command does not exist: its file, its target, its options; nothing where all is there."""
    first, *others = shlex.split(command)
    if first == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        return "" if others[0] in targets else others[0]
    if first == "python":
        return "" if importlib.util.find_spec(others[1]) else others[1]
    if first == "nbgrader":
        from nbgrader.apps.nbgraderapp import NbGraderApp

        return "" if others[0] in NbGraderApp().subcommands else others[0]
    known = main.get_command(click.Context(main), others[0])
    if known is None:
        return others[0]
    words = others[1:]
    if isinstance(known, click.Group) and words:
        name, *words = words
        found = known.get_command(click.Context(known), name)
        if found is None:
            return name
        known = found
    options = {name for parameter in known.params for name in (*parameter.opts, *parameter.secondary_opts)}
    strange = [word for word in words if word.startswith("-") and word not in options]
    with contextlib.suppress(click.BadOptionUsage):  # a page may name an option without its value
        return " ".join(strange or known.make_parser(click.Context(known)).parse_args(words)[1])
    return ""


@pytest.mark.parametrize("page", [*DEVELOPERS, *ALL], ids=lambda page: page.stem)
def test_each_command_that_a_page_names_exists(page: Path) -> None:
    assert {command: unknown(command) for command in mentioned(page) if unknown(command)} == {}


@pytest.mark.parametrize(
    "command",
    [
        "bncourse grad backward",
        "bncourse grade backward --speed",
        "bncourse grade backward 2027",
        "bncourse roster list",
        "bncourse roster export --speed",
        "make buk",
        "python -m bench.nothing",
        "nbgrader grad",
    ],
)
def test_a_command_that_does_not_exist_would_be_found(command: str) -> None:
    assert unknown(command)


@pytest.mark.parametrize("page", DEVELOPERS, ids=lambda page: page.stem)
def test_each_command_of_the_developers_pages_is_run_in_ci_or_marked_as_not(page: Path) -> None:
    run = set(re.findall(r"^(?:time )?(make(?: [\w-]+)?)$", (ROOT / ".ci/run").read_text("utf-8"), re.MULTILINE))
    for target in {command.partition(" ")[2] for command in run} | {"course"}:  # what these ask for is made too
        needs = re.search(rf"^{target or 'course'}: ([a-z ]*)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        run |= {f"make {name}" for name in (needs[1].split() if needs else [])}
    text = page.read_text("utf-8")
    typed = {
        *mentioned(page),
        *re.findall(r"^(make\b[ a-z-]*?) *#", text, re.MULTILINE),
        *re.findall(r"`(\.(?:venv|ci)[^`\n]*)`", text),
    }
    told = {command.split(" PYTEST")[0] for command in typed if not command.startswith(("bncourse", "python"))}
    assert told - run - set(DEVELOPERS_NOT_RUN) == set()


@pytest.mark.sandbox
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_of_the_first_hour_says_what_the_page_shows(name: str, graded: Course) -> None:
    _, command, *arguments = COMMANDS[name].split()
    options = [] if command in ("doctor", "check") else ["--course", str(graded.root), "--masters", str(graded.masters)]
    if command == "check":
        arguments = [str(graded.notebook("release", "backward"))]
    done = CliRunner().invoke(main, [command, *arguments, *options], env={"COLUMNS": str(WIDTH)})
    assert done.exit_code == (command == "check"), done.output
    shown, said = (FOLDER / f"{name}.txt").read_text("utf-8"), cleaned(done.stdout, graded.root)
    assert words(said) == words(shown), "run `python -m tools.first_hour` and look at what has changed"


@pytest.mark.parametrize("name", whole_classes.RECORDED)
def test_the_record_of_a_class_is_of_the_commands_that_are_played(name: str) -> None:
    """tests/acceptance/test_whole_classes.py plays them and looks at what they write."""
    record = (whole_classes.FOLDER / f"{name}.txt").read_text("utf-8")
    typed = [f"bncourse {command}" for command in whole_classes.TYPED[whole_classes.RECORDED[name][0]]]
    assert re.findall(r"^\$ (.*)$", record, re.MULTILINE)[-len(typed) :] == typed and len(typed) <= 8
    assert f"{len(typed)} commands from the download to marks and pages" in record
    assert f"classes/{name}.txt" in (TEACH / "three_classes.md").read_text("utf-8")


def test_the_notebooks_to_download_are_the_releases(site: Path) -> None:
    masters = {path.stem: load_master(path) for path in (ROOT / "assignments" / "masters").glob("*.md")}
    assert {path.stem for path in (site / "assignments").glob("*.ipynb")} == set(masters)
    for name, master in masters.items():
        text = (site / "assignments" / f"{name}.ipynb").read_text("utf-8")
        cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(text)["cells"]}
        assert list(cells) == [cell.grade_id for cell in master.cells], "the notebook is not of the master as it is"
        for secret in ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "Rubric", str(ROOT), f"{Path.home()}/"):
            assert secret not in text, f"{name}: {secret}"


def test_both_tables_of_assignments_have_a_row_and_a_link_for_each_master(site: Path) -> None:
    for page in ("assignments", "instructor_guide"):
        html = (site / "book" / "teach" / f"{page}.html").read_text("utf-8")
        for path in (ROOT / "assignments" / "masters").glob("*.md"):
            assert f'href="../../assignments/{path.stem}.ipynb"' in html
            assert load_master(path).title in html


def test_the_schedule_reads_every_chapter_once_before_some_assignment() -> None:
    text = (TEACH / "instructor_guide.md").read_text("utf-8")
    block = re.search(r"```\{assignments\} schedule\n(.*?)```", text, re.DOTALL)[1]  # type: ignore[index]
    lines = dict(line.split(": ", 1) for line in block.splitlines())
    assert set(lines) == {path.stem for path in (ROOT / "assignments/masters").glob("*.md")}
    read = [f"book/{name}" for line in lines.values() for name in re.findall(r"\]\(\.\./(\S+)\.md\)", line)]
    chapters = [page.relative_to(ROOT).with_suffix("").as_posix() for page in ALL if page.parent.parent == TEACH.parent]
    assert sorted(read) == sorted(chapter for chapter in chapters if "/teach/" not in chapter)


def test_the_reference_has_every_public_name_of_both_twins(site: Path) -> None:
    import bncourse.numpy_bn
    import bncourse.torch_bn

    for page, room in (("api", bncourse.numpy_bn), ("api_torch", bncourse.torch_bn)):
        html = (site / "book" / "teach" / f"{page}.html").read_text("utf-8")
        missing = [name for name in room.__all__ if f'id="{room.__name__}.{name}"' not in html]
        assert not missing, f"{room.__name__}: {missing}"


def test_the_rule_for_late_submissions_on_the_page_takes_off_a_tenth_for_each_day_begun(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (TEACH / "instructor_guide.md").read_text("utf-8"), re.DOTALL)
    rule = next(block for block in blocks if "[late]" in block)
    masters = tmp_path / "assignments" / "masters"
    masters.mkdir(parents=True)
    (tmp_path / "course.toml").write_text(rule, encoding="utf-8")
    penalty = late_penalty(find_course(tmp_path, masters))
    assert penalty is not None
    assert [penalty("ann", 40.0, days * 86_400.0) for days in (0.001, 0.1, 1.5, 6, 20)] == [0.0, 4.0, 8.0, 20.0, 40.0]


def test_the_pictures_on_the_pages_are_there_described_and_small() -> None:
    shown = {}
    for page in PAGES:
        for path, options in re.findall(r"```\{figure\} (\S+)\n((?::.*\n)+)", page.read_text("utf-8")):
            shown[path] = options
    assert {f"pictures/{path.name}" for path in (TEACH / "pictures").glob("*.png")} == set(shown) != set()
    assert all(":alt: " in options and len(options) > 100 for options in shown.values())
    assert [path for path in shown if (TEACH / path).stat().st_size > 150_000] == []
