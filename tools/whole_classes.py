"""Play three classes from the platform's download to marks and pages, for the guide: `python -m tools.whole_classes`.

Invented students hand in the sample class's answers of `backward`, each with a line of their own, so that all are
graded. Their files are packed as the platform packs them. Then the commands of the guide are typed in the course
folder, and what they say is recorded; tests/acceptance/test_whole_classes.py plays a class of 200 on every platform.
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bncourse.grading.authoring.course import Course
from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.authoring.sample_class import load_sample_class, submission
from tools.first_hour import ROOT, WIDTH

FOLDER = ROOT / "book" / "teach" / "classes"
NAME = "backward"
FIRST = ("Éva", "小明", "Zoë", "Lee", "Nguyễn Văn", "Ana María", "Jürgen", "Siobhán", "Олена", "James")
LAST = ("Müller", "王", "O'Neil", "Kim", "de la Cruz", "Smith, Jr.", "Åström", "Ibn-Sina", "Шевченко", "Lee", "김")
LAST += ("Novák", "李", "Fitzgerald", "Trần", "García López", "D'Angelo", "Þórsdóttir", "Al-Khwarizmi", "Иванова", "박")
LATE, ABSENT, TWICE = 7, 5, 3
"""How many hand in late, not at all, and twice."""
EARLIER = b'{"cells": [], "metadata": {"bncourse": {"assignment": "backward"}}, "nbformat": 4, "nbformat_minor": 5}'
"""What those had handed in first."""

SETUP = ("new-course {course} --platform {platform} --zone Europe/Berlin --first-due 2027-01-25", f"release {NAME}")
TYPED: Mapping[str, Sequence[str]] = {
    "canvas": (
        "roster import roster.csv",
        f"collect {NAME} submissions.zip",
        f"grade {NAME}",
        f"feedback {NAME} --zip canvas",
        f"export {NAME} --format canvas --into gradebook.csv",
    ),
    "moodle": (
        "roster import roster.csv",
        f"collect {NAME} submissions.zip",
        f"grade {NAME}",
        f"feedback {NAME} --zip moodle",
        f"export {NAME} --format moodle --into gradebook.csv",
    ),
    "gradescope": (
        "roster import roster.csv",
        f"collect {NAME} export.zip",
        f"grade {NAME}",
        f"feedback {NAME} --zip mail",
        f"export {NAME} --format gradescope --into gradebook.csv",
    ),
    "github": (
        "roster import roster.csv",
        f"collect {NAME} {NAME}-submissions",
        f"grade {NAME}",
        f"feedback {NAME} --zip mail",
        f"export {NAME}",
    ),
    "folder": (
        "roster import roster.csv",
        f"collect {NAME} handed-in",
        f"grade {NAME}",
        f"feedback {NAME} --zip mail",
        f"export {NAME}",
    ),
    "nbgrader": (
        f"grade {NAME}",
        f"feedback {NAME}",
        f"export {NAME}",
    ),
}
"""What is typed from the platform's download to marks and pages, without the program's name."""
RECORDED = {"canvas": ("canvas", 200), "jupyterhub": ("nbgrader", 30), "gradescope": ("gradescope", 500)}
"""The classes of the guide: the platform, and how many students."""


class Person(NamedTuple):
    """An invented student."""

    number: int
    first: str
    last: str

    @property
    def id(self) -> str:
        """The id in the gradebook."""
        return f"s{self.number:03}"

    @property
    def email(self) -> str:
        """An address."""
        return f"{self.id}@example.edu"


class Step(NamedTuple):
    """A command, what it said, and what it cost."""

    command: str
    said: str
    seconds: float
    """Of processor time."""


def people(count: int) -> list[Person]:
    """So many invented students; from the 211th on, they bear the same names again."""
    return [Person(n, FIRST[n % len(FIRST)], LAST[n // len(FIRST) % len(LAST)]) for n in range(1, count + 1)]


def notebooks(course: Course, who: Sequence[Person]) -> dict[Person, bytes]:
    """What each student hands in; the last few hand in nothing."""
    sample, master = load_sample_class(course, NAME), course.master(NAME)
    released = json.loads(course.notebook("release", NAME).read_bytes())
    plain = [each for each in sample.students if each.begins == "solution" and each.status in ("correct", "wrong")]
    order = [*sample.students, *plain * (1 + len(who) // len(plain))]
    found = {}
    for person, student in zip(who[: len(who) - ABSENT], order, strict=False):
        content = submission(student, master, released, sample.written, 1)
        if not student.cut_off:
            notebook = json.loads(content)
            first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code" and cell["id"] == "closed")
            first["source"] = f"{''.join(first['source'])}\n# {person.id}"
            content = json.dumps(notebook, ensure_ascii=False, indent=1).encode()
        found[person] = content
    return found


def hand_in(platform: str, folder: Path, who: Sequence[Person], files: Mapping[Person, bytes]) -> None:
    """Write into a folder what an instructor downloads: the class list, the submissions, the gradebook."""
    write = {"canvas": _canvas, "moodle": _moodle, "gradescope": _gradescope, "github": _github, "folder": _folder}
    if platform == "nbgrader":
        for person, content in files.items():
            at = folder / "submitted" / person.id / NAME
            at.mkdir(parents=True)
            (at / f"{NAME}.ipynb").write_bytes(content)
            (at / "timestamp.txt").write_text("2027-01-20 10:00:00.000000 UTC")
    else:
        write[platform](folder, who, files)


def play(platform: str, folder: Path) -> list[Step]:
    """Type a platform's commands in a course folder."""
    return [run(command, folder) for command in TYPED[platform]]


