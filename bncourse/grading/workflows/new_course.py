"""A folder's name in; a course folder with all that commands need out: masters, settings, nbgrader's configuration."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from string import Template

from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.authoring.course_folder import find_course, shipped_assignments
from bncourse.grading.authoring.masters import list_masters, load_master
from bncourse.grading.authoring.private import SECRET, private_master
from bncourse.grading.authoring.private_edits import StructureError
from bncourse.grading.authoring.settings import FILE, PLATFORMS, SettingsError, in_utc, read_settings
from bncourse.grading.workflows.private_trial import Trial, try_private

EXAMPLE = "backward"
"""The assignment of which an example course has a sample class."""

CONFIGURATION = '''\
"""nbgrader's configuration: its commands, typed in this folder, work on this course; so does formgrader."""

import sys
from pathlib import Path

from bncourse.grading.nbgrader_plugin import configure, find_course

c = get_config()

here = Path(__file__).resolve().parent
course = find_course(here)
for fault in course.render_all().values():
    print(fault, file=sys.stderr)
configure(c, course, root=here)
'''

SETTINGS = Template("""\
# The settings of this course. Every command that you type in this folder reads them.

[course]
platform = "$platform"  # canvas, moodle, gradescope, github, nbgrader or folder
zone = "$zone"  # of the dates below

[due]  # a day without a time ends at 23:59; after a change: bncourse release ASSIGNMENT
$due

# When the students' page begins to list an assignment; at once if nothing is said. Take out the signs #.
# [opens]
# backward = "2027-02-01"

# What late submissions lose, as a share of the whole score, written answers included. Take out the signs # to have it.
# [late]
# per_day = 0.1             # for each day that has begun; or per_hour
# at_most = 0.5             # never more than this
# grace_minutes = 15        # so late is not late
# nothing_after_days = 7    # later than this: no points

# Where students install the package from. As it is, the file lies with each release, and the notebooks say so.
# [install]
# site = "https://example.edu/bn"   # the course's site, where that is served
# index = "PyPI"                    # a package index, once it has bncourse
""")

README = Template("""\
# Your course

Type these lines in this folder. Each has `--help`; what they write stays here.

$commands
| here | what |
|---|---|
| `course.toml` | platform, time zone, due dates, late rule, where students install from |
| `assignments/masters/` | solutions, hidden tests and rubrics: yours to change, and to keep to yourself |
| `release/`, `submitted/`, `autograded/`, `feedback/` | nbgrader's folders |
| `gradebook.db`, `grades.csv`, `results/` | marks, and what goes back to your platform |
| `nbgrader_config.py` | with it `nbgrader ...` and formgrader (`jupyter lab`, typed here) work on this course |

A folder a year: next year, make another one.
The instructor guide of the course's book explains each step.
""")

_IN = {
    "canvas": ("Canvas: Gradebook, Export", "submissions.zip", "Canvas: the assignment, Download Submissions"),
    "moodle": ("Moodle: Participants, Download", "submissions.zip", "Moodle: View all submissions, Download all"),
    "gradescope": ("Gradescope: Roster, Download", "export.zip", "Gradescope: Export Submissions"),
    "github": ("GitHub Classroom: Students, Download roster", "FOLDER", "gh classroom clone student-repos"),
    "nbgrader": ("student_id, first_name, last_name, email", "submitted", "nbgrader collect needs no such step"),
    "folder": ("any CSV with a column student_id", "FOLDER", "a folder or a file for each student"),
}


@dataclass(frozen=True)
class Wishes:
    """What an instructor wants of a new course."""

    platform: str = "folder"
    zone: str = "UTC"
    first_due: str = ""
    """The due date of the assignment that is due first; the others keep their distance. As the masters say if empty."""
    due: Mapping[str, str] = field(default_factory=dict)
    """Due dates of single assignments."""
    secret: str = ""
    """What draws masters of the instructor's own; the published ones if empty."""


def new_course(folder: Path, wishes: Wishes, tried: list[Trial] | None = None) -> Course:
    """Make a course folder, complete, or nothing.

    Parameters
    ----------
    folder : Path
        It must not exist yet, or be empty.
    wishes : Wishes
    tried : list, optional
        Filled with what was tried of each private master.

    Returns
    -------
    Course
        Nothing of it has been released.

    Raises
    ------
    CourseError
        If the folder holds something, or a wish cannot be meant.
    """
    folder = folder.absolute()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise CourseError(f"{folder} is there already. Name a new folder, or an empty one: each year has its own.")
    if wishes.platform not in PLATFORMS:
        raise CourseError(f"There is no platform {wishes.platform!r}. Expected one of {', '.join(PLATFORMS)}.")
    shipped = shipped_assignments()
    due = due_dates(shipped / "masters", wishes)
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        for part in ("masters", "classes"):
            shutil.copytree(shipped / part, beside / "assignments" / part, ignore=shutil.ignore_patterns("__pycache__"))
        if wishes.secret:
            _make_private(beside, wishes.secret)
            trials = _tried(beside, wishes.secret)
            if tried is not None:
                tried.extend(trials)
        lines = "\n".join(f'{name} = "{date}"' for name, date in due.items())
        write(beside / FILE, SETTINGS.substitute(platform=wishes.platform, zone=wishes.zone, due=lines).encode())
        read_settings(beside / FILE)
        write(beside / "nbgrader_config.py", CONFIGURATION.encode())
        write(beside / "README.md", _readme(wishes.platform).encode())
        write(
            beside / ".gitignore", b"# Solutions, answers and marks: none of it belongs into a public repository.\n*\n"
        )
        if folder.exists():
            folder.rmdir()
        beside.replace(folder)
    except (SettingsError, StructureError) as error:
        raise CourseError(str(error)) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return find_course(folder)


def _make_private(folder: Path, secret: str) -> None:
    """Put the instructor's own masters in the place of the published ones, and keep the secret."""
    for path in sorted((folder / "assignments" / "masters").glob("*.md")):
        own = private_master(path.read_text(encoding="utf-8"), path.stem, secret)
        path.write_text(own, encoding="utf-8")
    shutil.rmtree(folder / "assignments" / "classes")  # the sample classes answer the published masters
    write(folder / SECRET, (json.dumps({"secret": secret}, indent=1) + "\n").encode())


def _tried(folder: Path, secret: str) -> list[Trial]:
    """What was tried of each private master, before the folder becomes a course."""
    shipped = find_course(folder, shipped_assignments() / "masters")
    trials = []
    for path in sorted((folder / "assignments" / "masters").glob("*.md")):
        published = load_master(shipped.masters / path.name)
        trials.append(try_private(load_master(path), published, shipped, secret))
    return trials


def due_dates(masters: Path, wishes: Wishes) -> dict[str, str]:
    """Each assignment's due date in the course's zone, in the order of the dates.

    Raises
    ------
    CourseError
        If a date or the zone cannot be read, or there is no such assignment.
    """
    try:
        in_utc("2027-01-01", wishes.zone, "zone")
        given = {name: _local(said, wishes.zone, f"--due {name}") for name, said in wishes.due.items()}
        first = _local(wishes.first_due, wishes.zone, "--first-due") if wishes.first_due else None
    except SettingsError as error:
        raise CourseError(str(error)) from error
    there = {name: str(load_master(masters / f"{name}.md").metadata["due"]) for name in list_masters(masters)}
    unknown = sorted(given.keys() - there.keys())
    if unknown:
        raise CourseError(f"There is no assignment {unknown[0]!r}. Known: {', '.join(there)}.")
    days = {name: date.fromisoformat(said[:10]) for name, said in there.items()}
    start = min(days.values())
    dates = {}
    for name, day in sorted(days.items(), key=lambda each: each[1]):
        if first is not None:
            dates[name] = f"{datetime.fromisoformat(first) + (day - start):%Y-%m-%d %H:%M}"
        else:
            dates[name] = f"{day:%Y-%m-%d} 23:59"
    dates.update(given)
    return dict(sorted(dates.items(), key=lambda each: each[1]))


def _local(said: str, zone: str, name: str) -> str:
    """A date as it was typed, checked, with its time."""
    in_utc(said, zone, name)
    time = datetime.fromisoformat(said if len(said) > 10 else f"{said} 23:59")
    return f"{time:%Y-%m-%d %H:%M}"


def _readme(platform: str) -> str:
    roster, download, where = _IN[platform]
    name = EXAMPLE
    style = platform if platform in ("canvas", "moodle", "gradescope") else "csv"
    into = " --into gradebook.csv" if style != "csv" else ""
    lines = [
        ("bncourse doctor", "can this machine grade?"),
        ("bncourse roster import roster.csv", roster),
        (f"bncourse release {name}", f"release/{name}/{name}.ipynb is for your students"),
        (f"bncourse collect {name} {download}", where),
        (f"bncourse grade {name}", "again whenever something came in"),
        (
            f"bncourse feedback {name} --zip {style if into and style != 'gradescope' else 'mail'}",
            "upload the ZIP, or mail the pages",
        ),
        (
            f"bncourse export {name} --format {style}{into}",
            "the file that the platform lets you download" if into else "for a spreadsheet",
        ),
    ]
    return README.substitute(commands="".join(f"    {line:<58} # {why}\n" for line, why in lines))


def fill_with_example(course: Course) -> int:
    """Release the example assignment and hand in for its sample class; return how many have handed in."""
    from bncourse.grading.authoring.sample_class import write_sample_class
    from bncourse.grading.workflows.release import release

    release(course, EXAMPLE)
    return len(write_sample_class(course, EXAMPLE))


def asked_first_due(today: date) -> str:
    """A sensible answer to *when is the first assignment due*: three weeks from now.

    >>> asked_first_due(date(2027, 1, 4))
    '2027-01-25'
    """
    return f"{today + timedelta(weeks=3):%Y-%m-%d}"
