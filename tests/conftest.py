"""Fixtures for several packages: courses with the assignment `backward` released, and graded, once a session."""

import gc
import os
import random
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling

from bncourse.grading.authoring.course import SEED_FILE, Course, write
from bncourse.grading.authoring.course_folder import IN_USE, find_course
from bncourse.grading.workflows.release import release

ASSIGNMENTS = Path(__file__).resolve().parents[1] / "assignments"
SHARED = {"graded_course": "course", "matrix": "matrix"}
"""Fixtures that several tests share, with the name of their group."""
WHOLE = {"site": "book", "published": "publishing", "unpublished": "publishing"}
"""Fixtures that build a whole site, with the group of tests that share it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--shuffle SEED`, because no test may depend on those that ran before it."""
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in an order that this number draws")


class ByFile(LoadGroupScheduling):
    """Send a file's tests to one process, so that what they share is made once, and those of a group likewise."""

    def _split_scope(self, nodeid: str) -> str:
        scope = str(super()._split_scope(nodeid))
        return nodeid.split("::")[0] if scope == nodeid else scope


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadGroupScheduling | None:
    """Schedule `make test` by files, in their order; of the long tests each may go to another process."""
    if config.option.dist != "loadgroup" or "not long" not in config.option.markexpr:
        return None
    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Run one process more than there are cores, because some tests wait for a clock."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while modules are loaded, nor among them later: it took a tenth of the processor time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Keep tests that share what is dear in one process, and those that need something whole among the long ones.

    pytest-xdist sends tests of one group to one process by a suffix to their id, which it writes where pytest looked
    for the id before version 9.1: it is put where pytest looks now.
    """
    if (seed := config.getoption("--shuffle", None)) is not None:
        random.Random(seed).shuffle(items)
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        for fixture in SHARED.keys() & set(fixtures):
            item.add_marker(pytest.mark.xdist_group(SHARED[fixture]))
        for fixture in WHOLE.keys() & set(fixtures):
            item.add_marker(pytest.mark.long)
            item.add_marker(pytest.mark.xdist_group(WHOLE[fixture]))
    yield
    for item in items:
        written = vars(item).get("_nodeid", item.nodeid)
        if written != item.nodeid:
            item._id = type(item.id).parse(written)


def lay_out(folder: Path) -> Course:
    """A course as in a fresh clone, with one assignment, and less patience for endless loops."""
    shutil.copytree(ASSIGNMENTS, folder / "assignments", ignore=shutil.ignore_patterns("__pycache__", IN_USE))
    for path in (folder / "assignments" / "masters").glob("*.md"):
        if path.stem != "backward":
            path.unlink()
    master = folder / "assignments" / "masters" / "backward.md"
    text = master.read_text(encoding="utf-8")
    master.write_text(text.replace("seconds_per_test: 10", "seconds_per_test: 4"), encoding="utf-8")
    course = find_course(folder / "_build" / "course")
    write(course.root / SEED_FILE, b"2a")  # the same in every run of the tests
    return course


def copied(course: Course, folder: Path) -> Course:
    """The same course in another folder, to do with as one likes."""
    shutil.copytree(course.root.parents[1], folder, dirs_exist_ok=True)
    return find_course(folder / "_build" / "course")


@pytest.fixture(scope="session")
def released_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with `backward` released; for tests that only read."""
    course = lay_out(tmp_path_factory.mktemp("released"))
    release(course, "backward")
    return course


@pytest.fixture
def course(released_course: Course, tmp_path: Path) -> Course:
    """A course of the test's own, with `backward` released."""
    return copied(released_course, tmp_path)


@pytest.fixture(scope="session")
def sandbox() -> None:
    """Skip, loudly, where the sandbox is missing on a user's machine; in CI fail."""
    from bncourse.grading.sandbox.bubblewrap import probe

    if probe().level != "full":
        missing = [f"{name}: {remedy}" for name, present, remedy in probe().layers if not present]
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"THE SANDBOX IS MISSING, nothing was graded: {missing}")


@pytest.fixture(scope="session")
def graded_course(released_course: Course, sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with the sample class graded; for tests that only read."""
    from bncourse.grading.authoring.sample_class import write_sample_class
    from bncourse.grading.engine.grader import Grader
    from bncourse.grading.workflows.grade import grade_class

    course = copied(released_course, tmp_path_factory.mktemp("graded"))
    write_sample_class(course, "backward")
    grade_class(course, "backward", grader=lambda: Grader(jobs=2))
    return course


@pytest.fixture
def graded(graded_course: Course, tmp_path: Path) -> Course:
    """A graded course of the test's own."""
    return copied(graded_course, tmp_path)


@pytest.fixture
def never() -> Callable[[], object]:
    """An engine that must not be needed."""

    def made() -> object:
        raise AssertionError("the engine was started, though nothing had changed")

    return made


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("CHROMIUM IS MISSING, and no page was looked at: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield opened
        opened.close()
