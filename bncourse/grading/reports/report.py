"""An assignment's records in; one page out: marks, beliefs, what was slow, what failed.

The page is a single file: no script, no address, nothing that is fetched.
"""

from collections import Counter
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from bncourse.diagnosis import catalogue
from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.core.records import Outcome
from bncourse.grading.reports.class_lines import Line, lines_of
from bncourse.grading.reports.summary import COLORS, why

BARS = 10
SLOWEST = 10


@dataclass(frozen=True)
class Misbelief:
    """A mistaken belief, and how the class holds it."""

    id: str
    sentence: str
    students: int
    questions: tuple[tuple[str, int], ...]
    """Test cell and number of students, most first."""
    link: str


@dataclass(frozen=True)
class Question:
    """How a test cell went."""

    name: str
    max_points: float
    mean_points: float
    outcomes: tuple[tuple[Outcome, int], ...]


def write_report(course: Course, assignment: str, to: Path | None = None) -> Path:
    """Write the page; returns where it lies.

    Raises
    ------
    CourseError
        If nothing of the assignment has been graded, or `to` is a folder.
    """
    master = course.master(assignment)
    lines = lines_of(course, assignment)
    if not lines:
        raise CourseError(f"Nothing of {assignment} has been graded. Type first: bncourse grade {assignment}")
    to = to or course.results(assignment) / "report.html"
    if to.is_dir():
        raise CourseError(f"{to} is a folder. Expected a file to write to.")
    graded = [line for line in lines if line.record is not None]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(
        resources.files(__package__).joinpath("report.html.j2").read_text(encoding="utf-8")
    )
    page = template.render(
        title=master.title,
        assignment=assignment,
        lines=lines,
        mean=sum(line.score for line in lines) / len(lines),
        highest=lines[0].max_score,
        to_mark=sum(line.to_mark for line in lines),
        bars=histogram(lines),
        statuses=Counter(line.record.status for line in graded if line.record).most_common(),
        beliefs=misbeliefs(lines),
        questions=questions(lines),
        slowest=sorted(graded, key=lambda line: -line.record.seconds if line.record else 0.0)[:SLOWEST],
        failed=[(line, why(line.record)) for line in graded if line.record and line.record.status not in COLORS],
    )
    write(to, page.encode())
    return to


def histogram(lines: list[Line]) -> list[tuple[str, int, float]]:
    """Ten bars from 0 to the highest mark: label, number of students, height between 0 and 1."""
    counts = [0] * BARS
    highest = lines[0].max_score or 1.0
    for line in lines:
        counts[min(BARS - 1, int(BARS * line.score / highest))] += 1
    top = max(counts)
    edges = [highest * number / BARS for number in range(BARS + 1)]
    return [(f"{edges[n]:g} to {edges[n + 1]:g}", count, count / top) for n, count in enumerate(counts)]


def misbeliefs(lines: list[Line]) -> list[Misbelief]:
    """The beliefs that the class shows, the commonest first; a student counts once for each."""
    holders: dict[str, set[str]] = {}
    places: dict[str, Counter[str]] = {}
    for line in lines:
        for verdict in line.record.verdicts if line.record else ():
            if verdict.belief is not None:
                holders.setdefault(verdict.belief, set()).add(line.student)
                places.setdefault(verdict.belief, Counter())[verdict.grade_id] += 1
    known = catalogue.known_beliefs()
    found = [
        Misbelief(
            name,
            known[name].sentence.replace("Your code believes", "Believes") if name in known else name,
            len(students),
            tuple(places[name].most_common()),
            known[name].link if name in known else "",
        )
        for name, students in holders.items()
    ]
    return sorted(found, key=lambda belief: (-belief.students, belief.id))


def questions(lines: list[Line]) -> list[Question]:
    """How each test cell went, in the assignment's order."""
    verdicts = [verdict for line in lines if line.record for verdict in line.record.verdicts]
    result = []
    for name in dict.fromkeys(verdict.grade_id for verdict in verdicts):
        own = [verdict for verdict in verdicts if verdict.grade_id == name]
        mean = sum(verdict.points for verdict in own) / len(own)
        outcomes = Counter(verdict.outcome for verdict in own)
        result.append(Question(name, own[0].max_points, mean, tuple(outcomes.most_common())))
    return result
