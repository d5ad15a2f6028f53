"""The pages for marking: what an instructor does there, and what nobody else can."""

import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.gradebook.marks import marks_of
from bncourse.grading.marking.server import MAX_FORM, MarkingServer
from tests.book.test_browser import grave
from tests.grading.hostile_text import Page

from .conftest import HandIn, groups_now

NAME = "answer-probes"


class Reply(NamedTuple):
    status: int
    body: str
    address: str
    headers: Mapping[str, str]


def ask(address: str, form: Mapping[str, str] | None = None, **headers: str) -> Reply:
    data = None if form is None else urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(address, data, headers)
    try:
        reply: Any = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        return Reply(reply.status, reply.read().decode(), reply.url, dict(reply.headers))


def origin(server: MarkingServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def form_of(page: str) -> dict[str, str]:
    found = re.search(r'name="version" value="(\w+)"', page)
    assert found is not None
    return {"version": found[1], "comment": ""}


def points_of(course: Course, student: str) -> float | None:
    mark = marks_of(course, "backward")[student].cells[NAME]
    return None if mark.waits else mark.points


def test_a_question_is_marked_from_the_first_answer_to_the_last(course: Course, served: MarkingServer) -> None:
    listed = ask(served.address)
    assert "0 of 3" in listed.body
    first = ask(f"{served.address}q/{NAME}/")
    assert "Answer 1 of 2" in first.body and "2 students have answered so" in first.body
    assert "<math" in first.body and "Rubric" in first.body
    form = form_of(first.body) | {"level": "0.5", "comment": "Which one?"}
    second = ask(first.address, form, Origin=origin(served))
    assert "Saved: 0.5 points for 2 answers." in second.body and "Answer 2 of 2" in second.body
    assert 'data-comment="Which one?"' in second.body
    assert (points_of(course, "ann"), points_of(course, "ben"), points_of(course, "cem")) == (0.5, 0.5, None)
    last = ask(second.address, form_of(second.body) | {"points": "0,75"}, Origin=origin(served))
    assert f"All answers to {NAME} are marked." in last.body and "3 of 3" in last.body
    assert points_of(course, "cem") == 0.75
    assert marks_of(course, "backward")["ben"].comments[NAME] == "Which one?"


def test_no_page_says_whose_an_answer_is(served: MarkingServer) -> None:
    pages = [ask(served.address).body, ask(f"{served.address}q/{NAME}/").body]
    for name in ("ann", "ben", "cem"):
        assert not any(re.search(rf"\b{name}\b", page) for page in pages)


def test_what_are_no_points_is_refused_and_stays_in_its_field(course: Course, served: MarkingServer) -> None:
    page = ask(f"{served.address}q/{NAME}/")
    for points in ("", "2", "-1", "nan", "one"):
        reply = ask(page.address, form_of(page.body) | {"points": points, "comment": "kept"}, Origin=origin(served))
        assert reply.status == 422 and "Expected a number from 0 to 1" in reply.body, points
        assert ">kept</textarea>" in reply.body
    assert points_of(course, "ann") is None


def test_a_form_from_before_a_change_saves_nothing(course: Course, served: MarkingServer) -> None:
    page = ask(f"{served.address}q/{NAME}/")
    ask(page.address, form_of(page.body) | {"level": "1"}, Origin=origin(served))
    reply = ask(page.address, form_of(page.body) | {"level": "0", "comment": "mine"}, Origin=origin(served))
    assert reply.status == 409 and "changed elsewhere" in reply.body and ">mine</textarea>" in reply.body
    assert points_of(course, "ann") == 1.0


def test_an_answer_that_was_handed_in_anew_is_gone(course: Course, served: MarkingServer, hand_in: HandIn) -> None:
    page = ask(f"{served.address}q/{NAME}/")
    hand_in("ann", {NAME: "new"})
    hand_in("ben", {NAME: "new"})
    reply = ask(page.address, form_of(page.body) | {"level": "1"}, Origin=origin(served))
    assert reply.status == 409 and "gone" in reply.body
    assert points_of(course, "ann") is None


FOREIGN: tuple[dict[str, str], ...] = (
    {},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "https://127.0.0.1:PORT"},
    {"Origin": "http://127.0.0.1:PORT.evil.example"},
    {"Origin": "http://evil@127.0.0.1:PORT"},
    {"Origin": "http://localhost:PORT"},
    {"Origin": "http://evil.example:PORT", "Host": "evil.example:PORT"},
    {"Origin": "http://127.0.0.1:PORT", "Host": "evil.example"},
)


