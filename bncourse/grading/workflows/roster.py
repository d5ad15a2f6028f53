"""A class list becomes the people of a course: what Canvas, Moodle, Gradescope and GitHub Classroom export, or any CSV.

The gradebook stays the place where students are kept; here a list is read, matched and written to it.
"""

import codecs
import contextlib
import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sql
from nbgrader.api import Student

from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.core.plain_text import inert
from bncourse.grading.gradebook.records_table import PEOPLE, dropped_students, open_gradebook
from bncourse.grading.reports.spreadsheet import as_meant, csv_bytes
from bncourse.grading.submissions.downloads import Person
from bncourse.grading.workflows.student_names import shown_name

COLUMNS: Mapping[str, tuple[str, ...]] = {
    # what we call it: the headings under which platforms write it, best first, in small letters
    "student": ("student_id", "id number", "sis login id", "sis user id", "sid", "identifier", "username", "login"),
    "lms_id": ("lms_user_id", "id", "sid", "user id"),
    "name": ("student", "name", "full name", "student name"),
    "first": ("first_name", "first name", "firstname", "given name"),
    "last": ("last_name", "last name", "surname", "lastname", "family name"),
    "email": ("email", "email address", "e-mail", "mail"),
    "login": ("github_username", "sis login id", "username", "login"),
}
OPEN_CLASS = ".open-class"
"""The file in a course folder that says: there is no class list yet, so collecting takes everybody."""
UNKNOWN = "not in the class list"
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")


class Member(NamedTuple):
    """One student of a class."""

    student: str
    """The id in the gradebook, which names folders: letters, digits, dot, dash, underscore, at sign."""
    first: str = ""
    last: str = ""
    email: str = ""
    lms_id: str = ""
    """The platform's own number."""
    login: str = ""

    @property
    def name(self) -> str:
        """First and last name."""
        return " ".join(filter(None, (self.first, self.last)))


def read_roster(path: Path) -> list[Member]:
    """Read a class list: a CSV with headings, in UTF-8, with or without a byte-order mark.

    Raises
    ------
    CourseError
        If the file cannot be read, has no column that names students, or an id would be no folder's name.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"PK":
            raise CourseError(f"{path} is a workbook or a ZIP, and no CSV. Open it, and save it as CSV UTF-8.")
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), dialect=_dialect(text)))
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} is not UTF-8. Export it again as CSV UTF-8.") from error
    except csv.Error as error:
        raise CourseError(f"{path} is no CSV ({error}). Export it again as CSV UTF-8.") from error
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}. Name the class list with --roster.") from error
    headings = [heading.strip().lower() for heading in rows[0]] if rows else []
    at = {what: _first(headings, names) for what, names in COLUMNS.items()}
    if at["student"] is None and at["email"] is None and at["lms_id"] is None:
        found = ", ".join(inert(heading, 40) for heading in headings[:8])
        raise CourseError(
            f"{path} has no column that names a student. Found: {found or 'nothing'}. Expected a heading such as "
            "student_id, SIS Login ID, ID number, SID, identifier or Email."
        )
    members = []
    for row in rows[1:]:
        facts = {
            what: as_meant(row[column].strip()) if column is not None and column < len(row) else ""
            for what, column in at.items()
        }
        if "points possible" in facts["name"].lower() or not any(facts.values()):
            continue  # Canvas writes the highest marks in a row of its own
        members.append(_member(facts, path))
    repeated = sorted(student for student, count in _counted(member.student for member in members).items() if count > 1)
    if repeated:
        raise CourseError(
            f"{path} names {repeated[0]!r} more than once. Give each student a row and an id of their own."
        )
    return members


def _dialect(text: str) -> type[csv.Dialect]:
    class Found(csv.excel):
        delimiter = max(",;\t", key=text.partition("\n")[0].count)

    return Found


def _first(headings: Sequence[str], names: Iterable[str]) -> int | None:
    return next((headings.index(name) for name in names if name in headings), None)


def _counted(names: Iterable[str]) -> Mapping[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for name in names:
        counts[name] += 1
    return counts


def _member(facts: Mapping[str, str], path: Path) -> Member:
    first, last = facts["first"], facts["last"]
    if not first and not last:
        last, _, first = (part.strip() for part in facts["name"].partition(","))
        if not first:
            first, _, last = facts["name"].rpartition(" ")
    student = facts["student"] or facts["email"].partition("@")[0] or facts["lms_id"]
    if not ID.fullmatch(student):
        raise CourseError(
            f"{path}: {inert(student, 60)!r} cannot be a student's id, because folders are named after it. Expected "
            "letters, digits, dots, dashes and underscores, beginning with a letter or digit."
        )
    return Member(student, first, last, facts["email"], facts["lms_id"], facts["login"])


def known_members(course: Course, *, dropped: bool = False) -> list[Member]:
    """Return the students of the class, or those who were dropped from it."""
    with contextlib.closing(open_gradebook(course)) as gradebook:
        logins = {row.student: row.login for row in gradebook.db.execute(sql.select(PEOPLE))}
        gone = dropped_students(gradebook)
        return [_known(each, logins.get(each.id, "")) for each in gradebook.students if (each.id in gone) == dropped]


def _known(each: Any, login: str) -> Member:
    return Member(each.id, each.first_name or "", each.last_name or "", each.email or "", each.lms_user_id or "", login)


def enter_members(course: Course, members: Iterable[Member]) -> int:
    """Add students to the gradebook, or write down what is new about them; return how many were added or changed."""
    changed = 0
    with contextlib.closing(open_gradebook(course)) as gradebook:
        people = {row.student: row.login for row in gradebook.db.execute(sql.select(PEOPLE))}
        known = {each.id: _known(each, people.get(each.id, "")) for each in gradebook.students}
        for member in members:
            before = known.get(member.student, Member(member.student))
            named = member._replace(first=shown_name(member.first), last=shown_name(member.last))
            after = Member(*(new or old for new, old in zip(named, before, strict=True)))
            if after == before and member.student in known:
                continue
            changed += 1
            facts = {"first_name": after.first, "last_name": after.last, "email": after.email}
            facts["lms_user_id"] = after.lms_id
            gradebook.update_or_create_student(after.student, **{name: value or None for name, value in facts.items()})
            if after.login != before.login:
                _note(gradebook, after.student, login=after.login)
        gradebook.db.commit()
    return changed


def is_open(course: Course) -> bool:
    """Whether a class list was never given, so that everybody who hands in belongs to the class."""
    return (course.root / OPEN_CLASS).is_file() or not (known_members(course) or known_members(course, dropped=True))


def set_open(course: Course, *, is_open: bool) -> None:
    """Note that everyone who hands in is of the class, or, once a class list is given, that it is not."""
    path = course.root / OPEN_CLASS
    if is_open:
        write(path, b"No class list was given: collecting enters everybody who hands in.\n")
    else:
        path.unlink(missing_ok=True)


def set_dropped(course: Course, students: Sequence[str], *, dropped: bool) -> list[str]:
    """Take students out of all lists, or back in; their grades and files stay. Returns those for whom that is new.

    Raises
    ------
    CourseError
        If one of them is not in the gradebook. Nothing has been changed then.
    """
    with contextlib.closing(open_gradebook(course)) as gradebook:
        known = set(gradebook.db.scalars(sql.select(Student.id)))
        unknown = [student for student in students if student not in known]
        if unknown:
            raise CourseError(f"There is no student {unknown[0]!r} in the gradebook. See: bncourse roster export")
        before = dropped_students(gradebook)
        new = [student for student in dict.fromkeys(students) if (student in before) != dropped]
        for student in new:
            _note(gradebook, student, dropped=dropped)
        gradebook.db.commit()
    return new


def _note(gradebook: Any, student: str, **facts: Any) -> None:
    """Note what nbgrader's own table has no place for."""
    own = PEOPLE.c.student == student
    if not gradebook.db.execute(sql.update(PEOPLE).where(own).values(**facts)).rowcount:
        gradebook.db.execute(sql.insert(PEOPLE).values(student=student, **facts))


