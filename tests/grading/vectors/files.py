"""Rows about files and imports."""

from pathlib import Path

import bncourse
from tests.grading.small import FULL, RIGHT, WRONG, hand_in
from tests.grading.vectors import Collection, Pair

FILES = Collection("Files and imports")
row = FILES.row
PACKAGE = Path(bncourse.__file__).parent

SEARCH = """\
import os, sys
found = []
for folder, _, names in os.walk("/"):
    if folder.startswith(("/site/", "/python/", "/usr/lib/")):
        continue
    for name in names:
        if name.endswith((".db", ".ipynb", ".csv", ".jsonl", ".sqlite")) or any(w in name for w in {words!r}):
            found.append(os.path.join(folder, name))
for path in {paths!r}:
    try:
        os.stat(path)
        found.append(path)
    except OSError:
        pass
print("LEAK" if found else "nothing", len(found))
"""


def spying(words: tuple[str, ...], *paths: Path) -> list[Pair]:
    """A search of the whole file system, before wrong code and before right code."""
    first = SEARCH.format(words=words, paths=[str(path) for path in paths])
    return harmless(first)


def harmless(first: str, *, full: float = FULL) -> list[Pair]:
    """Code in a cell before all others: it must not help wrong code, and it must not cost right code anything."""
    return [
        Pair(hand_in(WRONG, first=first), hand_in(WRONG), "before wrong code", points=0.0),
        Pair(hand_in(first=first), hand_in(), "before right code", points=full),
    ]


@row("read the gradebook", "L")
def read_gradebook() -> list[Pair]:
    return spying(("gradebook",), PACKAGE.parent, PACKAGE, Path.home(), Path("/etc/passwd"), Path.cwd())


WRITE = """\
import os, sqlite3
for folder in ("/", "/site", "/bncourse-sandbox", "/python", "/dev", "/proc", "/usr", os.path.expanduser("~/.."), {here!r}):
    for action in (
        lambda: open(os.path.join(folder, "gradebook.db"), "w"),
        lambda: sqlite3.connect(os.path.join(folder, "gradebook.db")).execute("create table grade (x)"),
        lambda: os.mkdir(os.path.join(folder, "made")),
    ):
        try:
            action()
            print("LEAK: could write in", folder)
        except Exception:
            pass
"""


@row("write the gradebook", "F")
def write_gradebook() -> list[Pair]:
    return harmless(WRITE.format(here=str(Path.cwd())))


LATER = """\
import os, subprocess, sys
def later():
    import time
    time.sleep(3)
    open("/tmp/later", "w").write("LEAK")
for start in (
    lambda: os.fork() or later(),
    lambda: os.spawnl(os.P_NOWAIT, sys.executable, "python", "-c", "1"),
    lambda: subprocess.Popen([sys.executable, "-c", "1"]),
    lambda: __import__("multiprocessing").get_context("fork").Process(target=later).start(),
    lambda: __import__("ctypes").CDLL(None).vfork(),
    lambda: os.posix_spawn(sys.executable, ["python"], {}),
):
    try:
        if start() not in (-1, None):
            print("LEAK: a process was started", start)
    except Exception:
        pass
import threading, time
threading.Thread(target=lambda: time.sleep(60), daemon=False).start()
"""


@row("a process left behind that writes later", "F")
def left_behind() -> list[Pair]:
    return harmless(LATER)


@row("read the master or hidden tests", "F")
def read_master() -> list[Pair]:
    inside = Pair(hand_in(WRONG | {"backward": READ_TESTS}), hand_in(WRONG), "from inside a call", points=0.0)
    return [*spying(("masters", "source", "backward.md"), PACKAGE.parent / "assignments", PACKAGE / "grading"), inside]


READ_TESTS = (
    WRONG["backward"].replace("    x_hat, inv", "    look()\n    x_hat, inv")
    + """

def look():
    import gc, sys
    frame = sys._getframe()
    while frame is not None:
        values = [*frame.f_locals.values(), frame.f_code.co_consts]
        if "secret" in repr(values) or "secret" in repr(list(frame.f_locals)):
            print("LEAK")
        frame = frame.f_back
    for thing in gc.get_objects():
        if isinstance(thing, dict) and any(str(key) in ("wanted", "secret", "private") for key in thing):
            raise SystemExit("LEAK")
"""
)


