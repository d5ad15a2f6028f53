"""The pages for marking, served to this machine alone: what another site, page or user sends is refused.

- It listens on 127.0.0.1, and all addresses begin with a token that nobody can guess.
- The host in a request has to be this machine, so that another name that leads here (DNS rebinding) is of no use.
- A form has to come from these very pages: the browser says so in `Origin`.
- Its pages load nothing foreign, run one script of their own, and stand in no frame; a student's text is inert, and
  becomes HTML in a process that can be ended.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy
import tornado.httpserver
import tornado.ioloop
import tornado.netutil
import tornado.web
from markupsafe import Markup

from bncourse.grading.authoring.course import CourseError
from bncourse.grading.gradebook.by_hand import ChangedMeanwhileError, give
from bncourse.grading.gradebook.records_table import reason
from bncourse.grading.marking.page import (
    Form,
    answer_as_typed,
    answer_html,
    list_page,
    marking_page,
    message_page,
    script,
    style,
)
from bncourse.grading.marking.questions import Answered, Answers, Group, Question
from bncourse.grading.sandbox.limited_process import CallEnded, LimitedProcess

HERE = "127.0.0.1"
MAX_FORM = 100_000
"""Bytes of what a page sends."""
MAX_COMMENT = 5_000
CHANGED = "These answers or their marks were changed elsewhere. Nothing was saved: look, and save again."
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class MarkingServer:
    """Serves one assignment until it is stopped.

    Parameters
    ----------
    answers : Answers
    port : int, optional
        A free one if left out.
    first : str, optional
        The question on which the address begins; the list of all if left out.

    Raises
    ------
    CourseError
        If the port is taken.
    """

    def __init__(self, answers: Answers, port: int = 0, first: str = "") -> None:
        try:
            sockets = tornado.netutil.bind_sockets(port, address=HERE)
        except OSError as error:
            raise CourseError(
                f"Port {port} cannot be used: {error.strerror}. Name another one with --port, or leave it out."
            ) from error
        self.port: int = sockets[0].getsockname()[1]
        self.token = secrets.token_urlsafe(24)
        self.pages = AnswerProcess()
        hosts = frozenset({f"{HERE}:{self.port}", f"localhost:{self.port}"})
        known = {"answers": answers, "token": self.token, "hosts": hosts}
        application = tornado.web.Application(
            [tornado.web.url(r"/([^/]+)/(.*)", _Page, known), tornado.web.url(r".*", _Nothing)],
            log_function=lambda _: None,
            course=answers.course,
            pages=self.pages,
        )
        self._server = tornado.httpserver.HTTPServer(application, max_body_size=MAX_FORM, max_buffer_size=2 * MAX_FORM)
        self._server.add_sockets(sockets)
        self.answers, self.sockets = answers, sockets
        self.address = f"http://{HERE}:{self.port}/{self.token}/" + (f"q/{first}/" if first else "")

    def serve(self) -> None:
        """Serve until somebody presses Ctrl+C."""
        try:
            tornado.ioloop.IOLoop.current().start()
        finally:
            self.stop()

    def stop(self) -> None:
        """Take no more requests."""
        self._server.stop()
        self.pages.close()


class AnswerProcess(LimitedProcess):
    """Makes HTML of what students wrote where a text that does not end in time can be ended."""

    def __init__(self) -> None:
        super().__init__({"answer": answer_html})

    def answer(self, group: Group) -> Markup:
        """What `answer_html` makes of a group; where that is ended, the texts as they were typed."""
        try:
            made: Markup = self.call("answer", group)
        except CallEnded as error:
            return answer_as_typed(group, str(error))
        return made


class _Handler(tornado.web.RequestHandler):
    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def say(self, status: int, title: str, message: str, base: str = "") -> None:
        self.set_status(status)
        self.finish(message_page(title, message, base))

    def write_error(self, status_code: int, **facts: Any) -> None:
        """Say what went wrong; nothing was saved then."""
        error = facts.get("exc_info", (None, None))[1]
        if status_code == 404:
            self.say(404, "There is nothing here", "Take the address that bncourse mark has printed.")
        elif isinstance(error, tornado.web.HTTPError):
            self.say(status_code, "Nothing was saved", error.reason or self._reason)
        elif isinstance(error, CourseError):
            self.say(503, "Nothing was saved", str(error))
        elif isinstance(error, sqlalchemy.exc.SQLAlchemyError):
            said = reason(error, self.settings["course"])
            self.say(503, "Nothing was saved", f"The gradebook cannot be used: {said} Then go back, and save again.")
        else:
            self.say(status_code, "Nothing was saved", f"{type(error).__name__}: the terminal says more.")


class _Nothing(_Handler):
    def prepare(self) -> None:
        raise tornado.web.HTTPError(404)


class _Page(_Handler):
    def initialize(self, answers: Answers, token: str, hosts: frozenset[str]) -> None:
        self.answers, self.token, self.hosts = answers, token, hosts
        self.base = f"/{token}/"

    def prepare(self) -> None:
        if self.request.headers.get_list("Host") != [self.request.host] or self.request.host not in self.hosts:
            raise tornado.web.HTTPError(403, reason="This address serves one machine only.")
        if not hmac.compare_digest(self.path_args[0].encode(), self.token.encode()):
            raise tornado.web.HTTPError(404)
        if self.request.method == "POST":
            origin = urlsplit(self.request.headers.get("Origin", ""))
            if origin.scheme != "http" or origin.netloc != self.request.host:
                raise tornado.web.HTTPError(403, reason="This form was not sent by a page of bncourse mark.")
        elif self.request.method not in ("GET", "HEAD"):
            raise tornado.web.HTTPError(405)

    def get(self, _: str, path: str) -> None:
        """Show what stands at a path."""
        files: dict[str, tuple[str, Callable[[], bytes]]] = {
            "mark.js": ("text/javascript; charset=utf-8", script),
            "mark.css": ("text/css; charset=utf-8", style),
        }
        if path in files:
            kind, content = files[path]
            self.set_header("Content-Type", kind)
            self.finish(content())
            return
        answers = self.answers.now()
        if not path:
            done = self.get_query_argument("of", "")
            saved = f"Saved. All answers to {done} are marked." if done in answers else ""
            self.finish(list_page(self.answers.title, self.base, answers.values(), saved))
            return
        answered, key = self._at(answers, path)
        group = answered.group(key)
        if not key:
            self._go_on(answered)
        elif group is None:
            self._gone(answered.question)
        else:
            self._show(answered, group, _form_of(group))

    head = get

    def post(self, _: str, path: str) -> None:
        """Save a mark, and go on to the next answer that waits."""
        answered, key = self._at(self.answers.now(), path)
        question, group = answered.question, answered.group(key)
        if group is None:
            self._gone(question)
            return
        typed = self.get_body_argument("level", "") or self.get_body_argument("points", "").replace(",", ".")
        comment = self.get_body_argument("comment", "").replace("\r\n", "\n").strip()
        clear = bool(self.get_body_argument("clear", ""))
        try:
            if self.get_body_argument("version", "") != group.version:
                raise ChangedMeanwhileError
            points = None if clear else _points(typed, question)
            if len(comment) > MAX_COMMENT:
                raise ValueError(f"The comment is too long. Expected at most {MAX_COMMENT} characters.")
            give(self.answers.course, self.answers.assignment, question.name, group.marks, points, comment)
        except ValueError as error:
            self.set_status(422)
            self._show(answered, group, Form(typed[:20], comment, str(error)))
        except ChangedMeanwhileError:
            answered = self.answers.now()[question.name]
            group = answered.group(key)
            if group is None:
                self._gone(question)
                return
            self.set_status(409)
            self._show(answered, group, Form(_form_of(group).points, comment, CHANGED))
        else:
            if clear:
                self.redirect(key, status=303)
            else:
                self._go_on(self.answers.now()[question.name], key)

    def _at(self, answers: Mapping[str, Answered], path: str) -> tuple[Answered, str]:
        """The question and the group's key that a path names; the key is empty for the question alone."""
        match path.split("/"):
            case ["q", name, key] if name in answers:
                return answers[name], key
            case _:
                raise tornado.web.HTTPError(404)

    def _go_on(self, answered: Answered, saved: str = "") -> None:
        """Go to the next group that waits, to the first if all are marked, or to the list after the last was saved."""
        question = f"{self.base}q/{answered.question.name}/"
        keys = [group.key for group in answered.groups]
        start = keys.index(saved) + 1 if saved in keys else 0
        waiting = [key for key in keys[start:] + keys[:start] if (group := answered.group(key)) and group.waits]
        if waiting:
            target = question + waiting[0] + (f"?saved={saved}" if saved else "")
        elif keys and not saved:
            target = question + keys[0]
        else:
            target = self.base + (f"?of={answered.question.name}" if saved else "")
        self.redirect(target, status=303)

    def _gone(self, question: Question) -> None:
        message = f"No student's answer to {question.name} says this now: they have handed in again. Nothing was saved."
        self.say(409, "This answer is gone", message, self.base)

    def _show(self, answered: Answered, group: Group, form: Form) -> None:
        last = answered.group(self.get_query_argument("saved", ""))
        answer = self.settings["pages"].answer(group)
        self.finish(marking_page(self.answers.title, self.base, answered, group, answer, form, last))


def _points(typed: str, question: Question) -> float:
    """The points that somebody typed."""
    try:
        points = float(typed)
    except ValueError:
        points = -1.0
    if not 0.0 <= points <= question.points:
        raise ValueError(f"{typed[:20]!r} are no points. Expected a number from 0 to {question.points:g}.")
    return points


def _form_of(group: Group) -> Form:
    """The fields of a group, as its marks say if they are all the same."""
    points = {mark.points for mark in group.marks.values()}
    comments = {mark.comment for mark in group.marks.values()}
    only = points.pop() if len(points) == 1 else None
    return Form("" if only is None else f"{round(only, 4):g}", comments.pop() if len(comments) == 1 else "")
