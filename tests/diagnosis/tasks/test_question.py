"""The beliefs about answers of assignments: each is named on its specimens, and no right answer is named."""

import importlib
import re
import tomllib
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bncourse.diagnosis import beliefs, catalogue
from bncourse.diagnosis.catalogue import TASKS, Belief, known_beliefs, task_beliefs
from bncourse.diagnosis.evidence.answers import Answer, answers
from bncourse.diagnosis.report import Misconception, finding
from bncourse.diagnosis.tasks import name_belief
from bncourse.diagnosis.tasks.question import Question, Slips, Such, same
from bncourse.grading.authoring.masters import load_master

MASTERS = Path(__file__).resolve().parents[3] / "assignments" / "masters"
CLASSES = MASTERS.parent / "classes"
ANSWERS = [(task, answer) for task in TASKS for answer in answers(task)]


def questions(task: str) -> dict[str, Question]:
    return importlib.import_module(f"bncourse.diagnosis.tasks.{task}").QUESTIONS


ALL = [(task, name) for task in TASKS for name in questions(task)]


@cache
def notebook(task: str) -> dict[str, Any]:
    """What the cells of the master bind that define functions alone, with their solutions."""
    names: dict[str, Any] = {}
    for cell in load_master(MASTERS / f"{task}.md").cells:
        if cell.kind in ("given", "answer") and re.match(r"(### BEGIN SOLUTION\n)?(def |class |import )", cell.source):
            exec(re.split(r"\n(?=[a-z]+\(|for |print)", cell.source)[0], names)
    return names


def given_to(task: str, question: Question) -> dict[str, Any]:
    return {name: notebook(task)[name] for name in question.given}


def function_of(task: str, answer: Answer) -> Any:
    names = dict(notebook(task))
    exec(answer.code, names)
    last = [line for line in answer.code.split("\n") if line.startswith("def ")][-1]
    return names[re.match(r"def (\w+)", last).group(1)]


@pytest.mark.parametrize(
    ("task", "answer"), ANSWERS, ids=[f"{a.question}-{a.style}-{a.belief or 'right'}" for _, a in ANSWERS]
)
def test_a_wrong_answer_is_named_and_a_right_one_is_not(task: str, answer: Answer) -> None:
    function, given = function_of(task, answer), given_to(task, questions(task)[answer.question])
    name = f"{task}/{answer.question}"
    if not answer.belief:
        name_belief(name, function, **given)
        return
    with pytest.raises(Misconception) as raised:
        name_belief(name, function, **given)
    assert raised.value.belief == answer.belief
    assert str(raised.value).startswith(task_beliefs()[answer.belief].sentence + "\nRead on: ")


@pytest.mark.parametrize("task", TASKS)
def test_every_belief_has_a_specimen_and_a_third_have_two(task: str) -> None:
    wrong = [answer for answer in answers(task) if answer.belief]
    parts = {part for question in questions(task).values() for part in question.parts}
    expected = {entry.id for entry in task_beliefs().values() if entry.part in parts}
    assert {answer.belief for answer in wrong} == expected
    assert len(expected) >= 25
    twice = {belief for belief in expected if len([one for one in wrong if one.belief == belief]) > 1}
    assert len(twice) >= len(expected) / 3
    assert len({(one.question, one.style) for one in answers(task) if not one.belief}) >= 5


@pytest.mark.parametrize(("task", "name"), ALL)
def test_no_two_beliefs_and_not_the_right_program_give_the_same_numbers(task: str, name: str) -> None:
    question = questions(task)[name]
    given = given_to(task, question)
    cases = list(question.cases(given))
    results = {slip: [question.run(Slips({slip}), given, case) for case in cases] for slip in question.slips()}
    right = [question.run(Slips(), given, case) for case in cases]
    for slip, found in results.items():
        assert all(one is not None for one in found), slip
        assert not any(same(good, one) for good, one in zip(right, found, strict=True)), slip
    plain = {slip: found for slip, found in results.items() if not isinstance(found[0], Such)}
    for first, second in combinations(plain, 2):
        if first.split("/")[0] != second.split("/")[0]:
            assert not all(map(same, plain[first], plain[second])), (first, second)
    for slip, found in results.items():
        if slip not in plain:
            other = {o: f for o, f in plain.items() if all(map(same, f, found))}
            assert not other, slip


def test_ids_of_all_catalogues_differ() -> None:
    assert len(known_beliefs()) == len(beliefs()) + len(task_beliefs())


@pytest.mark.parametrize("belief", task_beliefs().values(), ids=lambda belief: belief.id)
def test_entries_are_whole_and_read_as_sentences(belief: Belief) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", belief.id)
    assert belief.page in catalogue.TITLES
    for clause in (belief.belief, belief.truth):
        assert not clause.endswith(".")
        assert clause[0].islower() or clause.startswith(("(", "Python ", "NumPy "))
    assert belief.hints[0].endswith((".", "?"))
    assert len(finding(belief.id).text(hint=3).splitlines()) == 5


def test_two_slips_at_once_are_both_named() -> None:
    def both(train: Any, test: Any) -> Any:
        return tuple((part - part.mean(axis=0)) / part.std(axis=0, ddof=1) for part in (train, test))

    with pytest.raises(Misconception) as raised:
        name_belief("shift/standardize", both)
    assert raised.value.belief == "standardize-test-by-itself"
    assert "And: Your code believes that the standard deviation is the estimate" in str(raised.value)


def test_nothing_is_said_of_what_no_program_explains_or_of_what_raises() -> None:
    def fails(*_: Any) -> Any:
        raise ValueError

    for function in (fails, lambda *_: None, lambda *_: 3.0, lambda *_: np.zeros(5), None, lambda: 1):
        name_belief("shift/weights", function)


def test_what_fits_the_inputs_of_the_search_alone_is_not_named() -> None:
    """A belief is said only if it also explains the inputs that the search has not used."""
    question = questions("shift")["weights"]
    first = next(question.cases({}))

    def learned(x: Any, *rest: Any) -> Any:
        wrong = Slips({"weights-upside-down"} if np.array_equal(x, first.arguments[0]) else {"weights-share"})
        return question.program(wrong, {}, x, *rest)

    name_belief("shift/weights", learned)


@pytest.mark.parametrize("task", TASKS)
def test_the_wrong_answers_of_the_sample_class_are_named_and_the_right_ones_are_not(task: str) -> None:
    unnamed = []
    for student in tomllib.loads((CLASSES / f"{task}.toml").read_text(encoding="utf-8"))["student"]:
        for answer, code in student.get("answers", {}).items():
            asked = [name for name in questions(task) if name == answer or name.startswith(f"{answer}-")]
            function = function_of(task, Answer(answer, "", "", code)) if asked else None
            given = [(one, given_to(task, questions(task)[one])) for one in asked]
            found = [one for name, more in given for one in questions(task)[name].explain(function, more)]
            if student["status"] == "correct":
                assert not found, (student["id"], found)
            elif asked and not found and "by heart" not in student["story"]:
                unnamed.append(f"{student['id']}: {student['story']}")
    assert unnamed == []
