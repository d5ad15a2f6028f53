"""A hostile class in a real browser: the instructor's pages and the students' ask no other host, and run no script."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from bncourse.grading.authoring.course import Course
from bncourse.grading.engine.grader import Grader
from bncourse.grading.workflows.feedback import make_feedback
from bncourse.grading.workflows.grade import grade_class
from tests.conftest import copied
from tests.grading.formgrader import TOKEN, formgrader_of
from tests.grading.hostile_text import mixture
from tests.grading.reports.test_safe_markdown import LIVE

pytestmark = [pytest.mark.browser, pytest.mark.sandbox, pytest.mark.long, pytest.mark.timeout(900)]

RUNS = "window.alert(1)"
ACTIVE = (
    "<style>@import url(http://evil.example/a.css); body{background:url(//evil.example/b.png)}</style>",
    "<link rel=stylesheet href=http://evil.example/c.css><base href=http://evil.example/>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe><object data=http://evil.example/d></object>",
    "<video src=http://evil.example/e autoplay onerror=alert(1)></video><audio src=//evil.example/f autoplay>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/g'><form action=//evil.example/h>",
    "<details open ontoggle=alert(1)><summary>x</summary></details><marquee onstart=alert(1)>x</marquee>",
    "<select autofocus onfocus=alert(1)></select><body onload=alert(1)><svg><animate onbegin=alert(1) attributeName=x>",
    "<a href=javascript:alert(1) id=next>x</a> <a ping=http://evil.example/i href=#>x</a>",
    "</textarea></script></pre></code></div><script>alert(1)</script><script src=//evil.example/j.js></script>",
    "{{ 7*7 }} {% raw %} <%= alert(1) %> ${alert(1)} {{constructor.constructor('alert(1)')()}}",
)
"""What a page fetches or runs by itself, or when somebody points at it."""
AS_OUTPUT = "print({text!r})\nfrom IPython.display import HTML, display\ndisplay(HTML({text!r}))\nHTML({text!r})"
EVERYTHING = """root => {
  const kinds = ["focus", "focusin", "mouseenter", "mouseover", "toggle", "error", "load", "begin"];
  for (const part of root.querySelectorAll("*"))
    for (const kind of kinds) part.dispatchEvent(new Event(kind, {bubbles: false}));
}"""


class Seen(NamedTuple):
    """What a page asked and did."""

    hosts: set[str]
    ran: list[str]
    address: str


def texts() -> list[str]:
    return [*LIVE, *ACTIVE, *("".join(mixture(n) for n in range(start, start + 8)) for start in range(0, 800, 8))]


def hostile(released: dict[str, Any]) -> dict[str, Any]:
    """A notebook with live text in every place that shows: answers, cells, outputs, notes, names and metadata."""
    made = json.loads(json.dumps(released))
    every = texts()
    written = [c for c in made["cells"] if c["cell_type"] == "markdown" and "nbgrader" in c["metadata"]]
    for number, cell in enumerate(written):
        cell["source"] = "\n\n".join(every[number :: len(written)])
    code = [c for c in made["cells"] if c["cell_type"] == "code" and c["metadata"].get("nbgrader", {}).get("solution")]
    for number, cell in enumerate(code):
        live = every[number % len(every)]
        cell["source"] = f"# {live!r}\n{AS_OUTPUT.format(text=live)}\nraise ValueError({live!r})"
        cell["outputs"] = [{"output_type": "display_data", "data": {"text/html": live}, "metadata": {}}]
    for number, live in enumerate([*ACTIVE, *LIVE]):
        kind = "markdown" if number % 2 else "code"
        cell = {"cell_type": kind, "id": f'"><img src=x onerror={RUNS}>{number}', "metadata": {"tags": [live]}}
        cell["source"] = live if kind == "markdown" else AS_OUTPUT.format(text=live)
        made["cells"].append(cell | ({"outputs": [], "execution_count": None} if kind == "code" else {}))
    made["cells"][0]["metadata"]["nbgrader"] = {"grade_id": ACTIVE[0], "points": ACTIVE[1], "cell_type": ACTIVE[2]}
    made["metadata"]["kernelspec"] = {"name": ACTIVE[3], "display_name": ACTIVE[8]}
    made["metadata"]["title"] = made["metadata"]["authors"] = ACTIVE[8]
    return made


@pytest.fixture(scope="module")
def hostile_class(released_course: Course, sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = copied(released_course, tmp_path_factory.mktemp("hostile"))
    released = json.loads(course.notebook("release", "backward").read_bytes())
    for student, made in (("ada", released), ("eve", hostile(released))):
        path = course.notebook("submitted", "backward", student)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(made))
    (course.folder("submitted", "backward", "eve") / f"<img src=x onerror={RUNS}>.txt").write_text("x")
    grade_class(course, "backward", grader=lambda: Grader(jobs=2))
    assert make_feedback(course, "backward") == ["ada", "eve"]
    return course


@pytest.fixture(scope="module")
def formgrader(hostile_class: Course, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with formgrader_of(hostile_class, tmp_path_factory.mktemp("jupyter")) as address:
        yield address


def looked_at(browser: Any, address: str) -> Seen:
    """Open a page, point at everything on it, and see what it asks and runs."""
    context = browser.new_context()
    page = context.new_page()
    hosts, ran = set[str](), list[str]()
    context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda other: ran.append(other.url))
    for event in ("download", "worker", "frameattached"):
        page.on(event, lambda thing, event=event: ran.append(f"{event} {thing}"))
    page.goto(address, wait_until="load")
    page.wait_for_timeout(500)
    body = page.query_selector("#notebook-container, main, body")
    page.evaluate_handle(EVERYTHING, body)
    page.keyboard.press("Tab")
    page.wait_for_timeout(500)
    seen = Seen(hosts - {""}, ran, page.url)
    context.close()
    return seen


def own_page(browser: Any, course: Course, formgrader: str, student: str) -> tuple[str, Seen]:
    """Formgrader's page of a student's submission."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{formgrader}gradebook?token={TOKEN}")
    listed = json.loads(context.request.get(f"{formgrader}api/submitted_notebooks/backward/backward").text())
    name = next(each["id"] for each in listed if each["student"] == student)
    context.close()
    address = f"{formgrader}submissions/{name}/?token={TOKEN}"
    return address, looked_at(browser, address)


