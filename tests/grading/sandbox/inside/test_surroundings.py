"""What a cell changes for all that runs after it is seen."""

import json
import subprocess
import sys

PROBE = """
import json, os, sys, tempfile
import numpy as np
{first}
from bncourse.grading.sandbox.inside.surroundings import Surroundings
os.chdir(tempfile.mkdtemp())
before, folder, stream = Surroundings(), os.getcwd(), sys.stdout
sys.stderr = stream
unchanged = lambda: before.untouched(folder, stream)
for name, cell in json.loads({cells!r}).items():
    child = os.fork()
    if not child:  # each cell finds what it would find first of all
        assert unchanged()
        exec(cell)
        print(json.dumps([name, unchanged()]), file=stream, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    for left in os.listdir(folder):
        os.unlink(os.path.join(folder, left))
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


PYTORCH = {
    "precision": "torch.set_default_dtype(torch.float64)",
    "gradients": "torch.set_grad_enabled(False)",
    "device": "torch.set_default_device('meta')",
}


def untouched(cells: dict[str, str], first: str = "") -> dict[str, bool]:
    """Whether all is as it was after each of these cells, each in a process of its own."""
    code = PROBE.format(cells=json.dumps(cells), first=first)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return dict(json.loads(line) for line in done.stdout.splitlines())


def test_what_outlives_a_cell_is_seen() -> None:
    assert untouched(CHANGES) == dict.fromkeys(CHANGES, False)


def test_what_outlives_no_cell_is_no_change() -> None:
    assert untouched(HARMLESS) == dict.fromkeys(HARMLESS, True)


def test_what_a_cell_sets_for_all_of_pytorch_is_seen() -> None:
    harmless = {"a sum": "torch.ones(2).sum()"}
    assert untouched(PYTORCH | harmless, "import torch") == dict.fromkeys(PYTORCH, False) | {"a sum": True}
