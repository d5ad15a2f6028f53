from bncourse.grading.marking.page import answer_html
from bncourse.grading.marking.questions import Group, Text
from tests.grading.hostile_text import Page, mixture

PICTURE = {"picture-1.png": {"image/png": "aGVsbG8="}}


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
