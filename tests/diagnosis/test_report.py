import re
from pathlib import Path

import pytest

from bncourse.diagnosis import Misconception, Report, beliefs, diagnose
from bncourse.diagnosis.evidence.correct_programs import RIGHT
from bncourse.diagnosis.evidence.specimens import OTHERS, SPECIMENS, Specimen
from bncourse.diagnosis.experiments import EXPERIMENTS
from bncourse.diagnosis.report import UNKNOWN, finding, unknown

RECORDED = (Path(__file__).parent / "messages.txt").read_text(encoding="utf-8")
"""What a student reads for every belief, with all hints; a change of wording is a change of this file."""

ELSEWHERE = (Path(__file__).parent / "messages_elsewhere.txt").read_text(encoding="utf-8")
"""The same for the other normalizations."""

TO_TRY = {one.text for one in EXPERIMENTS.values()}
TO_TRY |= {maps.text for one in EXPERIMENTS.values() if (maps := one.made_for("batch", maps=True)) is not None}


def recorded_messages(text: str = RECORDED) -> dict[str, str]:
    blocks = re.split(r"^== ", text, flags=re.MULTILINE)[1:]
    return {name: text.rstrip("\n") for name, text in (block.split("\n", 1) for block in blocks)}


@pytest.mark.parametrize("belief", [*beliefs()])
def test_the_full_text_for_every_belief_is_the_recorded_one(belief: str) -> None:
    assert finding(belief).text(hint=3) == recorded_messages()[belief]


@pytest.mark.parametrize("part", [*UNKNOWN, "dx"])
def test_the_full_text_for_unknown_mistakes_is_the_recorded_one(part: str) -> None:
    assert unknown(part).text(hint=3) == recorded_messages()[f"unknown {part}"]


def test_the_full_text_for_other_normalizations_is_the_recorded_one() -> None:
    pairs = {(one.belief, one.rules.kind) for one in OTHERS if one.rules.kind != "batch"}
    said = {f"{belief} {kind}": finding(belief, kind=kind).text(hint=3) for belief, kind in pairs}
    assert said == recorded_messages(ELSEWHERE)


def test_nothing_is_recorded_that_no_student_can_see() -> None:
    assert set(recorded_messages()) == {*beliefs(), *(f"unknown {part}" for part in (*UNKNOWN, "dx"))}


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: f"{specimen.belief}:{specimen.name}")
def test_what_is_said_of_a_program_holds_no_number_of_the_probe(specimen: Specimen) -> None:
    recorded = recorded_messages()
    for found in specimen.diagnose(seed=3).findings:
        for level in range(4):
            lines = found.text(hint=level).splitlines()
            said = [line for line in lines if not line.startswith("Your function raised ")]
            known = recorded[found.belief or f"unknown {found.part}"]
            for line in said:
                plain = re.sub(r" It shows in \w+\.$", "", line)
                assert plain in known or plain == found.remark or line in TO_TRY


def test_three_lines_stand_before_the_hints_the_belief_how_to_see_it_and_where_to_read() -> None:
    found = finding("eps-outside-root")
    for level in range(4):
        lines = found.text(hint=level).splitlines()
        assert len(lines) == 3 + level
        assert lines[0] == "Your code believes that eps is added to the standard deviation."
        assert lines[1].startswith("Try it: x, one = np.random.randn(6, 3), np.ones(3); print(forward(x, one, ")
        assert lines[2] == 'Read on: chapter "The transform" (book/transform/transform)'


@pytest.mark.parametrize("belief", [*beliefs()])
def test_at_most_three_lines_stand_before_the_hints(belief: str) -> None:
    assert len(finding(belief).text(hint=0).splitlines()) <= 3


def test_a_misconception_carries_belief_part_and_hints() -> None:
    raised = finding("dbeta-mean").misconception(hint=2)
    assert isinstance(raised, Misconception)
    assert isinstance(raised, AssertionError)
    assert (raised.belief, raised.part, len(raised.hints)) == ("dbeta-mean", "dbeta", 3)


def test_a_part_other_than_the_beliefs_own_is_named() -> None:
    assert finding("not-finite", "dgamma").message.endswith("can go wrong. It shows in dgamma.")


def test_a_right_report_says_so() -> None:
    report = diagnose(RIGHT[0].forward, RIGHT[0].backward)
    assert report.correct
    assert report.beliefs == ()
    assert str(report) == "Right: nothing to report."


def test_harmless_oddities_become_notes_and_not_findings() -> None:
    staged = next(one for one in RIGHT if one.name.startswith("staged graph"))
    report = diagnose(staged.forward, staged.backward)
    assert report.correct
    assert any("dgamma has shape (1, " in note for note in report.notes)


def test_a_report_is_readable_in_a_terminal() -> None:
    report = Report((finding("dx-flipped"), finding("dbeta-mean")), ("A note.",))
    lines = str(report).splitlines()
    assert lines[:4] == ["2 things to fix:", "", "1. dx", "   Your code believes that the gradient points downhill."]
    assert lines[4].startswith("   Try it: x, dy = np.random.randn(2, 6, 3); ")
    assert lines[5] == '   Read on: chapter "The closed form and the projection" (book/gradients/closed_form)'
    assert lines[6] == "   Moving x a little along dx must make the loss larger."
    assert lines[9:11] == ["2. dbeta", "   Your code believes that beta's gradient is a mean over the batch."]
    assert lines[-1] == "Note: A note."
