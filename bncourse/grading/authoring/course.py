"""A folder, its masters and the address of its gradebook in; a `Course` that knows every path and setting out."""

import contextlib
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from bncourse.grading.authoring import installation, masters, variants
from bncourse.grading.authoring.settings import FILE as SETTINGS
from bncourse.grading.authoring.settings import Settings, SettingsError, read_settings
from bncourse.grading.core import install, regions, render
from bncourse.grading.core.cached import cached_property
from bncourse.grading.core.records import Master
from bncourse.grading.core.seeds import with_secret_seeds
from bncourse.grading.core.student_ids import shown_id, why_refused

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
