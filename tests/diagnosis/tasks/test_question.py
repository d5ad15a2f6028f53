"""The beliefs about answers of assignments: each is named on its specimens, and no right answer is named."""

import ast
import importlib
import re
import tomllib
from functools import cache, partial
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


TRANSFORM = {"forward", "backward"}
"""Most answers of these are named by the diagnosis of batch normalization itself, which has more than 150 beliefs."""
MADE_OF = {"after": "BatchNorm"}
"""The class of which a given cell makes what a test hands over."""


@cache
def notebook(task: str) -> dict[str, Any]:
    """What the cells of the master bind that define functions alone, with their solutions; networks are small."""
    names: dict[str, Any] = {"np": np}
    kinds = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Try
    for cell in load_master(MASTERS / f"{task}.md").cells:
        if cell.kind in ("given", "answer"):
            body = ast.parse(cell.source).body
            kept = [node for node in body if isinstance(node, kinds)]
            if cell.grade_id != "mend":
                exec(compile(ast.Module(kept, []), cell.grade_id, "exec"), names)
    if "start" in names:
        names["start"] = partial(names["start"], widths=(64, 6, 10))
    return names


@cache
def asked(task: str) -> dict[str, str]:
    """The function that each question is asked about, as the tests in the master call `name_belief`."""
    text = (MASTERS / f"{task}.md").read_text(encoding="utf-8")
    return dict(re.findall(rf'name_belief\("{task}/([\w-]+)", (\w+)', text))


@cache
def asked_always(task: str) -> set[str]:
    """The questions that a test asks of every answer, and not only where its numbers are wrong."""
    text = (MASTERS / f"{task}.md").read_text(encoding="utf-8")
    return set(re.findall(rf'^name_belief\("{task}/([\w-]+)"', text, re.MULTILINE))


def given_to(task: str, name: str, code: str = "") -> dict[str, Any]:
    """What a question's programs are given, of a notebook with this answer in it."""
    names = with_answer(task, code)
    return {one: names[one] for one in questions(task)[name].given}


def with_answer(task: str, code: str) -> dict[str, Any]:
    names = dict(notebook(task))
    exec(code, names)
    if task == "pytorch":  # what a given cell below the answer makes of it
        names["after"] = partial(names["run_module"], names["BatchNorm"])
        names["tensor"] = names["torch"].from_numpy
    return names


def function_of(task: str, name: str, code: str) -> Any:
    return with_answer(task, code)[asked(task)[name]]


@pytest.mark.parametrize(
    ("task", "answer"), ANSWERS, ids=[f"{a.question}-{a.style}-{a.belief or 'right'}" for _, a in ANSWERS]
)
def test_a_wrong_answer_is_named_and_a_right_one_is_not(task: str, answer: Answer) -> None:
    function = function_of(task, answer.question, answer.code)
    given = given_to(task, answer.question, answer.code)
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
    assert len(expected) >= (7 * len(questions(task)) if task in TRANSFORM else 25)
    twice = {belief for belief in expected if len([one for one in wrong if one.belief == belief]) > 1}
    assert len(twice) >= len(expected) / 3
    assert len({(one.question, one.style) for one in answers(task) if not one.belief}) > len(questions(task))


@pytest.mark.parametrize(("task", "name"), ALL)
def test_no_two_beliefs_and_not_the_right_program_give_the_same_numbers(task: str, name: str) -> None:
    question = questions(task)[name]
    given = given_to(task, name) | {"kept": {}}
    cases = list(question.cases(given))
    results = {slip: [question.run(Slips({slip}), given, case) for case in cases] for slip in question.slips()}
    right = [question.run(Slips(), given, case) for case in cases]
    for slip, found in results.items():
        assert all(one is not None for one in found), slip
    results = {slip: [one or [] for one in found] for slip, found in results.items()}
    right = [one or [] for one in right]
    for slip, found in results.items():
        assert not any(same(good, one) for good, one in zip(right, found, strict=True)), slip
    plain = {slip: found for slip, found in results.items() if not isinstance(found[0][0], Such)}
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
        wrong = Slips({"weights-upside-down"} if np.array_equal(x, first[0].arguments[0]) else {"weights-share"})
        return question.program(wrong, {}, x, *rest)

    name_belief("shift/weights", learned)


@pytest.mark.parametrize("task", TASKS)
def test_the_wrong_answers_of_the_sample_class_are_named_and_the_right_ones_are_not(task: str) -> None:
    unnamed = []
    for student in tomllib.loads((CLASSES / f"{task}.toml").read_text(encoding="utf-8"))["student"]:
        written = student.get("answers", {})
        runs = not any(word in student["story"] for word in ("bracket open", "endless loop"))
        for code in written.values() if runs else ():
            before = "\n".join(written.values()) if task == "pytorch" else code  # a module calls the function's helpers
            for name, function in asked(task).items():
                if f"def {function}(" not in code and f"class {MADE_OF.get(function, function)}(" not in code:
                    continue
                question = questions(task)[name]
                found = question.explain(function_of(task, name, before), given_to(task, name, before))
                if f"test-{name}" not in student.get("lost", {}):
                    assert not found or name not in asked_always(task), (student["id"], found)
                elif not found and "by heart" not in student["story"]:
                    unnamed.append(f"{student['id']}: {student['story']}")
    assert unnamed == []
