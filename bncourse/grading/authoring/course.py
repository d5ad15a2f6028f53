"""A folder, and where its masters and gradebook lie, in; a `Course` that knows every path out."""

import contextlib
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from bncourse.grading.authoring import installation, masters, variants
from bncourse.grading.authoring.settings import FILE as SETTINGS
from bncourse.grading.authoring.settings import Settings, SettingsError, read_settings
from bncourse.grading.core import install, regions, render
from bncourse.grading.core.records import Master
from bncourse.grading.core.seeds import with_secret_seeds
from bncourse.grading.core.student_ids import shown_id, why_refused

DEFAULT_ROOT = Path("_build/course")
DATABASE_VARIABLE = "BNCOURSE_DB"
"""Environment variable that holds the gradebook's address where it is not the folder's own gradebook.db."""

COURSE_VARIABLE = "BNCOURSE_COURSE"
"""Environment variable that names the course folder for commands that are not told another."""

IN_USE = ".course-in-use"
"""The file beside the masters that names the course folder last released to; git ignores it."""

PACKED = Path(__file__).parents[1] / "course_files"
"""Where a wheel holds the repository's folder `assignments`."""

VARIANTS = "variants.json"
"""The file in a course folder that says which assignments are another year's."""

WITHOUT_WRITTEN = "without_written.json"
"""The file in a course folder that says which assignments are released without their written answers."""

SEED_FILE = "secret_seed.txt"
"""The file in a course folder from which the seeds of hidden tests follow."""

STEPS = ("source", "release", "submitted", "autograded", "feedback")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class CourseError(ValueError):
    """Something about the course folder that the user can put right, in one line."""


