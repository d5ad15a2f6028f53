import pytest

from bncourse.grading.marking import page
from bncourse.grading.marking.page import answer_html
from bncourse.grading.marking.questions import Group, Text
from bncourse.grading.marking.server import AnswerProcess
from bncourse.grading.sandbox import limited_process
from tests.grading.hostile_text import Page, mixture
from tests.grading.odd_text import ENDINGS, LIMITS, MARK, spoiled

PICTURE = {"picture-1.png": {"image/png": "aGVsbG8="}}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_text_that_cannot_be_formatted_is_shown_as_it_was_typed(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    monkeypatch.setattr(limited_process.LimitedProcess.__init__, "__kwdefaults__", LIMITS)
    monkeypatch.setattr(page, "safe_markdown", spoiled(page.safe_markdown, ending))
    with AnswerProcess() as process:
        made = process.answer(Group("key", (Text(f"<img src=x> {MARK}"),), {}))
        assert ENDINGS[ending][1] in made and f"<pre>&lt;img src=x&gt; {MARK}</pre>" in made
        assert "Because." in process.answer(Group("key", (Text("Because."),), {}))


def shown(source: str, attachments: object = None) -> str:
    return str(answer_html(Group("key", (Text(source, attachments or {}),), {})))  # type: ignore[arg-type]


def test_a_text_that_nobody_has_gone_over_is_inert() -> None:
    for number in range(100):
        assert Page(shown(mixture(number))).foreign == [], number


def test_a_picture_that_grading_attached_is_shown() -> None:
    assert "data:image/png;base64,aGVsbG8=" in shown("My proof.\n\n![picture 1](attachment:picture-1.png)", PICTURE)


def test_a_picture_of_the_students_own_is_taken_apart() -> None:
    for line in ("![picture 1](https://evil.example/x.png)", "![picture 1](attachment:picture-1.png) <img src=x>"):
        assert "<img" not in shown(f"My proof.\n\n{line}", PICTURE)