@row("read classmates", "F")
def read_classmates() -> list[Pair]:
    return spying(("submitted", "autograded", "feedback"), Path("/proc/1/root"), Path("/proc/self/environ"))


SHADOW = """\
import os, sys
for name in ("numpy.py", "bncourse.py", "sitecustomize.py", "usercustomize.py", "ipykernel_launcher.py", "x.pth", "conftest.py"):
    for folder in ("/tmp", "/site", os.getcwd(), os.path.dirname(os.__file__)):
        try:
            with open(os.path.join(folder, name), "w") as file:
                file.write("raise SystemExit('LEAK')")
        except OSError:
            pass
sys.path.insert(0, "/tmp")
import types
checks = types.ModuleType("bncourse.diagnosis.checks")
for name in ("check_forward", "check_backward", "check_laws"):
    setattr(checks, name, lambda *args, **kwargs: None)
sys.modules.update({"bncourse": types.ModuleType("bncourse"), "bncourse.diagnosis": types.ModuleType("x"),
                    "bncourse.diagnosis.checks": checks})
def check_forward(*args, **kwargs): pass
def check_backward(*args, **kwargs): pass
def check_laws(*args, **kwargs): pass
"""


@row("submitted numpy.py, bncourse.py, sitecustomize.py, ipykernel_launcher.py, .pth, conftest.py", "F")
def shadowing() -> list[Pair]:
    return harmless(SHADOW)


REFERENCE = """\
from bncourse.numpy_bn.functional import batch_norm_forward, batch_norm_backward
from bncourse.numpy_bn import functional
batch_norm_backward = functional.batch_norm_backward
"""
BY_REFERENCE = """\
def batch_norm_backward(dy, cache):
    from bncourse.numpy_bn.functional import Cache, batch_norm_backward as theirs
    return theirs(dy, Cache(*cache))"""


@row("import the reference package", "F")
def reference() -> list[Pair]:
    crash = RIGHT | {"backward": BY_REFERENCE}
    wrong = RIGHT | {"backward": WRONG["backward"]}
    return [
        *harmless(REFERENCE),
        Pair(hand_in(crash), hand_in(wrong), "inside the answer", points=FULL - 4, status="crashed"),
    ]


AUTOGRAD = """\
def batch_norm_backward(dy, cache):
    import {module}
    raise ValueError("LEAK: {module} is there")"""


@row("torch, jax or autograd where the task is to derive")
def autograd() -> list[Pair]:
    control = hand_in(RIGHT | {"backward": WRONG["backward"]})
    names = ("torch", "jax", "autograd", "tensorflow", "sympy")
    return [
        Pair(hand_in(RIGHT | {"backward": AUTOGRAD.format(module=name)}), control, name, points=FULL - 4)
        for name in names
    ]


DIFFERENCES = """\
def batch_norm_forward(x, gamma, beta, *, eps=1e-5):
    mean, var = x.mean(axis=0), ((x - x.mean(axis=0)) ** 2).mean(axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x, gamma, beta, eps, x_hat)"""
CENTRAL = """\
def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    dx = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = 1e-6
        up, down = (batch_norm_forward(x + s * step, gamma, beta, eps=eps)[0] for s in (1, -1))
        dx[index] = (dy * (up - down)).sum() / 2e-6
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""
COMPLEX = """\
def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    dx = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[index] += 1e-30j
        dx[index] = (dy * batch_norm_forward(moved, gamma, beta, eps=eps)[0].imag).sum() / 1e-30
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""


