"""Where a command is typed, and what the environment says, in; the course folder that is meant out."""

import os
from pathlib import Path

from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.authoring.settings import FILE as SETTINGS

DEFAULT_ROOT = Path("_build/course")
DATABASE_VARIABLE = "BNCOURSE_DB"
"""Environment variable that holds the gradebook's address where it is not the folder's own gradebook.db."""

COURSE_VARIABLE = "BNCOURSE_COURSE"
"""Environment variable that names the course folder for commands that are not told another."""

IN_USE = ".course-in-use"
"""The file beside the masters that names the course folder last released to; git ignores it."""

PACKED = Path(__file__).parents[1] / "course_files"
"""Where a wheel holds the repository's folder `assignments`."""


def find_course(root: Path | None = None, masters_folder: Path | None = None, db_url: str | None = None) -> Course:
    """The course in a folder, which need not exist yet.

    Parameters
    ----------
    root : Path, optional
        The course folder; if left out, the folder here or above that holds a course.toml, what the environment
        variable BNCOURSE_COURSE says, the folder last released to, or `_build/course`.
    masters_folder : Path, optional
        Where the masters lie; if left out, `assignments/masters` in the course folder or above it,
        in the working directory, beside the package or in it.
    db_url : str, optional
        The gradebook's address as SQLAlchemy writes it; if left out, what the environment variable
        BNCOURSE_DB says, or gradebook.db in the course folder.

    Raises
    ------
    CourseError
        If the course folder is a file, or no masters are found.
    """
    root = (root or _course_here() or in_use(masters_folder or Path("assignments/masters")) or DEFAULT_ROOT).absolute()
    if root.exists() and not root.is_dir():
        raise CourseError(f"{root} is not a folder. Expected a course folder, such as {DEFAULT_ROOT}.")
    if masters_folder is None:
        nearby = [root, *root.parents, Path.cwd(), Path(__file__).parents[3], PACKED]
        candidates = [folder / "assignments" / "masters" for folder in nearby]
        masters_folder = next((folder for folder in candidates if folder.is_dir()), None)
    if masters_folder is None or not masters_folder.is_dir():
        raise CourseError("There is no folder assignments/masters here or above. Say where it lies with --masters.")
    database = root / "gradebook.db"
    db_url = db_url or os.environ.get(DATABASE_VARIABLE) or f"sqlite:///{database}"
    return Course(root, masters_folder.absolute(), db_url)


def _course_here() -> Path | None:
    """The course folder in which, or below which, a command was typed."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / SETTINGS).is_file()), None)


def in_use(masters_folder: Path) -> Path | None:
    """The course folder that the masters are used for; None where nothing says which.

    That is what the environment variable BNCOURSE_COURSE says, or the folder that `bncourse release` last released
    to, as long as it is there.
    """
    named = os.environ.get(COURSE_VARIABLE)
    if named:
        return Path(named).absolute()
    try:
        folder = Path((masters_folder.absolute().parent / IN_USE).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
    return folder if folder.is_absolute() and folder.is_dir() else None


def take_into_use(course: Course) -> None:
    """Have nbgrader's commands, and the book's pages, follow this course folder from now on.

    A folder with masters of its own needs no note, and where the environment names the course none is made.
    """
    beside = course.masters.parent
    if os.environ.get(COURSE_VARIABLE) or beside == PACKED / "assignments" or course.root in beside.parents:
        return
    if in_use(course.masters) != course.root:
        if course.root == (beside.parent / DEFAULT_ROOT).absolute():
            (beside / IN_USE).unlink(missing_ok=True)
        else:
            write(beside / IN_USE, f"{course.root}\n".encode())


def shipped_assignments() -> Path:
    """The folder with the masters and sample classes that came with the package, or stand in its repository.

    Raises
    ------
    CourseError
        If neither is there.
    """
    for folder in (PACKED, Path(__file__).parents[3]):
        if (folder / "assignments" / "masters").is_dir():
            return folder / "assignments"
    raise CourseError("The package holds no assignments. Install it again: pip install --force-reinstall bncourse")
