"""What is loaded before the fork: what every submission of an assignment would load itself."""

import dataclasses

import pytest

from bncourse.grading.core import render
from bncourse.grading.core.environment import preloaded
from bncourse.grading.core.records import Master, MasterCell
from bncourse.grading.engine.grader import Grader
from tests.grading.small import MASTER, as_file, cell_of

STEP = """\
import sys
import torch
loaded = "torch._dynamo" in sys.modules
weight = torch.ones(2, requires_grad=True)
weight.sum().backward()
torch.optim.SGD([weight], lr=0.5).step()
there = loaded and weight.tolist() == [0.5, 0.5]"""


def with_optimizer() -> Master:
    """A master whose solution uses an optimizer."""
    answer = MasterCell("step", "answer", f"### BEGIN SOLUTION\n{STEP}\n### END SOLUTION")
    test = MasterCell("test-step", "test", "assert there is True", 1.0)
    return dataclasses.replace(MASTER, cells=(answer, test), imports=("torch",), metadata={"digest": "optimizer"})


def test_matplotlib_is_loaded_where_a_cell_draws_and_pytorch_where_the_master_says_so() -> None:
    assert preloaded(MASTER, "x = 1") == ("numpy",)
    assert preloaded(MASTER, "plt.plot(x)") == ("numpy", "matplotlib.pyplot")
    assert preloaded(dataclasses.replace(MASTER, imports=("torch",)), "torch.optim") == ("numpy", "torch")


@pytest.mark.sandbox
def test_what_an_optimizer_loads_is_there_for_all_forks() -> None:
    master = with_optimizer()
    made = render.release_notebook(master)
    cell_of(made, "step")["source"] = STEP
    with Grader(jobs=1, cache=False) as grader:
        grader.prepare(master)
        assert grader.grade(master, "x", as_file(made)).score == 1