RICHARDSON = """\
def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    wide = x.astype("g")
    def slope(index, h):
        step = np.zeros_like(wide)
        step[index] = h
        up, down = (batch_norm_forward(wide + s * step, gamma, beta, eps=eps)[0] for s in (1, -1))
        return (dy * (up - down)).sum() / (2 * h)
    entries = map(lambda i: (4 * slope(i, 1e-5) - slope(i, 2e-5)) / 3, np.ndindex(x.shape))
    return np.array([*entries], dtype=float).reshape(x.shape), (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""
STACKED = """def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    steps = 1e-5 * np.eye(x.size, dtype="g").reshape(x.size, *x.shape)
    def y(z):
        z = z - z.mean(axis=1, keepdims=True)
        return gamma * z / np.sqrt((z * z).mean(axis=1, keepdims=True) + eps)
    near, far = (y(x + k * steps) - y(x - k * steps) for k in (1, 2))
    dx = (dy * (8 * near - far)).sum(axis=(1, 2)).reshape(x.shape) / 12e-5
    return dx.astype(float), (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""
AS_D = COMPLEX.replace("x.astype(complex)", "x.astype('D')").replace("1e-30j", "complex(0, 1e-30)")
AS_A_VIEW = """def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    def entry(k):
        pairs = np.stack([x, np.zeros_like(x)], axis=-1)
        pairs.reshape(-1, 2)[k, 1] = 2.0**-100
        y = batch_norm_forward(pairs.view("c16")[..., 0], gamma, beta, eps=eps)[0]
        return (dy * np.ascontiguousarray(y).view("f8").reshape(*x.shape, 2)[..., 1]).sum() * 2.0**100
    return np.reshape([*map(entry, range(x.size))], x.shape), (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""


IN_A_THREAD = f"""\
import threading
{RICHARDSON.replace("batch_norm_backward", "measured")}
def batch_norm_backward(dy, cache):
    found = []
    thread = threading.Thread(target=lambda: found.append(measured(dy, cache)))
    thread.start()
    thread.join()
    return found[0]"""
IN_A_POOL = f"""\
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
pool.submit(int).result()
{RICHARDSON.replace("batch_norm_backward", "measured")}
def batch_norm_backward(dy, cache):
    return pool.submit(measured, dy, cache).result()"""
OUT_OF_SIGHT_FORM = f"""\
import sys, threading
{RICHARDSON.replace("batch_norm_backward", "measured")}
def batch_norm_backward(dy, cache):
    {{}}
"""
OUT_OF_SIGHT = {
    "with the profile and the trace taken off": OUT_OF_SIGHT_FORM.format("""\
sees, follows = sys.getprofile(), sys.gettrace()
    sys.setprofile(None)
    sys.settrace(None)
    try:
        return measured(dy, cache)
    finally:
        sys.settrace(follows)
        sys.setprofile(sees)"""),
    "from a trace of its own": OUT_OF_SIGHT_FORM.format("""\
found = []
    sys.settrace(lambda *_: found.append(measured(dy, cache)) if not found else None)
    (lambda: None)()
    sys.settrace(None)
    return found[0]"""),
    "in a thread that nobody watches": OUT_OF_SIGHT_FORM.format("""\
found, sees, follows = [], threading.getprofile(), threading.gettrace()
    threading.setprofile(None)
    threading.settrace(None)
    thread = threading.Thread(target=lambda: found.append(measured(dy, cache)))
    thread.start()
    thread.join()
    threading.setprofile(sees)
    threading.settrace(follows)
    return found[0]"""),
}
DERIVED = """\
def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    dx = gamma / np.sqrt(x.var(axis=0) + eps) * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""
AT_SECOND = f"""\
{RICHARDSON.replace("batch_norm_backward", "measured")}
{DERIVED.replace("batch_norm_backward", "remembered")}
calls = []
def batch_norm_backward(dy, cache):
    calls.append(1)
    return (measured if len(calls) > 1 else remembered)(dy, cache)"""
"""What is asked first is what students see, so its answer can stand in the code."""
IN_LISTS = """\
def standardized(rows, eps):
    columns = []
    for column in zip(*rows):
        mean = sum(column) / len(column)
        var = sum((value - mean) ** 2 for value in column) / len(column)
        columns.append([(value - mean) / (var + eps) ** 0.5 for value in column])
    return np.array(columns).T
def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    dx = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        for step in (1e-6, -1e-6):
            rows = x.tolist()
            rows[index[0]][index[1]] += step
            dx[index] += (dy * gamma * standardized(rows, eps)).sum() / (2 * step)
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""

IN_ONE_LOOP = """\
def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    steps = np.array([-4, -3, -2, -1, 1, 2, 3, 4]) * 0.002
    weights = np.linalg.inv(np.vander(np.append(steps, 0), 9))[-2]
    dx, n = np.zeros_like(x), len(x)
    for index in np.ndindex(x.shape):
        for step, weight in zip(steps, weights):
            {nudge}
            dx[index] += weight * np.add.reduce(np.ravel(dy * gamma * c / np.sqrt(np.add.reduce(c * c) / n + eps)))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""
"""Nothing is called that is given what is nudged."""
IN_FORWARD = """\
def batch_norm_forward(x, gamma, beta, *, eps=1e-5):
    def hat(z):
        centered = z - z.mean(axis=0)
        return centered / np.sqrt((centered * centered).mean(axis=0) + eps)
    steps = np.array([-4, -3, -2, -1, 1, 2, 3, 4]) * 0.002
    weights = np.linalg.inv(np.vander(np.append(steps, 0), 9))[-2]
    slopes = {}
    for index in np.ndindex(x.shape):
        slopes[index] = 0.0
        for step, weight in zip(steps, weights):
            z = x.copy()
            z[index] += step
            slopes[index] = slopes[index] + weight * hat(z)
    return gamma * hat(x) + beta, (hat(x), gamma, slopes)"""
FROM_THE_CACHE = """\
def batch_norm_backward(dy, cache):
    x_hat, gamma, slopes = cache
    dx = np.array([(dy * gamma * slope).sum() for slope in slopes.values()]).reshape(dy.shape)
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""
HELD = {
    "in one loop": """\
z = x.copy()
            z[index] += step
            c = z - np.add.reduce(z) / n""",
    "in one loop, transposed and shifted": """\
z = x.T + 5.0
            z[index[::-1]] += step
            c = np.transpose(z - np.add.reduce(z, 1)[:, None] / n)""",
    "in one loop, by the step alone": """\
e = np.zeros_like(x)
            e[index] = step
            c = (x + e) - np.add.reduce(x + e) / n""",
    "in one loop, in a dictionary": """\
held = {"z": x.tolist()}
            held["z"][index[0]][index[1]] += step
            c = np.array(held["z"]) - np.add.reduce(np.array(held["z"])) / n""",
}


DUAL = """\
class Dual:
    def __init__(self, value, slopes):
        self.value, self.slopes = value, slopes
    def __sub__(self, other):
        return Dual(self.value - other.value, self.slopes - other.slopes)
    def __mul__(self, other):
        return Dual(self.value * other.value, self.value * other.slopes + self.slopes * other.value)
    def mean(self):
        return Dual(self.value.mean(axis=0), self.slopes.mean(axis=1, keepdims=True))
    def inverse_root(self, eps):
        return Dual((self.value + eps) ** -0.5, -0.5 * (self.value + eps) ** -1.5 * self.slopes)
def batch_norm_backward(dy, cache):
    x, gamma, beta, eps, x_hat = cache
    numbers = Dual(x, np.eye(x.size).reshape(-1, *x.shape))
    centered = numbers - numbers.mean()
    found = centered * (centered * centered).mean().inverse_root(eps)
    dx = (dy * gamma * found.slopes).sum(axis=(1, 2)).reshape(x.shape)
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""
AS_A_LIBRARY = f"""\
exec(compile({RICHARDSON.replace("batch_norm_backward", "measured")!r}, np.__file__, "exec"))
def batch_norm_backward(dy, cache):
    return measured(dy, cache)"""


@row("finite differences or complex step instead of a derivation")
def finite_differences() -> list[Pair]:
    """They are no derivation, in whatever words, and a person is told: what they do gives them away."""
    base = RIGHT | {"forward": DIFFERENCES}
    wrong = hand_in(base | {"backward": WRONG["backward"].replace("x_hat, inv_std, gamma = cache", "x_hat = cache[4]")})
    derived = hand_in(base | {"backward": DERIVED})
    differences = Pair(hand_in(base | {"backward": CENTRAL}), wrong, "central differences", points=FULL - 4)
    exact = {
        "Richardson in long double, without a loop": RICHARDSON,
        "all at once": STACKED,
        "complex step": COMPLEX,
        "complex step as D": AS_D,
        "complex step as a view": AS_A_VIEW,
        "in a thread": IN_A_THREAD,
        "in lists": IN_LISTS,
        "from the second call on": AT_SECOND,
        "under the name of a library's file": AS_A_LIBRARY,
    } | {title: IN_ONE_LOOP.format(nudge=nudge) for title, nudge in HELD.items()}
    unseen = {"in a thread that was there before": IN_A_POOL, "by numbers of a class of one's own": DUAL} | OUT_OF_SIGHT
    lacking = RIGHT | {
        "forward": DIFFERENCES.replace("return gamma * x_hat + beta,", "y = gamma * x_hat + beta\n    return out,")
    }
    hidden = OUT_OF_SIGHT["from a trace of its own"]
    early = hand_in(base | {"forward": IN_FORWARD, "backward": FROM_THE_CACHE})
    return [
        differences,
        Pair(early, wrong, "in the forward pass, for the backward pass", points=FULL - 4, status="needs review"),
        *(
            Pair(hand_in(base | {"backward": code}), wrong, title, points=FULL - 4, status="needs review")
            for title, code in exact.items()
        ),
        *(
            Pair(hand_in(base | {"backward": code}), derived, title, points=FULL, status="needs review")
            for title, code in unseen.items()
        ),
        Pair(
            hand_in(lacking | {"backward": hidden}),
            hand_in(lacking | {"backward": DERIVED}),
            "out of sight, where a name is missing and only the second run comes to it",
            points=FULL - 3,
            status="needs review",
        ),
    ]


FILL = """\
import os
written = 0
for number in range(10_000):
    try:
        with open(f"/tmp/file{number}", "wb") as file:
            for _ in range(64):
                written += file.write(bytes(2**20))
    except OSError:
        pass
    if number > 50 and written < 2**20:
        break
print("LEAK" if written > 100 * 2**20 else "little was written")
"""


@row("fill the disk", "D")
def fill_disk() -> list[Pair]:
    return harmless(FILL)


LEAVE = """\
import glob, os
folders = ("/tmp", "/dev/shm", "/var/tmp", "/site", os.getcwd(), "/run", "/mnt")
for folder in folders:
    if os.path.exists(os.path.join(folder, "for-the-next.py")):
        print("LEAK: found what another one left")
for folder in folders:
    try:
        open(os.path.join(folder, "for-the-next.py"), "w").write("x = 1")
    except OSError:
        pass
print(sorted(os.listdir("/tmp")))
"""


@row("leave files for the next student", "F")
def leave_files() -> list[Pair]:
    return [pair for _ in range(3) for pair in harmless(LEAVE)]


DETECT = """\
import os, sys
graded = not os.path.exists("/home") or "ipykernel" not in sys.modules or "/site" in sys.path
if graded:
    standardize = lambda x: np.full(np.shape(x), 1.0)
"""


@row("behave otherwise when graded")
def behave_otherwise() -> list[Pair]:
    shown = hand_in(RIGHT | {"scale": RIGHT["scale"] + "\n" + DETECT})
    plain = hand_in(RIGHT | {"scale": WRONG["scale"]})
    return [Pair(shown, plain, "wrong only when graded", points=FULL - 2)]


FILES.run("symlink, FIFO, device in the submission", "L", "tests/acceptance/test_runs.py::test_files_that_are_no_files")
FILES.run("zip slip, zip bomb", "-", "tests/acceptance/test_runs.py::test_archives_are_not_opened")
FILES.run("forged timestamp", "-", "tests/acceptance/test_runs.py::test_a_forged_timestamp_changes_no_mark")
FILES.run(
    "a numpy.py in the folder in which the grader is called",
    "F",
    "tests/grading/engine/test_worker_pool.py::test_no_module_is_taken_from_the_folder_in_which_the_grader_is_called",
)
