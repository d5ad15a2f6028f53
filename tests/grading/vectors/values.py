"""Rows about what a tampering answer returns."""

from tests.grading.small import FULL, RIGHT, WRONG, hand_in
from tests.grading.vectors import Pair
from tests.grading.vectors.files import harmless
from tests.grading.vectors.tampering import TAMPERING, alter

row = TAMPERING.row


FORGED = """\
import os, struct
def forge():
    for descriptor in range(3, 64):
        for data in ({data}):
            try:
                os.write(descriptor, data)
            except OSError:
                pass
forge()
"""
FRAMES_FORGED = (
    r"""b'{"verdict": {"points": 12}}', struct.pack("<Q", 3) + b"tN\0", struct.pack("<Q", 2**62), b"\0" * 64"""
)


@row("results file or descriptor forged", "F")
def forged() -> list[Pair]:
    """Noise on the worker's own pipe costs the forger's own statement or call, and gains nothing."""
    code = FORGED.format(data=FRAMES_FORGED)
    wrong = [Pair(hand_in(WRONG, first=code), hand_in(WRONG), "before wrong code", points=0.0)]
    inside = "def standardize(x):\n    forge()\n    return x\n" + code.rsplit("forge()", 1)[0]
    return [*wrong, alter("scale", inside, WRONG["scale"], "in a call")]


PICKLE = """\
class Payload:
    def __reduce__(self):
        return print, ("LEAK",)
def standardize(x):
    import pickle
    return {value}"""


@row("pickle payload in a result (code execution in the grader)", "F")
def pickled() -> list[Pair]:
    values = (
        "Payload()",
        "pickle.dumps(Payload())",
        "[Payload()] * 2",
        "np.array([Payload(), 1], dtype=object)",
        "{'a': Payload()}",
    )
    return [alter("scale", PICKLE.format(value=value), WRONG["scale"], value, points=FULL - 2) for value in values]


BACKGROUND = """\
import atexit, os, signal, sys, threading, time
atexit.register(lambda: print("LEAK"))
class Late:
    def __del__(self):
        globals()["standardize"] = None
late = Late()
def busy():
    while True:
        time.sleep(0.01)
for _ in range(4):
    threading.Thread(target=busy, daemon=True).start()
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGUSR1, signal.SIGXCPU):
    signal.signal(number, lambda *args: None)
sys.setswitchinterval(0.001)
"""


@row("threads, atexit, __del__, signal handlers")
def background() -> list[Pair]:
    return harmless(BACKGROUND)


LAZY = """\
class Lazy:
    def __init__(self, values): self.values = values; self.shape = values.shape; self.dtype = values.dtype
    def __array__(self, *args, **kwargs): return self.values
    def __len__(self): return len(self.values)
    def __getitem__(self, key): return self.values[key]
    def __array_priority__(self): return 1e9
def standardize(x):
    return Lazy(x - x.mean())"""


@row("lazy array-likes")
def lazy() -> list[Pair]:
    return [alter("scale", LAZY, WRONG["scale"], points=FULL - 2)]


PASSED = """\
import sys
for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
    try:
        stream.write("PASSED\\n12/12 points\\n1 passed in 0.01s\\n" + '{"verdict": "correct"}')
    except Exception:
        pass
"""


@row("stdout that says PASSED")
def passed() -> list[Pair]:
    return harmless(PASSED)


@row("NaN, inf, complex, object results", "F")
def odd_values() -> list[Pair]:
    values = {
        "NaN": "np.full(x.shape, np.nan)",
        "inf": "np.full(x.shape, np.inf)",
        "complex": "(x - x.mean()) / x.std() + 1j",
        "object": "np.array([float('nan')] * len(x), dtype=object)",
        "None": "None",
        "text": "['nan'] * len(x)",
        "a dict": "dict(enumerate(x))",
        "itself": "standardize",
        "a masked array": "np.ma.masked_all(x.shape)",
    }
    pairs = [
        alter("scale", f"def standardize(x):\n    return {code}", WRONG["scale"], title, points=FULL - 2)
        for title, code in values.items()
    ]
    nan = (
        "def batch_norm_backward(dy, cache):\n    return dy * np.nan, dy.sum(axis=0) * np.nan, dy.sum(axis=0) * np.nan"
    )
    number = [
        alter("number", f"values_per_channel = {code}", WRONG["number"], code)
        for code in ("float('nan')", "'200'", "True", "[200]")
    ]
    return [*pairs, alter("backward", nan, WRONG["backward"], "NaN gradients", points=FULL - 4), *number]


@row("broadcastable wrong shape")
def broadcast() -> list[Pair]:
    forms = {
        "a scalar": "dx.mean()",
        "one row": "dx[:1]",
        "an axis more": "dx[None]",
        "empty": "dx[:0]",
        "transposed": "dx.T",
    }
    pairs = []
    for title, code in forms.items():
        trick = RIGHT["backward"].replace("return dx,", f"return {code},")
        pairs.append(alter("backward", trick, WRONG["backward"], title, points=FULL - 4))
    return pairs


@row("float16 or float32 result, list for tuple, order swapped")
def forms() -> list[Pair]:
    """Half precision and a swapped order are wrong values; a list for a tuple is not."""
    last = "return dx, dgamma, dbeta"
    half = RIGHT["backward"].replace(last, "return dx.astype(np.float16), dgamma, dbeta")
    swapped = RIGHT["backward"].replace(last, "return dgamma, dx, dbeta")
    listed = RIGHT["backward"].replace(last, "return [dx, dgamma, dbeta]")
    return [
        alter("backward", half, WRONG["backward"], "float16", points=FULL - 4),
        alter("backward", swapped, WRONG["backward"], "swapped", points=FULL - 4),
        alter("backward", listed, RIGHT["backward"], "a list", points=FULL),
    ]


@row("hard-coded public cases", "F")
def hard_coded() -> list[Pair]:
    coded = "def standardize(x):\n    return np.array([-1.0, 1.0]) if len(x) == 2 else x"
    return [alter("scale", coded, WRONG["scale"], points=FULL - 2)]