def test_formgrader_s_page_of_a_hostile_submission_asks_and_runs_what_any_other_page_does(
    browser: Any, hostile_class: Course, formgrader: str
) -> None:
    """nbgrader's template itself names the host of MathJax: nothing more than that is asked."""
    _, usual = own_page(browser, hostile_class, formgrader, "ada")
    address, seen = own_page(browser, hostile_class, formgrader, "eve")
    assert seen.ran == usual.ran == []
    assert seen.hosts <= usual.hosts and not [host for host in seen.hosts if "evil" in host or "e.org" in host]
    assert seen.address.partition("?")[0] == address.partition("?")[0]


@pytest.mark.parametrize(
    "page", ["gradebook", "gradebook/backward", "gradebook/backward/backward", "manage_students", "manage_students/eve"]
)
def test_formgrader_s_lists_ask_nobody_else_and_run_nothing(browser: Any, formgrader: str, page: str) -> None:
    seen = looked_at(browser, f"{formgrader}{page}?token={TOKEN}")
    assert seen.ran == [] and seen.hosts == {urlsplit(formgrader).netloc}


@pytest.mark.parametrize("student", ["ada", "eve"])
def test_a_feedback_page_asks_nobody_and_runs_nothing(browser: Any, hostile_class: Course, student: str) -> None:
    path: Path = hostile_class.notebook("feedback", "backward", student).with_suffix(".html")
    seen = looked_at(browser, path.as_uri())
    assert seen == Seen(set(), [], path.as_uri())


def test_the_same_texts_ask_and_run_where_they_are_not_made_safe(browser: Any, tmp_path: Path) -> None:
    """So that a page on which nothing happens shows something."""
    path = tmp_path / "live.html"
    path.write_text("<!doctype html><title>x</title><body>" + "\n".join(ACTIVE[:1] + ACTIVE[3:4] + ACTIVE[5:7]))
    seen = looked_at(browser, path.as_uri())
    assert "evil.example" in seen.hosts and "1" in seen.ran
