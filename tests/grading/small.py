"""A small assignment for the acceptance suite: one question for every way in which a value can cross the border."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bncourse.grading.core import render
from bncourse.grading.core.records import Master, MasterCell

SETUP = "import numpy as np"

FORWARD = """\
def batch_norm_forward(x, gamma, beta, *, eps=1e-5):
    ### BEGIN SOLUTION
    mean, var = x.mean(axis=0), x.var(axis=0)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    y = gamma * x_hat + beta
    cache = (x_hat, inv_std, gamma)
    ### END SOLUTION
    return y, cache"""

TEST_FORWARD = """\
from bncourse.diagnosis.checks import check_forward

check_forward(batch_norm_forward)
### BEGIN HIDDEN TESTS
check_forward(batch_norm_forward, seed=71)
### END HIDDEN TESTS"""

BACKWARD = """\
def batch_norm_backward(dy, cache):
    ### BEGIN SOLUTION
    x_hat, inv_std, gamma = cache
    dbeta = dy.sum(axis=0)
    dgamma = (dy * x_hat).sum(axis=0)
    dx = gamma * inv_std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    ### END SOLUTION
    return dx, dgamma, dbeta"""

TEST_BACKWARD = """\
from bncourse.diagnosis.checks import check_backward, check_laws

check_laws(batch_norm_forward, batch_norm_backward)
### BEGIN HIDDEN TESTS
for secret in (72, 73, 74):
    check_backward(batch_norm_forward, batch_norm_backward, seed=secret)
### END HIDDEN TESTS"""

SCALE = """\
def standardize(x):
    ### BEGIN SOLUTION
    return (x - x.mean()) / x.std()
    ### END SOLUTION"""

TEST_SCALE = """\
public = np.array([1.0, 3.0])
assert np.asarray(standardize(public)).shape == (2,), "standardize must keep the shape."
np.testing.assert_allclose(standardize(public), [-1.0, 1.0], rtol=0, atol=1e-12)
### BEGIN HIDDEN TESTS
private = np.array([2.0, 4.0, 9.0, 12.0])
wanted = (private - private.mean()) / private.std()
np.testing.assert_allclose(standardize(private), wanted, rtol=0, atol=1e-12)
assert np.all(np.abs(np.asarray(standardize(private)) - wanted) < 1e-12), "standardize is wrong for a hidden batch."
### END HIDDEN TESTS"""

RUNNING = '''\
class Running:
    """A running mean."""

    ### BEGIN SOLUTION
    def __init__(self, momentum):
        self.momentum, self.mean, self.seen = momentum, 0.0, 0

    def update(self, x):
        self.mean = (1 - self.momentum) * self.mean + self.momentum * float(np.mean(x))
        self.seen += 1
        return self
    ### END SOLUTION'''

TEST_RUNNING = """\
running = Running(0.5)
running.update(np.array([2.0, 4.0])).update(np.array([6.0]))
assert isinstance(running, Running), "Running(...) must make a Running."
assert abs(running.mean - 3.75) < 1e-12, "Two updates with momentum 0.5 do not give the running mean."
### BEGIN HIDDEN TESTS
other = Running(0.25)
for value in (1.0, 5.0, 9.0):
    other.update(np.array([value]))
assert other.seen == 3 and abs(other.mean - 3.328125) < 1e-12, "Three updates with another momentum are wrong."
### END HIDDEN TESTS"""

NUMBER = """\
### BEGIN SOLUTION
values_per_channel = 8 * 5 * 5
### END SOLUTION"""

TEST_NUMBER = "assert values_per_channel == 200"

MASTER = Master(
    assignment="small",
    title="A small assignment",
    cells=(
        MasterCell("title", "text", "# A small assignment", 0.0, "markdown"),
        MasterCell("setup", "given", SETUP),
        MasterCell("forward", "answer", FORWARD),
        MasterCell("test-forward", "test", TEST_FORWARD, 3.0),
        MasterCell("backward", "answer", BACKWARD),
        MasterCell("test-backward", "test", TEST_BACKWARD, 4.0),
        MasterCell("scale", "answer", SCALE),
        MasterCell("test-scale", "test", TEST_SCALE, 2.0),
        MasterCell("running", "answer", RUNNING),
        MasterCell("test-running", "test", TEST_RUNNING, 2.0),
        MasterCell("number", "answer", NUMBER),
        MasterCell("test-number", "test", TEST_NUMBER, 1.0),
        MasterCell("explain", "written", "### BEGIN SOLUTION\nBecause.\n### END SOLUTION", 2.0, "markdown"),
    ),
    imports=("numpy",),
    seconds_per_test=1.5,
    seconds_in_all=8.0,
    metadata={"digest": "small"},
)

PATIENT = replace(MASTER, seconds_per_test=60.0, seconds_in_all=600.0)
"""The same for whatever ends by itself: so a busy machine decides nothing."""

FULL = 12.0
"""Points that the test cells give."""


def _solution(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if "SOLUTION" not in line)


RIGHT = {cell.grade_id: _solution(cell.source) for cell in MASTER.cells if cell.kind in ("answer", "written")}

WRONG_SCALE = "def standardize(x):\n    return x - x.mean()"
WRONG_BACKWARD = RIGHT["backward"].replace(" - x_hat * (dy * x_hat).mean(axis=0)", "")
WRONG_FORWARD = RIGHT["forward"].replace("np.sqrt(var + eps)", "(np.sqrt(var) + eps)")
WRONG_RUNNING = RIGHT["running"].replace("(1 - self.momentum) * self.mean + self.momentum", "self.momentum")
WRONG = RIGHT | {
    "forward": WRONG_FORWARD,
    "backward": WRONG_BACKWARD,
    "scale": WRONG_SCALE,
    "running": WRONG_RUNNING,
    "number": "values_per_channel = 8",
}
"""Every answer wrong: 0 points without a trick."""

Notebook = dict[str, Any]


def notebook(
    answers: Mapping[str, str] = RIGHT,
    *,
    first: str = "",
    added: Sequence[tuple[str, str]] = (),
    change: Callable[[Notebook], Any] | None = None,
) -> Notebook:
    """The released notebook with answers filled in.

    Parameters
    ----------
    answers : mapping
        Text by grade_id; what is left out stays as released.
    first : str
        Code of a cell that the student put before all others.
    added : sequence of (grade_id, code)
        Cells that the student put after a cell.
    change : callable, optional
        Changes the notebook in place.
    """
    made = copy.deepcopy(render.release_notebook(MASTER))
    for cell in made["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    for number, (after, source) in enumerate(added):
        at = [cell["id"] for cell in made["cells"]].index(after)
        made["cells"].insert(at + 1, code_cell(source, f"added-{number}"))
    if first:
        made["cells"].insert(0, code_cell(first, "first"))
    if change is not None:
        change(made)
    return made


def code_cell(source: str, name: str) -> dict[str, Any]:
    """A code cell as a student adds it."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {},
        "outputs": [],
        "source": source,
    }


def cell_of(made: Notebook, name: str) -> dict[str, Any]:
    """The cell of a notebook that has this id."""
    return next(cell for cell in made["cells"] if cell["id"] == name)


def as_file(made: Notebook) -> bytes:
    """A notebook as a file."""
    return json.dumps(made).encode()


def hand_in(answers: Mapping[str, str] = RIGHT, **options: Any) -> bytes:
    """The file of `notebook` with the same options."""
    return as_file(notebook(answers, **options))