def test_a_form_of_another_site_is_refused(course: Course, served: MarkingServer) -> None:
    page = ask(f"{served.address}q/{NAME}/")
    for headers in FOREIGN:
        sent = {name: value.replace("PORT", str(served.port)) for name, value in headers.items()}
        assert ask(page.address, form_of(page.body) | {"level": "1"}, **sent).status == 403, headers
    assert points_of(course, "ann") is None


def test_another_name_that_leads_here_is_of_no_use(served: MarkingServer) -> None:
    for host in (
        "evil.example",
        f"evil.example:{served.port}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"127.0.0.1.e:{served.port}",
    ):
        reply = ask(served.address, Host=host)
        assert reply.status == 403 and served.token not in reply.body, host


ELSEWHERE = """
 guess/ guess/mark.js TOKENx/ TOKEN/../../etc/passwd TOKEN/mark.js/../server.py TOKEN/..%2fserver.py TOKEN/q/
TOKEN/%2e%2e/%2e%2e/gradebook.db TOKEN/q/proof/../../mark.css TOKEN/q/nothing/ TOKEN/q/proof TOKEN/server.py
TOKEN//etc/passwd TOKEN/q/proof/%00 TOKEN/q/proof/guess
"""


def test_nothing_else_is_served(served: MarkingServer) -> None:
    for path in ["", *ELSEWHERE.split()]:
        reply = ask(f"{origin(served)}/{path.replace('TOKEN', served.token)}")
        assert reply.status in (404, 409), path
        assert "root:" not in reply.body and "import" not in reply.body, path


def test_the_pages_may_load_nothing_foreign_and_stand_in_no_frame(served: MarkingServer) -> None:
    for address in (served.address, f"{served.address}q/{NAME}/", f"{origin(served)}/nothing"):
        headers = ask(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["Referrer-Policy"] == "same-origin" and headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in headers


def test_only_get_and_post_are_answered(served: MarkingServer) -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
        request = urllib.request.Request(served.address, method=method, headers={"Origin": origin(served)})
        with pytest.raises(urllib.error.HTTPError, match="405"):
            urllib.request.urlopen(request, timeout=60)


def test_a_form_has_a_size(served: MarkingServer) -> None:
    page = ask(f"{served.address}q/{NAME}/")
    long = ask(page.address, form_of(page.body) | {"level": "1", "comment": "x" * 5001}, Origin=origin(served))
    assert long.status == 422 and "too long" in long.body
    with pytest.raises((urllib.error.URLError, ConnectionError, AssertionError)):
        reply = ask(page.address, {"comment": "x" * 2 * MAX_FORM}, Origin=origin(served))
        assert reply.status < 400


def test_it_listens_on_this_machine_alone(served: MarkingServer) -> None:
    with pytest.raises(CourseError, match="cannot be used"):
        MarkingServer(served.answers, served.port)
    assert {socket.getsockname()[0] for socket in served.sockets} == {"127.0.0.1"}


def test_what_students_write_is_inert(served: MarkingServer, hand_in: HandIn) -> None:
    hand_in("eve", {NAME: "<script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)>"})
    for group in groups_now(served.answers.course, NAME):
        page = ask(f"{served.address}q/{NAME}/{group.key}").body
        assert Page(page.partition('<div class="text">')[2].partition("</div>\n</section>")[0]).foreign == []


@pytest.mark.browser
def test_the_keys_mark_a_class_without_a_mouse(browser: Any, course: Course, served: MarkingServer) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    complaints, requested = list[str](), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    page.goto(served.address)
    assert grave(page) == []
    page.keyboard.press("5")
    page.wait_for_url(re.compile(rf"/q/{NAME}/\w+$"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert grave(page) == [], scheme
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.keyboard.press("c")
    page.keyboard.type("n1 is part of this comment")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    page.wait_for_url(re.compile(r"\?saved="))
    page.keyboard.press("a")
    assert page.locator("#comment").input_value() == "n1 is part of this comment"
    page.keyboard.press("p")
    page.keyboard.type("0.25")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"\?of="))
    assert (points_of(course, "ann"), points_of(course, "ben"), points_of(course, "cem")) == (0.5, 0.5, 0.25)
    assert marks_of(course, "backward")["cem"].comments[NAME] == "n1 is part of this comment"
    assert complaints == []
    assert [url for url in requested if not url.startswith((served.address, "data:"))] == []
    context.close()
