"""The lectures show the book's own cells and equations, with notes for the speaker, and need nothing from elsewhere."""

import re
from pathlib import Path
from typing import Any

import pytest

from tools.slides import LECTURES, Missing, build, equation, expand, prepare

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("1_transform", "2_gradients", "3_practice")
PAGE = """# Page

```{code-cell} python
a = 1
```

```{code-cell} python
:tags: [remove-cell]
b = 2
```

```{code-cell} python
:mystnb: {figure: {name: fig-one-more, caption: "Not this one."}}
draw(a)
```

```{code-cell} python
:mystnb: {figure: {name: fig-one, caption: "One."}}
draw(b)
```

$$ x = 1 $$ (eq-one)
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "page.md").write_text(PAGE, "utf-8")
    return tmp_path


def test_a_cell_is_shown_after_all_that_it_needs(course: Path) -> None:
    text = expand("```{chapter-cell} book/page fig-one\n```\n", course)
    assert [line for line in text.split("\n") if re.match(r"\w", line)] == ["a = 1", "b = 2", "draw(a)", "draw(b)"]
    assert text.count(":tags: [remove-cell]") == 3
    assert text.count(":tags: [remove-input]") == 1
    assert "caption" not in text


def test_a_second_cell_does_not_run_the_first_ones_again(course: Path) -> None:
    text = expand("```{chapter-cell} book/page #1\n```\n\n```{chapter-cell} book/page fig-one\n```\n", course)
    assert text.count("a = 1") == 1


def test_an_equation_is_the_chapters(course: Path) -> None:
    assert expand("```{chapter-equation} eq-one\n```\n", course) == "$$ x = 1 $$\n"


def test_what_the_book_does_not_have_is_named(course: Path) -> None:
    with pytest.raises(Missing, match=r"book/page\.md has no cell 'fig-two'"):
        expand("```{chapter-cell} book/page fig-two\n```\n", course)
    with pytest.raises(Missing, match="eq-two"):
        equation("eq-two", course / "book")


@pytest.mark.parametrize("name", NAMES)
def test_a_lecture_has_only_the_books_code_and_notes_for_every_slide(name: str) -> None:
    text = (LECTURES / f"{name}.md").read_text("utf-8")
    assert "{code-cell}" not in text
    assert "$$" not in text
    slides = re.split(r"^#{1,2} ", text, flags=re.MULTILINE)[1:]
    assert len(slides) > 8
    assert all(slide.count(":::{revealjs-notes}") == 1 for slide in slides)
    assert "{code-cell}" in expand(text, ROOT)
    assert "{chapter-" not in expand(text, ROOT)


def test_the_lectures_are_these_three(tmp_path: Path) -> None:
    assert tuple(prepare(ROOT, tmp_path / "source")) == NAMES


@pytest.mark.long
@pytest.mark.browser
def test_the_lectures_build_and_show_offline(browser: Any, tmp_path: Path) -> None:
    assert build(ROOT, tmp_path) == 0
    for name in NAMES:
        page = browser.new_page(viewport={"width": 1100, "height": 700})
        complaints: list[str] = []
        page.on("console", lambda said, heard=complaints: heard.append(said.text) if said.type == "error" else None)
        page.on("request", lambda asked, heard=complaints: heard.append(asked.url))
        page.goto(f"file://{tmp_path}/{name}.html")
        page.wait_for_function("window.Reveal && Reveal.isReady() && document.querySelector('mjx-container')")
        slides = page.evaluate("Reveal.getTotalSlides()")
        assert page.locator("aside.notes").count() == slides
        assert page.locator("mjx-merror").count() == 0
        assert page.locator(".bn-figure svg").count() >= 3
        for _ in range(slides):
            assert page.evaluate("Reveal.getCurrentSlide().scrollHeight") <= 700
            page.evaluate("Reveal.next()")
        assert [said for said in complaints if not said.startswith(("file:", "data:"))] == []
        page.close()