def write_roster(course: Course, path: Path) -> int:
    """Write the class list as CSV, which `read_roster` reads again; return how many students it names."""
    members = known_members(course)
    heading = ["student_id", "first_name", "last_name", "email", "lms_user_id", "github_username"]
    write(path, codecs.BOM_UTF8 + csv_bytes(heading, members))
    return len(members)


class Matcher:
    """Find a platform's person in a class list: by number, login, e-mail address, or a name that only one bears."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._by: dict[str, dict[str, list[str]]] = {
            what: defaultdict(list) for what in ("id", "login", "email", "name")
        }
        for member in members:
            self._note("id", member.lms_id, member.student)
            for login in {member.student, member.login, member.email.partition("@")[0]}:
                self._note("login", login, member.student)
            self._note("email", member.email, member.student)
            for name in {member.name, f"{member.last}{member.first}", f"{member.last} {member.first}"}:
                self._note("name", letters(name), member.student)

    def _note(self, what: str, key: str, student: str) -> None:
        if key and student not in self._by[what][key.casefold()]:
            self._by[what][key.casefold()].append(student)

    def __call__(self, person: Person) -> tuple[str, str]:
        """Return the student's id, or "" and the reason why nobody was found."""
        ends = [("login", person.folder[at + 1 :]) for at, sign in enumerate(person.folder) if sign == "-"]
        keys = [("id", person.id), ("email", person.email), *ends]
        keys += [("login", person.login), ("name", letters(person.name))]
        after_group = [letters(person.name[at + 1 :]) for at, sign in enumerate(person.name) if sign == "-"]
        for what, key in [*keys, *(("name", name) for name in after_group)]:
            found = self._by[what].get(key.casefold(), []) if key else []
            if len(found) == 1:
                return found[0], ""
            if len(found) > 1:
                return "", f"{what} {inert(key, 60)!r} belongs to {len(found)} students of the class list"
        login = self._by["login"].get(person.id.casefold(), []) if person.id else []
        if len(login) == 1:
            return login[0], ""
        return "", UNKNOWN


def letters(name: str) -> str:
    """Reduce a name to letters and digits of any script, without accents, in small letters.

    >>> letters("Müller, Éva-Lee"), letters("王 小明")
    ('mullerevalee', '王小明')
    """
    plain = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return "".join(each for each in unicodedata.normalize("NFKC", plain).casefold() if each.isalnum())


def id_of(person: Person) -> str:
    """Make an id for a person of whom no class list knows, from what the platform says.

    >>> id_of(Person(name="doejane", id="4711")), id_of(Person(login="ada"))
    ('doejane-4711', 'ada')
    """
    if ID.fullmatch(person.login):
        return person.login
    if person.email and ID.fullmatch(person.email.partition("@")[0]):
        return person.email.partition("@")[0]
    plain = re.sub(
        r"[^a-z0-9]+", "-", unicodedata.normalize("NFKD", person.name).encode("ascii", "ignore").decode().lower()
    )
    parts = [part for part in (plain.strip("-")[:40], re.sub(r"[^A-Za-z0-9]", "", person.id)[:40]) if part]
    return "-".join(parts)
