"""What a cell changes for all that runs after it is seen."""

import subprocess
import sys

import pytest

PROBE = """
import os, sys, tempfile
os.chdir(tempfile.mkdtemp())
import numpy as np
{first}
from bncourse.grading.sandbox.inside.surroundings import Surroundings
before, folder, stream = Surroundings(), os.getcwd(), sys.stdout
sys.stderr = stream
unchanged = lambda: before.untouched(folder, stream)
assert unchanged()
{cell}
print(unchanged(), file=stream)
"""
CHANGES = {
    "errors": "np.seterr(all='raise')",
    "warnings": "import warnings; warnings.simplefilter('error')",
    "a file": "open('left', 'w').close()",
    "folder": "os.chdir('..')",
    "environment": "os.environ['LEFT'] = '1'",
    "a thread": "import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
    "recursion": "sys.setrecursionlimit(50)",
    "where modules are sought": "sys.path.append('here')",
    "a library's function": "np.mean = lambda *a, **k: 0",
    "a random generator": "np.random.default_rng = lambda seed=None: None",
    "a built-in": "import builtins; builtins.abs = float",
    "a signal": "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN)",
    "an alarm": "import signal; signal.alarm(50)",
    "collection": "import gc; gc.disable()",
    "a stream": "import io; sys.stdout = io.StringIO()",
    "what looks": "np.geterr = None",
}
HARMLESS = {
    "names": "x = np.ones(3); y = x.sum()",
    "printing": "np.set_printoptions(precision=2); print(end='')",
    "seeds": "import random; random.seed(1); np.random.seed(1)",
    "errors for a while": "with np.errstate(all='ignore'): np.log(0.0)",
    "warnings for a while": "import warnings\nwith warnings.catch_warnings(): warnings.simplefilter('ignore')",
    "a library's part": "import numpy.testing; np.testing.assert_equal(1, 1)",
    "a thread that has ended": "import threading; t = threading.Thread(target=int); t.start(); t.join()",
}


def said(cell: str, first: str = "") -> str:
    code = PROBE.format(cell=cell, first=first)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("cell", CHANGES.values(), ids=CHANGES.keys())
def test_what_outlives_a_cell_is_seen(cell: str) -> None:
    assert said(cell) == "False"


@pytest.mark.parametrize("cell", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_outlives_no_cell_is_no_change(cell: str) -> None:
    assert said(cell) == "True"


@pytest.mark.parametrize(
    "cell",
    ["torch.set_default_dtype(torch.float64)", "torch.set_grad_enabled(False)", "torch.set_default_device('meta')"],
)
def test_what_a_cell_sets_for_all_of_pytorch_is_seen(cell: str) -> None:
    assert said(cell, "import torch") == "False"
    assert said("torch.ones(2).sum()", "import torch") == "True"
