import re
from pathlib import Path

import pytest

from bncourse.diagnosis import beliefs, catalogue
from bncourse.diagnosis.catalogue import Belief, chapter_link, known_beliefs, task_beliefs
from bncourse.diagnosis.evidence.specimens import OTHERS, SPECIMENS

BELIEFS = beliefs()
PARTS = ["forward", "dx", "dgamma", "dbeta", "stages", "inference", "inference_backward", "running", "conv", "any"]
HERE = Path(__file__).resolve().parent
BOOK = HERE.parents[1] / "book"
NOISE = re.compile(
    r"bncourse\.(?!diagnosis|numpy_bn|torch_bn)\w|<locals>|<lambda>|0x[0-9a-f]{6}|/tmp/|/home/|site-packages|__main__"
    r"|\b(?:Remote\w*|Proxy|Posing|Kept\w+|NoArray|StudentError|Misconception|MasterCell|Turned|EngineError|Slip)\b"
)
"""Inner names, and what Python shows of an object that says nothing of itself."""


OF_LAYERS = {
    *("running-in-training", "inference-moves-statistics", "modes-exchanged", "batch-before-kept"),
    *("momentum-of-another-formula", "tensors-not-parameters", "running-graph-kept", "gradient-not-accumulated"),
    *("conv-gamma-on-columns", "running-correction-stored", "running-start-corrected-once", "running-count-ahead"),
}
"""Seen only where a file has a state, an engine or a value of its own; tests in `conventions/` hold them."""


def test_every_belief_has_a_specimen_and_every_specimen_a_belief() -> None:
    assert {specimen.belief for specimen in (*SPECIMENS, *OTHERS)} == set(BELIEFS) - OF_LAYERS


def test_specimens_have_names_of_their_own_within_a_belief() -> None:
    named = [(specimen.belief, specimen.name) for specimen in SPECIMENS]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("belief", BELIEFS.values(), ids=lambda belief: belief.id)
def test_entries_are_whole_and_read_as_sentences(belief: Belief) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", belief.id)
    assert belief.part in PARTS
    assert belief.page in catalogue.TITLES
    for clause in (belief.belief, belief.truth):
        assert not clause.endswith(".")
        assert clause[0].islower()
    for sentence in (belief.symptom, *belief.hints):
        assert sentence.endswith((".", "?"))
        assert sentence[0].isupper() or sentence.startswith(("dx ", "dgamma ", "dbeta ", "y "))
    assert len(set(belief.hints)) == 3


@pytest.mark.parametrize("belief", BELIEFS.values(), ids=lambda belief: belief.id)
def test_beliefs_and_hints_hold_no_measured_number(belief: Belief) -> None:
    text = " ".join((belief.belief, *belief.hints))
    for harmless in ("float32", "float64", "1e-5", "1e-7", "ddof=0", "ddof=1", "axis 0", "axis 1", "axes 0, 2 and 3"):
        text = text.replace(harmless, "")
    numbers = re.findall(r"\d+(?:\.\d+)?", text)
    assert set(numbers) <= {"0", "1", "2"}, numbers


@pytest.mark.parametrize(
    "slip",
    [
        # every row of what goes wrong in public homework, under its id here
        "eps-ignored",
        "eps-hard-coded",
        "eps-subtracted",
        "backward-eps-ignored",
        "eps-outside-root",
        "closed-form-of-another-forward",
        "running-std-stored",
        "inference-running-var-is-std",
        "running-eps-stored",
        "running-not-updated",
        "running-overwritten",
        "running-counted-twice",
        "running-first-batch-taken-over",
        "inference-without-affine",
        "inference-precedence",
        "conv-reshape",
        "conv-axes-not-restored",
        "conv-channels-last",
        "conv-per-pixel",
        "conv-channels-shared",
        "batch-sum-missing",
        "summed-too-early",
        "statistics-detached",
        "scalar-statistics",
        "backward-total-sum",
        "conv-count",
        "mean-path-sum",
        "cache-order",
        "gamma-missing",
        "gamma-one-plus",
        "gamma-pulled-out",
        "affine-order",
        "x-for-x-hat",
        "layer-norm",
        # and what lecturers expect
        "variance-path-missing",
        "mean-path-missing",
        "variance-unbiased",
        "momentum-swapped",
        "dgamma-with-x",
    ],
)
def test_known_slips_are_in_the_catalogue(slip: str) -> None:
    assert slip in BELIEFS


@pytest.mark.parametrize("page", catalogue.TITLES)
def test_links_name_a_page_of_the_book_by_its_own_title(page: str) -> None:
    text = (BOOK / f"{page}.md").read_text(encoding="utf-8")
    assert f"\n# {catalogue.TITLES[page]}\n" in text


def test_links_name_the_chapter_until_the_book_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chapter_link("gradients/vanishing_term") == 'chapter "The vanishing term" (book/gradients/vanishing_term)'
    monkeypatch.setattr(catalogue, "BOOK_URL", "https://example.org/book/")
    assert chapter_link("gradients/vanishing_term") == "https://example.org/book/gradients/vanishing_term.html"


@pytest.mark.parametrize("name", ["messages.txt", "messages_elsewhere.txt"])
def test_no_recorded_message_has_noise_in_it(name: str) -> None:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if NOISE.search(line)] == []


def test_no_sentence_of_the_catalogue_has_noise_in_it() -> None:
    entries = [*known_beliefs().values(), *task_beliefs().values()]
    assert len(entries) > 150
    assert [entry.id for entry in entries if NOISE.search(str(vars(entry)))] == []


@pytest.mark.parametrize(
    "noise",
    ["<bncourse.grading.oracle at 0x7f1c022b6d10>", "f.<locals>.g", "<function <lambda>>", "a Remote", "/tmp/x"],
)
def test_noise_is_known(noise: str) -> None:
    assert NOISE.search(noise)