def run(command: str, folder: Path) -> Step:
    """Type one command of bncourse in a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "bncourse", *command.split()],
        cwd=folder,
        env=os.environ | {"COLUMNS": str(WIDTH), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{command}: exit status {done.returncode}\n{done.stderr}")
    said = done.stdout.replace(f"{folder.resolve()}/", "").replace(str(folder.resolve().parent) + "/", "")
    lines = [line.rstrip() for line in said.splitlines() if "━━━━━━━━━━━━━━━━━━" not in line or line[:1] in "┏┡"]
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Step(f"bncourse {command}", "\n".join(lines).strip("\n"), seconds)


def set_up(platform: str, folder: Path) -> list[Step]:
    """Make the course folder, and release."""
    new, release = SETUP
    first = run(new.format(course=folder.name, platform=platform), folder.parent)
    return [first, run(release, folder)]


def _canvas(folder: Path, who: Sequence[Person], files: Mapping[Person, bytes]) -> None:
    heading = "Student,ID,SIS User ID,SIS Login ID,Section"
    rows = [f'"{p.last}, {p.first}",{1000 + p.number},u{p.number},{p.id},A' for p in who]
    _lines(folder / "roster.csv", [heading, *rows], bom=True)
    title = f"{heading},Backward (77)"
    _lines(folder / "gradebook.csv", [title, "    Points Possible,,,,,40.00", *(f"{row}," for row in rows)], bom=True)
    named = {}
    for at, (person, content) in enumerate(files.items()):
        late = "_LATE" if at < LATE else ""
        start = "".join(each for each in f"{person.last}{person.first}".lower() if each.isalnum())
        if at >= len(files) - TWICE:
            named[f"{start}_{1000 + person.number}_{5000 + at}_{NAME}.ipynb"] = EARLIER
        again = "-1" if at >= len(files) - TWICE else ""
        named[f"{start}{late}_{1000 + person.number}_{9000 + at}_{NAME}{again}.ipynb"] = content
    _zipped(folder / "submissions.zip", named)


def _moodle(folder: Path, who: Sequence[Person], files: Mapping[Person, bytes]) -> None:
    rows = [f'{p.first},"{p.last}",{p.id},{p.email}' for p in who]
    _lines(folder / "roster.csv", ["First name,Last name,ID number,Email address", *rows], bom=True)
    heading = "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments"
    rows = [f'Participant {7000 + p.number},"{p.first} {p.last}",{p.email},Submitted,,40.00,' for p in who]
    _lines(folder / "gradebook.csv", [heading, *rows], bom=True)
    named = {}
    for person, content in files.items():
        named[f"{person.first} {person.last}_{7000 + person.number}_assignsubmission_file_/{NAME}.ipynb"] = content
    _zipped(folder / "submissions.zip", named)


def _gradescope(folder: Path, who: Sequence[Person], files: Mapping[Person, bytes]) -> None:
    rows = [f'{p.first},"{p.last}",{p.id},{p.email},Student' for p in who]
    _lines(folder / "roster.csv", ["First Name,Last Name,SID,Email,Role", *rows])
    rows = [f'{p.first},"{p.last}",{p.id},{p.email},,40.0' for p in who]
    _lines(folder / "gradebook.csv", [f"First Name,Last Name,SID,Email,{NAME},{NAME} - Max Points", *rows])
    named, facts = {}, []
    for at, (person, content) in enumerate(files.items()):
        named[f"assignment_5_export/submission_{at}/{NAME}.ipynb"] = content
        facts.append(
            f"submission_{at}:\n  :submitters:\n  - :name: {json.dumps(person.first, ensure_ascii=False)}\n"
            f"    :sid: {person.id}\n    :email: {person.email}\n  :created_at: 2027-01-20 10:00:00 UTC\n"
        )
    named["assignment_5_export/submission_metadata.yml"] = "".join(facts).encode()
    _zipped(folder / "export.zip", named)


def _github(folder: Path, who: Sequence[Person], files: Mapping[Person, bytes]) -> None:
    rows = [f'"{p.id}","octo{p.number}","{p.number}","{p.first} {p.last}"' for p in who]
    _lines(folder / "roster.csv", ['"identifier","github_username","github_id","name"', *rows])
    for person, content in files.items():
        at = folder / f"{NAME}-submissions" / f"{NAME}-octo{person.number}"
        at.mkdir(parents=True)
        (at / f"{NAME}.ipynb").write_bytes(content)


def _folder(folder: Path, who: Sequence[Person], files: Mapping[Person, bytes]) -> None:
    rows = [f'{p.id},{p.first},"{p.last}",{p.email}' for p in who]
    _lines(folder / "roster.csv", ["student_id,first_name,last_name,email", *rows])
    (folder / "handed-in").mkdir()
    for person, content in files.items():
        (folder / "handed-in" / f"{person.id}.ipynb").write_bytes(content)


def _lines(path: Path, lines: Sequence[str], *, bom: bool = False) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig" if bom else "utf-8")


def _zipped(path: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def transcript(steps: Sequence[Step]) -> str:
    """What was typed and said, one after the other; a long table is cut in its middle."""
    return "\n\n".join(f"$ {step.command}\n{_cut(step.said)}" for step in steps) + "\n"


def _cut(said: str, most: int = 16) -> str:
    lines = said.splitlines()
    if len(lines) <= most:
        return said
    return "\n".join([*lines[: most - 6], f"... {len(lines) - most} more lines", *lines[-6:]])


def main() -> None:
    """Play the three classes and write their records."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or RECORDED:
        platform, count = RECORDED[name]
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "bn-2027"
            steps = set_up(platform, folder)
            if name == "gradescope":
                steps.append(run(f"pack {NAME} --for gradescope", folder))
            who = people(count)
            hand_in(platform, folder, who, notebooks(find_course(folder), who))
            played = play(platform, folder)
        seconds = sum(step.seconds for step in played)
        text = transcript([*steps, *played])
        text += f"\n{len(played)} commands from the download to marks and pages; {seconds:.0f} s of processor time.\n"
        (FOLDER / f"{name}.txt").write_text(re.sub(r"[ \t]+\n", "\n", text), encoding="utf-8")
        print(name, f"{seconds:.1f} s", [f"{step.command}: {step.seconds:.1f} s" for step in played], flush=True)


if __name__ == "__main__":
    main()
