"""A question and one of its groups of answers in; the page on which it is marked out, which fetches nothing foreign."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from bncourse.grading.core.plain_text import inert
from bncourse.grading.marking.questions import Answered, Group
from bncourse.grading.reports.markdown_page import Formulas, markdown_html, own_markdown_html
from bncourse.grading.reports.safe_markdown import safe_markdown

COMMENTS = 9
"""How many comments that were given already have a key."""
WORDS = {
    "waits": "not marked yet",
    "marked": "marked",
    "look again": "the answer has changed since it was marked: look again",
    "differ": "marked differently one by one; saving gives all the same",
}
_ATTACHED = re.compile(r"(?:\n\n!\[picture \d+\]\(attachment:picture-\d+\.(?:png|jpg)\))+\Z")


@dataclass(frozen=True)
class Form:
    """What stands in the fields: what was saved, or what was typed and could not be saved."""

    points: str
    comment: str
    problem: str = ""


def marking_page(
    title: str, base: str, answered: Answered, group: Group, answer: Markup, form: Form, last: Group | None = None
) -> str:
    """The page of one group of answers.

    Parameters
    ----------
    title : str
        The assignment's.
    base : str
        The address of the list of questions, with a slash at its end.
    answered : Answered
    group : Group
    answer : Markup
        What `answer_html` makes of the group.
    form : Form
    last : Group, optional
        The group that was marked a moment ago.
    """
    groups, question = answered.groups, answered.question
    number = [each.key for each in groups].index(group.key)
    given = Counter(comment for each in groups for comment in {mark.comment for mark in each.marks.values()})
    return _template(
        "answer.html.j2"
    ).render(
        title=title,
        base=base,
        question=question,
        progress=answered.progress,
        number=number + 1,
        count=len(groups),
        before=groups[number - 1].key if number else "",
        after=groups[number + 1].key if number + 1 < len(groups) else "",
        group=group,
        form=form,
        state=WORDS[group.state],
        asked=Markup(own_markdown_html(question.asked)),  # noqa: S704  (the master's own)
        rubric=Markup(own_markdown_html(question.rubric)),  # noqa: S704
        answer=answer,
        comments=[comment for comment, _ in given.most_common() if comment][:COMMENTS],
        saved=_saved(last),
        last=last,
    )


def list_page(title: str, base: str, questions: Iterable[Answered], saved: str = "") -> str:
    """The page that lists the questions, with how far each is and how many different answers it has."""
    return _template("questions.html.j2").render(title=title, base=base, questions=list(questions), saved=saved)


def message_page(title: str, message: str, base: str = "") -> str:
    """A page that says why nothing was done."""
    return _template("message.html.j2").render(title=title, message=message, base=base)


def answer_html(group: Group) -> Markup:
    """What the students wrote, harmless: their text was gone over when it was graded, and is once more."""
    formulas = Formulas()
    shown = (markdown_html(_safe(text.source), formulas, text.attachments) for text in group.texts)
    return Markup("<hr>").join(Markup(each) for each in shown)  # noqa: S704


def answer_as_typed(group: Group, why: str) -> Markup:
    """The same without any formatting, where that did not end in time."""
    typed = Markup("<hr>").join(Markup("<pre>{}</pre>").format(inert(text.source, 20_000)) for text in group.texts)
    return Markup("<p>Shown as it was typed: {}.</p>").format(why) + typed


def _safe(source: str) -> str:
    """A text gone over, but for the lines at its end in which grading shows the pictures that it attached."""
    attached = _ATTACHED.search(source)
    end = attached.start() if attached else len(source)
    return safe_markdown(source[:end]) + source[end:]


def _saved(last: Group | None) -> str:
    """What was done a moment ago."""
    if last is None or last.state != "marked":
        return ""
    (mark, *_), count = last.marks.values(), len(last.marks)
    return f"Saved: {_points(mark.points or 0.0)} for {count} answer{'' if count == 1 else 's'}."


def _points(value: float) -> str:
    return f"{round(value, 2):g} point{'' if round(value, 2) == 1 else 's'}"


@cache
def script() -> bytes:
    """The keys."""
    return resources.files(__package__).joinpath("mark.js").read_bytes()


@cache
def style() -> bytes:
    """The look."""
    return resources.files(__package__).joinpath("mark.css").read_bytes()


@cache
def _template(name: str) -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = lambda value: f"{round(value, 2):g}"
    environment.filters["points"] = _points
    return environment.from_string(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))