@dataclass(frozen=True)
class Course:
    """The folders and the gradebook of one course."""

    root: Path
    masters: Path
    db_url: str

    def folder(self, step: str, assignment: str, student: str = ".") -> Path:
        """The folder of one of nbgrader's steps, such as `submitted`, an assignment and a student."""
        return self.root / step / student / assignment

    def notebook(self, step: str, assignment: str, student: str = ".") -> Path:
        """The notebook in that folder; it bears the assignment's name."""
        return self.folder(step, assignment, student) / f"{assignment}.ipynb"

    @cached_property
    def assignments(self) -> list[str]:
        """Names of the assignments that have a master."""
        return masters.list_masters(self.masters)

    @cached_property
    def installed_from(self) -> install.Source:
        """Where students install the package from: what course.toml says, or the settings beside the masters."""
        if self.settings.install is not None:
            return self.settings.install
        try:
            return installation.source_for(self.masters)
        except ValueError as error:
            raise CourseError(str(error)) from error

    def students(self, assignment: str) -> list[str]:
        """Those who have handed something in for the assignment, in alphabetical order."""
        return sorted(name for name in self._folders(assignment) if not why_refused(name))

    def refused(self, assignment: str) -> dict[str, str]:
        """Folders that are read for nobody, as a terminal can show their names, and the reason of each."""
        return {shown_id(name): why for name in sorted(self._folders(assignment)) if (why := why_refused(name))}

    def _folders(self, assignment: str) -> Iterator[str]:
        """Names of the folders in `submitted` that hold the assignment, or cannot be looked into."""
        submitted = self.root / "submitted"
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(submitted) as entries:
            for entry in entries:
                try:
                    os.lstat(os.path.join(entry.path, assignment))  # noqa: PTH118  (names may be no UTF-8)
                except PermissionError:
                    yield entry.name
                except OSError:
                    continue
                else:
                    yield entry.name

    def results(self, assignment: str) -> Path:
        """Folder for what grading writes besides nbgrader's own: grades.csv, verdicts.jsonl, the report."""
        return self.root / "results" / assignment

    def master(self, assignment: str) -> Master:
        """The assignment's master, with the course's own seeds in its hidden tests.

        The source notebook is rendered again where it is older than the master.

        Raises
        ------
        CourseError
            If there is no such assignment.
        MasterError
            If the master cannot be used.
        """
        self._check_name(assignment)
        path = self.masters / f"{assignment}.md"
        digest = self._digest(assignment)
        source = self.notebook("source", assignment)
        if notebook_digest(source) != digest:
            master = masters.load_master(path, self.variants.get(assignment), self.installed_from)
            master = masters.without_written(master) if assignment in self.without_written else master
            due = self.settings.due.get(assignment, master.metadata["due"])
            master = replace(master, metadata={**master.metadata, "due": due, "digest": digest})
            write(source, render.as_bytes(render.source_notebook(master)))
            return self._with_secret_seeds(master)
        return self._with_secret_seeds(render.master_of(json.loads(source.read_bytes())))

    def require_gradebook(self, assignment: str) -> None:
        """Refuse where the folder holds no gradebook, before anything is written to it.

        Raises
        ------
        CourseError
            If there is no such assignment, or nothing was ever released here.
        """
        self._check_name(assignment)
        kind, _, file = self.db_url.partition(":///")
        if kind == "sqlite" and file and not Path(file).is_file():
            raise CourseError(
                f"There is no gradebook {file}. Type first: bncourse release {assignment} (or say with --course where "
                "the course lies)."
            )

    def _check_name(self, assignment: str) -> None:
        if not _NAME.fullmatch(assignment) or assignment not in self.assignments:
            known = ", ".join(self.assignments) or "none"
            others = sorted((self.root / "source" / assignment).glob("*.ipynb")) if _NAME.fullmatch(assignment) else []
            hint = f" To grade another course's: bncourse adopt {others[0]} --due DATE" if others else ""
            raise CourseError(f"There is no assignment {assignment!r} in {self.masters}. Known: {known}.{hint}")

    def render_all(self) -> dict[str, str]:
        """Render the masters that are newer than their source notebooks; returns those with a fault, and why."""
        faults = {}
        for name in self.assignments:
            if notebook_digest(self.notebook("source", name)) != self._digest(name):
                try:
                    self.master(name)
                except masters.MasterError as error:
                    self.notebook("source", name).unlink(missing_ok=True)
                    faults[name] = str(error)
        return faults

    @property
    def variants(self) -> dict[str, str]:
        """Which assignments are another year's here, and which year's: what `bncourse release --variant` was told."""
        try:
            chosen = json.loads((self.root / VARIANTS).read_bytes())
            return {str(name): variants.check_name(str(variant)) for name, variant in chosen.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            raise CourseError(f"{self.root / VARIANTS} cannot be used: {error}") from error

    @property
    def without_written(self) -> frozenset[str]:
        """Which assignments are released without their written answers: `bncourse release --without-written`."""
        try:
            return frozenset(map(str, json.loads((self.root / WITHOUT_WRITTEN).read_bytes())))
        except FileNotFoundError:
            return frozenset()
        except (OSError, ValueError, TypeError) as error:
            raise CourseError(f"{self.root / WITHOUT_WRITTEN} cannot be used: {error}") from error

    @cached_property
    def settings(self) -> Settings:
        """What `course.toml` in the course folder says.

        Raises
        ------
        CourseError
            If it cannot be used.
        """
        try:
            return read_settings(self.root / SETTINGS)
        except SettingsError as error:
            raise CourseError(str(error)) from error

    @cached_property
    def secret(self) -> str:
        """The course's secret, 128 bits, from which the seeds of hidden tests follow.

        It is drawn when it is first asked for, and kept: with another one everybody is graded again.
        """
        path = self.root / SEED_FILE
        if not path.is_file():
            own = path.with_name(f".{SEED_FILE}.{secrets.token_hex(8)}")
            own.touch(mode=0o600)
            own.write_text(secrets.token_hex(16), encoding="ascii")
            with contextlib.suppress(FileExistsError):  # another command was faster
                os.link(own, path)
            own.unlink()
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def _with_secret_seeds(self, master: Master) -> Master:
        name, secret = master.assignment, self.secret
        cells = (
            replace(cell, source=with_secret_seeds(cell.source, secret, name)) if cell.kind == "test" else cell
            for cell in master.cells
        )
        return replace(master, cells=tuple(cells))

    @property
    def nbgrader_config(self) -> Path:
        """The instructor's configuration of nbgrader: in the course folder, or beside the masters."""
        own = self.root / "nbgrader_config.py"
        return own if own.is_file() else self.masters.parent / "nbgrader_config.py"

    def _digest(self, assignment: str) -> str:
        """SHA-256 of a master's text, of what the course says of it, and of the code that renders it."""
        content = hashlib.sha256((self.masters / f"{assignment}.md").read_bytes())
        for module in (masters, regions, render, variants, install):
            content.update(Path(str(module.__file__)).read_bytes())
        content.update(repr(self.installed_from).encode())
        content.update(self.variants.get(assignment, "").encode())
        content.update(self.settings.due.get(assignment, "").encode())
        content.update(b"without written" if assignment in self.without_written else b"")
        return content.hexdigest()


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


def write(path: Path, content: bytes) -> None:
    """Write a file so that no one ever sees half of it; folders on the way are made."""
    with replacing(path) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of another when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            yield file
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def notebook_digest(path: Path) -> str | None:
    """The digest of the master that a source or release notebook was rendered from, if the file says one."""
    try:
        digest = json.loads(path.read_bytes())["metadata"]["bncourse"]["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(digest)
