"""Rows about time, memory, processes and the network."""

from tests.grading.small import FULL, RIGHT, WRONG, hand_in
from tests.grading.vectors import Collection, Pair
from tests.grading.vectors.files import harmless
from tests.grading.vectors.tampering import alter

RESOURCES = Collection("Resources")
row = RESOURCES.row


def in_call(code: str, title: str, **options: object) -> Pair:
    """Code inside of `standardize`: it costs that question, and no other."""
    body = "\n".join(f"    {line}" for line in code.split("\n"))
    made = alter("scale", f"def standardize(x):\n{body}\n    return x", WRONG["scale"], title, points=FULL - 2)
    return Pair(made.trick, made.control, made.title, made.points, **options)


LOOPS = {
    "a loop": "while True:\n    pass",
    "one that swallows KeyboardInterrupt": "while True:\n    try:\n        pass\n    except BaseException:\n        pass",
    "native": "sum(iter(int, 1))",
    "a regular expression": "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
    "an integer": "9 ** 9 ** 9",
}


@row("infinite loop, also one that swallows KeyboardInterrupt, also inside native code")
def loops() -> list[Pair]:
    """In a call a loop costs its question; at the top of a cell it costs only its own statement."""
    pairs = [in_call(code, title, status="timeout") for title, code in LOOPS.items()]
    return [*pairs, *harmless(LOOPS["one that swallows KeyboardInterrupt"])]


SLEEP = "import time\ntime.sleep(1.0)"


@row("sleep just under the limit in many cells", "D")
def sleeps() -> list[Pair]:
    """The time in all is bounded: thirty sleeps of a second are cut off, and what was graded before stays."""
    many = hand_in(added=[("running", SLEEP)] * 30)
    fewer = {name: text for name, text in RIGHT.items() if name not in ("running", "number")}
    return [
        Pair(hand_in(added=[("setup", SLEEP)]), hand_in(), "once", points=FULL),
        Pair(many, hand_in(fewer), "thirty times, before the last two questions", points=FULL - 3, status="timeout"),
    ]


MEMORY = {
    "at once": "np.ones(10**11)",
    "step by step": "kept = []\nwhile True:\n    kept.append(bytearray(2**24))",
    "step by step, swallowed": "kept = []\nwhile True:\n    try:\n        kept.append(bytearray(2**24))\n    except MemoryError:\n        break",
    "a long text": "'x' * 10**11",
}


@row("memory bomb", "D")
def memory() -> list[Pair]:
    pairs = [
        in_call(MEMORY[title], title, status="out of memory") for title in ("at once", "step by step", "a long text")
    ]
    return [
        *pairs,
        in_call(MEMORY["step by step, swallowed"], "swallowed"),
        *harmless("import numpy as np\n" + MEMORY["at once"]),
    ]


FORKS = """\
import os, threading
for _ in range(10_000):
    try:
        os.fork()
        print("LEAK: a process was started")
    except OSError:
        break
threads = []
try:
    for _ in range(10_000):
        threads.append(threading.Thread(target=__import__("time").sleep, args=(600,), daemon=True))
        threads[-1].start()
except RuntimeError:
    pass"""


@row("fork bomb", "D")
def forks() -> list[Pair]:
    return [*harmless("import os\nwhile True:\n    os.fork()"), *harmless(FORKS)]


@row("output flood (50 MB of print made a 200 MB notebook)", "D")
def flood() -> list[Pair]:
    def short(record: object) -> bool:
        return sum(len(output.text) for output in record.outputs) < 100_000  # type: ignore[attr-defined]

    code = "import sys\nfor _ in range(50):\n    print('x' * 2**20)\n    sys.stderr.write('y' * 2**20)"
    pairs = harmless(code)
    inside = RIGHT | {"scale": RIGHT["scale"].replace("    return", "    print('x' * 2**22)\n    return")}
    pairs.append(Pair(hand_in(inside), hand_in(), "in a call", points=FULL))
    return [Pair(p.trick, p.control, p.title, p.points, extra=short) for p in pairs]


CRASHES = {
    "segfault": "import ctypes\nctypes.string_at(0)",
    "abort": "import os\nos.abort()",
    "stack overflow": "import sys\nsys.setrecursionlimit(10**9)\ndef f(*a): return f(*a)\nf(0)",
    "stack overflow in C": "import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6): x = [x]\nrepr(x)",
}


@row("segfault, abort, stack overflow", "N")
def crashes() -> list[Pair]:
    pairs = [in_call(code, title, status="crashed") for title, code in list(CRASHES.items())[:2]]
    pairs += [in_call(code, title) for title, code in list(CRASHES.items())[2:]]
    return [*pairs, *(pair for code in CRASHES.values() for pair in harmless(code))]


