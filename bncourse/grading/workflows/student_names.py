"""A student's name in; the same name, of which a page makes nothing but text, out.

Formgrader writes names into its pages as they are, and MathJax reads those pages. Names come from a class list, and so
often from the students themselves. Importing this file sees to it for every name that a gradebook takes in or gives
out, whichever command enters it.
"""

import re
from typing import Any

import sqlalchemy as sql
from nbgrader.api import Student
from sqlalchemy.orm.attributes import set_committed_value

FIELDS = ("first_name", "last_name")
LONGEST = 128
"""Characters that a gradebook has room for."""
_LIVE = re.compile(r"[<&\\](?=\S)")
"""How a tag, a character by its name, and a command of a formula begin."""
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Controls and changes of direction; not what joins letters in some scripts."""


def shown_name(name: str) -> str:
    r"""Return a name with a space in all that a page would run.

    >>> shown_name(r"<b>Bo</b> $\href{x}{y}$"), shown_name("O'Neill & Søn")
    ('< b>Bo< /b> $\\ href{x}{y}$', "O'Neill & Søn")
    """
    return _LIVE.sub(r"\g<0> ", _UNSEEN.sub(" ", name)[:LONGEST])[:LONGEST].strip()


@sql.event.listens_for(Student, "before_insert")  # type: ignore[untyped-decorator]
@sql.event.listens_for(Student, "before_update")  # type: ignore[untyped-decorator]
def _take_in(_mapper: Any, _connection: Any, student: Any) -> None:
    for field in FIELDS:
        name = getattr(student, field)
        if name and shown_name(name) != name:
            setattr(student, field, shown_name(name))


@sql.event.listens_for(Student, "load")  # type: ignore[untyped-decorator]
@sql.event.listens_for(Student, "refresh")  # type: ignore[untyped-decorator]
def _give_out(student: Any, *_: Any) -> None:
    for field in FIELDS:
        name = vars(student).get(field)
        if name:
            set_committed_value(student, field, shown_name(name))
