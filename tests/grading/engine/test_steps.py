"""The steps of a pass stand in the notebook's order, whatever the student added or wrote elsewhere."""

from bncourse.grading.engine.steps import AGAIN, plain, steps_of
from bncourse.grading.submissions.submission import submission_of
from tests.grading.small import MASTER, hand_in

RUN = ("given", "answer", "test")


def test_the_cells_of_the_master_run_in_its_order_with_what_it_gives() -> None:
    steps = steps_of(MASTER, submission_of(MASTER, "x", hand_in()).reading, frozenset())
    assert [step["cell"] for step in steps] == [cell.grade_id for cell in MASTER.cells if cell.kind in RUN]
    binds = {step["cell"]: step["binds"] for step in steps if step["do"] == "answer"}
    assert binds == {name: sorted(MASTER.binds[name]) for name in binds} and binds
    assert all("source" not in step for step in steps if step["do"] == "test")


def test_a_cell_of_the_students_own_runs_behind_the_cell_that_it_stands_behind() -> None:
    reading = submission_of(MASTER, "x", hand_in(added=[("forward", "%time b = 2"), ("forward", "a = 1")])).reading
    steps = steps_of(MASTER, reading, frozenset())
    names = [step["cell"] for step in steps]
    at = names.index("forward")
    assert names[at + 1 : at + 3] == ["after:forward:1", "after:forward:2"]
    assert steps[at + 1]["source"] == "a = 1"
    assert steps[at + 2]["source"] == plain(reading, "%time b = 2")
    assert not any(name.startswith(AGAIN) for name in names)


def test_a_test_that_is_about_stubs_alone_is_told_what_they_bind() -> None:
    reading = submission_of(MASTER, "x", hand_in()).reading
    steps = {step["cell"]: step for step in steps_of(MASTER, reading, {"scale", "forward"})}
    assert [name for name, step in steps.items() if step.get("stub")] == ["forward", "scale"]
    told = {name: step["stubs"] for name, step in steps.items() if step.get("stubs")}
    assert told == {"test-forward": {"forward": ["batch_norm_forward"]}, "test-scale": {"scale": ["standardize"]}}
