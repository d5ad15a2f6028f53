"""Every chapter's question has a picture that asks it."""

import re
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from bncourse.experiments import recorded
from bncourse.plots.questions import gradients, practice, transform, why
from bncourse.plots.style import LEGIBLE, Drawing, smallest_text

EIGHT = np.linspace(-1.0, 1.0, 8)

PICTURES: dict[str, Callable[[], Drawing]] = {
    "transform": transform.transform,
    "convolution": transform.convolution,
    "population_statistics": transform.population_statistics,
    "modes": transform.modes,
    "graph": gradients.graph,
    "vanishing_term": gradients.vanishing_term,
    "closed_form": lambda: gradients.closed_form(EIGHT, EIGHT**2, -EIGHT),
    "invariances": gradients.invariances,
    "checking": lambda: gradients.checking(np.zeros(8), np.zeros(8)),
    "covariate_shift": why.covariate_shift,
    "internal_covariate_shift": why.internal_covariate_shift,
    "whitening": why.whitening,
    "why_it_works": why.why_it_works,
    "training": lambda: practice.training(recorded("figure_one")),
    "regularizer": practice.regularizer,
    "the_batch": practice.the_batch,
    "failure_museum": lambda: practice.failure_museum(recorded("not_iid")),
    "bug_museum": lambda: practice.bug_museum({"program A": EIGHT + 2, "program B": EIGHT + 2.1}),
    "cost": lambda: practice.cost(0.004, 0.02),
    "recurrent": practice.recurrent,
}


@cache
def drawn(chapter: str) -> Drawing:
    return PICTURES[chapter]()


@pytest.mark.parametrize("chapter", PICTURES)
def test_a_question_is_drawn_with_its_question_mark(chapter: str, sound: Callable[..., str]) -> None:
    drawing = drawn(chapter)
    assert "?" in sound(drawing)
    assert "question mark" in drawing.alt or drawing.alt.rstrip(".").endswith(("?", "wrong gradient"))


def test_the_numbers_that_a_question_shows_are_those_of_the_run() -> None:
    result = recorded("not_iid")
    loss = result.values("loss", norm="batch", classes=1).mean()
    assert f"network with batch norm {loss:.2f}" in practice.failure_museum(result).alt
    assert "0.4 percent of the parameters, 2.0 percent of the arithmetic" in practice.cost(0.004, 0.02).alt


@pytest.mark.parametrize("returned, said", [(np.zeros(8), "agree in every entry"), (np.ones(8), "differ")])
def test_the_picture_of_a_gradient_test_says_whether_its_numbers_agree(returned: np.ndarray, said: str) -> None:
    assert said in gradients.checking(np.zeros(8), returned).alt


@pytest.mark.parametrize("chapter", PICTURES)
def test_a_question_is_legible_on_a_phone_without_scrolling(chapter: str) -> None:
    svg = drawn(chapter).svg
    wide = float(re.findall(r'viewBox="0 0 ([\d.]+)', svg)[0])
    narrowest = float(re.findall(r"min-width: (\d+)px", svg)[0])
    assert smallest_text(svg) * narrowest / wide >= LEGIBLE - 0.02
    assert narrowest <= 360