DAEMON = """\
import os
try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                pass
        os._exit(0)
    print("LEAK: a process was started")
except OSError:
    pass"""


@row("daemonized child")
def daemons() -> list[Pair]:
    return harmless(DAEMON)


NETWORK = """\
import socket, urllib.request
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(family, kind)
            print("LEAK: a socket", family, kind)
        except OSError:
            pass
try:
    socket.socketpair()
    print("LEAK: a pair of sockets")
except OSError:
    pass
for address in ("http://127.0.0.1:8888", "http://localhost:5432", "http://169.254.169.254", "http://example.org"):
    try:
        urllib.request.urlopen(address, timeout=0.2)
        print("LEAK: could reach", address)
    except OSError:
        pass"""


@row("network and loopback")
def network() -> list[Pair]:
    return harmless(NETWORK)


SIGNALS = """\
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
for number in (1, 2, 4, 5, 6, 7, 8, 9, -9):
    try:
        if number < 0 or number != os.getpid():
            os.kill(number if number > 0 else os.getppid() or 2, signal.SIGKILL)
            print("LEAK: could kill", number)
    except OSError:
        pass
if libc.ptrace(16, 2, 0, 0) != -1 or libc.ptrace(0, 0, 0, 0) != -1:
    print("LEAK: ptrace")
for name, arguments in {{"mount": (b"x", b"/tmp", b"tmpfs", 0, None), "umount2": (b"/tmp", 2), "unshare": (0x10000000,),
                        "setns": (3, 0), "chroot": (b"/tmp",), "bpf": (0, 0, 0), "keyctl": (0, -3, 1)}}.items():
    try:
        if getattr(libc, name)(*arguments) != -1:
            print("LEAK:", name)
    except AttributeError:
        pass
for number in (101, 155, 165, 166, 272, 308, 321, 250, 248, 310, 311, 425, 428, 429, 430, 432, 442, 435, 319, 323):
    if libc.syscall(number, 0, 0, 0, 0, 0, 0) != -1:
        print("LEAK: system call", number)
if os.getuid() == 0 or os.listdir("/proc"):
    print("LEAK: root, or /proc")"""


@row("signals, ptrace, kill of the parent")
def signals() -> list[Pair]:
    return harmless(SIGNALS.replace("{{", "{").replace("}}", "}"))


WINDOWS = """\
name = input("Your name? ")
"""
WINDOWS_2 = """\
import webbrowser, getpass
import tkinter
tkinter.Tk().mainloop()
getpass.getpass()"""


@row("input(), open windows")
def windows() -> list[Pair]:
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show(block=True)"
    return [*harmless(WINDOWS), *harmless(WINDOWS_2), *harmless(plot), in_call("input()", "input in a call")]


@row("result of 10^9 elements, self-containing list")
def results() -> list[Pair]:
    values = {
        "10^9 elements": "np.broadcast_to(np.float64(1), (10**9,))",
        "a long list": "[0.0] * 10**7",
        "self-containing list": "(lambda l: (l.append(l), l)[1])([1.0])",
        "self-containing dict": "(lambda d: (d.update(a=d), d)[1])({})",
        "a deep list": "__import__('functools').reduce(lambda l, _: [l], range(10**4), [])",
        "endless": "__import__('itertools').count()",
        "a huge integer": "1 << 10**8",
        "a long text": "'x' * 10**8",
        "many axes": "np.zeros((1,) * 32)",
        "empty with a huge axis": "np.zeros((2**40, 0))",
    }
    return [in_call(f"return {code}", title) for title, code in values.items()]


@row("harmless warning or any stderr", "Z")
def warnings() -> list[Pair]:
    code = "import sys, warnings\nwarnings.simplefilter('always')\nwarnings.warn('old')\nsys.stderr.write('noise')\nnp.float64(1) / 0"
    inside = RIGHT["scale"].replace(
        "    return", "    import sys, warnings\n    warnings.warn('x')\n    sys.stderr.write('x')\n    return"
    )
    return [*harmless(code), Pair(hand_in(RIGHT | {"scale": inside}), hand_in(), "in a call", points=FULL)]


@row("random results")
def random_results() -> list[Pair]:
    """They are wrong, and wrong in the same way each time: the worker's seeds are fixed."""
    code = "def standardize(x):\n    return np.random.normal(size=x.shape)"
    return [alter("scale", code, WRONG["scale"], points=FULL - 2)]


RESOURCES.run(
    "slow because the neighbours are busy", "Z", "tests/acceptance/test_runs.py::test_busy_neighbors_cost_no_mark"
)
RESOURCES.run(
    "grader killed in the middle", "-", "tests/acceptance/test_kill.py::test_a_killed_run_goes_on_to_the_same_result"
)
