import json

import pytest
from nbgrader.api import Gradebook

from bncourse.grading.authoring.course import Course, CourseError
from bncourse.grading.gradebook.by_hand import ChangedMeanwhileError, give
from bncourse.grading.gradebook.marks import marks_of
from bncourse.grading.marking import questions as marked
from bncourse.grading.marking.questions import Answers, questions_of
from bncourse.grading.sandbox import limited_process
from bncourse.grading.workflows.roster import set_dropped
from tests.grading.odd_text import ENDINGS, LIMITS, MARK, spoiled

from .conftest import HandIn, enter, groups_now

NAME = "answer-probes"


def test_a_question_says_what_is_asked_and_the_rubric_what_is_right(course: Course) -> None:
    questions = {question.name: question for question in questions_of(course.master("backward"))}
    assert list(questions) == ["answer-sums", "proof", "answer-constant", "answer-frozen", NAME, "answer-places"]
    proof = questions["proof"]
    assert "**Rubric.**" in proof.rubric and "Rubric" not in proof.asked and "SOLUTION" not in proof.asked
    assert "**Explain.**" in questions[NAME].asked


def test_the_levels_are_those_of_the_rubric(course: Course) -> None:
    levels = {question.name: question.levels for question in questions_of(course.master("backward"))}
    assert levels["answer-places"] == (0.5, 0.25, 0.0)
    assert levels["proof"][0] == 4.0 and levels["proof"][-1] == 0.0


def test_equal_answers_stand_together_whatever_their_white_space(course: Course, hand_in: HandIn) -> None:
    for student, text in {"ann": "a  b\n", "ben": "a b", "cem": "A b", "dan": "a\nb"}.items():
        hand_in(student, {NAME: text})
    groups = groups_now(course, NAME)
    assert [sorted(group.marks) for group in groups] == [["ann", "ben", "dan"], ["cem"]]


def test_the_order_does_not_follow_the_names(course: Course, hand_in: HandIn) -> None:
    texts = ["one long answer", "short", "an answer of another length"]
    for student, text in zip("abc", texts, strict=True):
        hand_in(student, {NAME: text})
    groups = groups_now(course, NAME)
    assert [group.texts[0].source for group in groups] == sorted(texts, key=len)
    assert not {"a", "b", "c"} & {group.key for group in groups}


def test_an_answer_that_stands_in_a_cell_beside_is_shown(course: Course, hand_in: HandIn) -> None:
    hand_in("ann", {}, behind={NAME: "My answer stands here."})
    (group,) = groups_now(course, NAME)
    assert [text.source for text in group.texts] == ["My answer stands here."]


def test_empty_answers_and_unreadable_files_are_counted_apart(course: Course, hand_in: HandIn) -> None:
    hand_in("ann", {NAME: "Something."})
    hand_in("ben", {})
    path = course.notebook("submitted", "backward", "cem")
    path.parent.mkdir(parents=True)
    path.write_text("no notebook")
    enter(course, "cem")
    with Answers(course, "backward") as answers:
        done = answers.now()[NAME].progress
    assert (done.answered, done.marked, done.empty, done.unreadable) == (1, 0, 1, 1)


def test_those_who_have_left_are_not_marked(course: Course, hand_in: HandIn) -> None:
    hand_in("ann", {NAME: "x"})
    hand_in("ben", {NAME: "x"})
    set_dropped(course, ["ben"], dropped=True)
    (group,) = groups_now(course, NAME)
    assert list(group.marks) == ["ann"]


def test_nbgrader_shows_a_mark_and_its_comment(course: Course, hand_in: HandIn) -> None:
    hand_in("ann", {NAME: "x"})
    (group,) = groups_now(course, NAME)
    give(course, "backward", NAME, group.marks, 0.5, "Say *why*.")
    with Gradebook(course.db_url, "bncourse") as gradebook:
        grade = gradebook.find_grade(NAME, "backward", "backward", "ann")
        assert (grade.manual_score, grade.score, grade.needs_manual_grade) == (0.5, 0.5, False)
        assert gradebook.find_comment(NAME, "backward", "backward", "ann").comment == "Say *why*."
    assert marks_of(course, "backward")["ann"].cells[NAME].points == 0.5


def test_a_mark_stays_as_long_as_the_answer_does(course: Course, hand_in: HandIn) -> None:
    hand_in("ann", {NAME: "x"})
    with Answers(course, "backward") as answers:
        give(course, "backward", NAME, answers.now()[NAME].groups[0].marks, 0.5, "")
        hand_in("ann", {NAME: "x", "proof": "new"})
        assert answers.now()[NAME].groups[0].state == "marked"
        hand_in("ann", {NAME: "y"})
        (group,) = answers.now()[NAME].groups
    assert (group.state, group.texts[0].source, group.marks["ann"].points) == ("look again", "y", 0.5)


def test_what_was_changed_meanwhile_is_not_overwritten(course: Course, hand_in: HandIn) -> None:
    hand_in("ann", {NAME: "x"})
    hand_in("ben", {NAME: "x"})
    (seen,) = groups_now(course, NAME)
    with Gradebook(course.db_url, "bncourse") as gradebook:
        gradebook.find_grade(NAME, "backward", "backward", "ben").manual_score = 0.75
        gradebook.db.commit()
    with pytest.raises(ChangedMeanwhileError):
        give(course, "backward", NAME, seen.marks, 0.0, "")
    marks = marks_of(course, "backward")
    assert (marks["ann"].cells[NAME].waits, marks["ben"].cells[NAME].points) == (True, 0.75)


@pytest.mark.parametrize("points", [-0.25, 1.25, float("nan"), float("inf")])
def test_points_outside_of_the_question_are_refused(course: Course, hand_in: HandIn, points: float) -> None:
    hand_in("ann", {NAME: "x"})
    (group,) = groups_now(course, NAME)
    with pytest.raises(ValueError, match="Expected 0 to 1"):
        give(course, "backward", NAME, group.marks, points, "")


def test_a_mark_can_be_taken_back(course: Course, hand_in: HandIn) -> None:
    hand_in("ann", {NAME: "x"})
    give(course, "backward", NAME, groups_now(course, NAME)[0].marks, 1.0, "")
    give(course, "backward", NAME, groups_now(course, NAME)[0].marks, None, "")
    assert groups_now(course, NAME)[0].state == "waits"


def test_without_a_graded_class_it_is_said_what_to_type(course: Course) -> None:
    with pytest.raises(CourseError, match="bncourse grade backward"):
        Answers(course, "backward")


def test_a_notebook_that_is_gone_is_named(course: Course, hand_in: HandIn) -> None:
    hand_in("ann", {NAME: "x"})
    course.notebook("autograded", "backward", "ann").write_text(json.dumps([])[:1])
    with pytest.raises(CourseError, match="bncourse grade backward"):
        groups_now(course, NAME)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_notebook_that_cannot_be_read_is_marked_apart_from_all_others(
    course: Course, hand_in: HandIn, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(limited_process.LimitedProcess.__init__, "__kwdefaults__", LIMITS)
    for student, text in {"ann": MARK, "ben": MARK, "cem": "Because."}.items():
        hand_in(student, {NAME: text})
    monkeypatch.setattr(marked, "answer_texts", spoiled(marked.answer_texts, ending))
    groups = groups_now(course, NAME)
    assert sorted(sorted(group.marks) for group in groups) == [["ann"], ["ben"], ["cem"]]
    shown = {next(iter(group.marks)): group.texts[0].source for group in groups}
    assert shown["cem"] == "Because." and ENDINGS[ending][1] in shown["ann"]
