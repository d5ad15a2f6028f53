"""Rows about tampering inside of the process that runs the answers."""

from tests.grading.small import FULL, RIGHT, WRONG, hand_in
from tests.grading.vectors import Collection, Pair
from tests.grading.vectors.files import harmless

TAMPERING = Collection("Same-process tampering")
row = TAMPERING.row


def alter(name: str, trick: str, like: str, title: str = "", *, points: float | None = None) -> Pair:
    """One answer replaced by a trick; the control has the code that the trick amounts to."""
    return Pair(hand_in(RIGHT | {name: trick}), hand_in(RIGHT | {name: like}), title or name, points=points)


PATCHES = """\
import numpy as np, numpy.testing
for module in (np, np.testing, np.linalg, np.ma):
    for name in dir(module):
        if any(word in name for word in ("allclose", "isclose", "array_equal", "equal", "assert_", "abs", "all", "asarray")):
            try:
                setattr(module, name, lambda *args, **kwargs: True)
            except Exception:
                pass
"""


@row("numpy.testing or np.allclose replaced", "P")
def numpy_replaced() -> list[Pair]:
    return [Pair(hand_in(WRONG, added=[("number", PATCHES)]), hand_in(WRONG), "after wrong code", points=0.0)]


EQUAL = """\
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __bool__(self): return True
    def __hash__(self): return 0
    def __len__(self): return 2
    def __getitem__(self, key): return self
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
    def __array__(self, *args, **kwargs): return np.zeros(2)
    def __sub__(self, other): return self
    __abs__ = __add__ = __mul__ = __rsub__ = __float__ = __sub__
    shape = (2,)
values_per_channel = Equal()
def standardize(x): return Equal()
def batch_norm_backward(dy, cache): return Equal(), Equal(), Equal()
Running = Equal
"""


@row("objects whose == is always true", "F")
def always_equal() -> list[Pair]:
    # of these, stock nbgrader is fooled by the first: a plain value that a test compares by ==
    return [
        *(
            Pair(hand_in(WRONG | {name: EQUAL}), hand_in(WRONG), name, points=0.0)
            for name in ("number", "backward", "scale", "running")
        ),
        Pair(hand_in(WRONG, added=[("forward", EQUAL)]), hand_in(WRONG), "beside the answers", points=0.0),
    ]


SUBCLASS = """\
class Sly(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.zeros(self.shape) if ufunc is np.subtract else np.True_
    def __array_function__(self, function, types, args, kwargs):
        return True
    def __eq__(self, other): return True
"""


@row("ndarray subclass with own ufunc protocol", "F")
def subclass() -> list[Pair]:
    sly = SUBCLASS + WRONG["scale"].replace("return x - x.mean()", "return (x - x.mean()).view(Sly)")
    honest = RIGHT["scale"].replace(
        "return (x - x.mean()) / x.std()", "return np.asmatrix(x).A1 / 1 * 0 + (x - x.mean()) / x.std()"
    )
    return [
        alter("scale", sly, WRONG["scale"]),
        alter("scale", honest, RIGHT["scale"], "a matrix on the way", points=FULL),
    ]


TRANSFORMERS = """\
import ast, sys
shell = get_ipython()
class Passing(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
shell.ast_transformers.append(Passing())
shell.input_transformers_cleanup.append(lambda lines: [])
shell.input_transformer_manager.cleanup_transforms.append(lambda lines: [])
"""


@row("AST or input transformers of the shell", "F")
def transformers() -> list[Pair]:
    return [
        pair for line in TRANSFORMERS.split("shell = ")[1:] for pair in harmless("import ast, sys\nshell = " + line)
    ]


RUNNERS = """\
import builtins, sys
shell = get_ipython()
for name in ("run_cell", "run_code", "run_ast_nodes", "do_execute", "showtraceback", "_showtraceback"):
    setattr(shell, name, lambda *args, **kwargs: None)
    setattr(type(shell), name, lambda *args, **kwargs: None)
for name, module in list(sys.modules.items()):
    if name.endswith(("worker", "channel", "codec")):
        print(name)
"""


@row("run_cell, run_code, do_execute replaced", "F")
def runners() -> list[Pair]:
    return harmless(RUNNERS)


EVENTS = """\
shell = get_ipython()
count = [0]
def swap(*args):
    count[0] += 1
    globals()["standardize"] = lambda x: np.zeros_like(x)
for event in ("pre_execute", "post_execute", "pre_run_cell", "post_run_cell"):
    shell.events.register(event, swap)
import sys
sys.settrace(lambda *args: None)
"""


@row("event hooks that swap functions per test", "P")
def events() -> list[Pair]:
    return harmless(EVENTS)


FRAMES = """\
import gc, inspect, linecache, sys
def peek():
    found = []
    frame = sys._getframe()
    while frame is not None:
        found += [value for value in frame.f_locals.values() if isinstance(value, np.ndarray)]
        frame = frame.f_back
    wanted = [thing for thing in gc.get_objects() if isinstance(thing, np.ndarray)]
    text = repr(linecache.cache) + repr(globals().get("In")) + repr(inspect.stack())
    return found + wanted, text
def standardize(x):
    values, text = peek()
    if "private" in text or "wanted" in text or "check_" in text:
        return np.full(x.shape, np.nan)
    for value in values:
        if value.shape == x.shape and abs(value.mean()) < 1e-9 and abs(value.std() - 1) < 1e-9:
            return value
    return x - x.mean()
"""


@row("stack frames, In[-1], linecache, gc search for expected values", "P")
def frames() -> list[Pair]:
    return [alter("scale", FRAMES, WRONG["scale"], points=FULL - 2)]


UNINITIALIZED = """\
def standardize(x):
    return np.empty_like(x)
def batch_norm_backward(dy, cache):
    return np.empty_like(dy), np.empty(dy.shape[1]), np.empty(dy.shape[1])
"""


@row("returning uninitialised memory that still holds the answer", "F")
def uninitialized() -> list[Pair]:
    base = RIGHT | {"backward": WRONG["backward"]}
    return [
        Pair(
            hand_in(base | {"scale": UNINITIALIZED}),
            hand_in(base | {"scale": WRONG["scale"]}),
            f"try {number}",
            points=5 + 1 - 0,
        )
        for number in range(20)
    ][:20]


CHANGED = """\
def standardize(x):
    x[:] = 0.0
    return x"""
CHANGED_DY = """\
def batch_norm_backward(dy, cache):
    dy[:] = 0.0
    for part in cache:
        part[:] = 0.0
    return dy, dy.sum(axis=0), dy.sum(axis=0)"""


@row("returning or changing the input in place", "F")
def in_place() -> list[Pair]:
    return [
        alter("scale", CHANGED, WRONG["scale"], points=FULL - 2),
        alter("scale", "def standardize(x):\n    return x", WRONG["scale"], "returned as it came", points=FULL - 2),
        alter("backward", CHANGED_DY, WRONG["backward"], points=FULL - 4),
    ]


MEMOIZED = """\
answers = {{}}
def standardize(x):
    key = {key}
    if key not in answers:
        answers[key] = (x - x.mean()) / x.std()
    return answers[key]
standardize(np.array([5.0, 1.0, 1.0, 1.0]))
"""


@row("answers memoized by id or shape")
def memoized() -> list[Pair]:
    return [alter("scale", MEMOIZED.format(key="x.shape"), WRONG["scale"], "by shape", points=FULL - 2)]


GLOBAL_STATE = """\
import random, warnings, decimal, locale, gc
np.seterr(all="ignore")
np.random.seed(0)
random.seed(0)
warnings.simplefilter("ignore")
gc.disable()
np.set_printoptions(precision=0)
np.random.default_rng = lambda seed=None: None
random.random = lambda: 0.5
"""


@row("global state (np.seterr, random seeds)")
def global_state() -> list[Pair]:
    return harmless(GLOBAL_STATE)


EXITS = {
    "builtins": "import builtins\nbuiltins.AssertionError = Warning\nbuiltins.abs = lambda x: 0\nbuiltins.all = lambda x: True",
    "sys.exit": "import sys\nsys.exit(0)",
    "exit and quit": "raise SystemExit",
    "os._exit": "import os\nos._exit(0)",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
}


@row("builtins replaced, sys.exit, os._exit(0)")
def exits() -> list[Pair]:
    pairs = []
    for title, code in EXITS.items():
        for pair in harmless(code):
            pairs.append(Pair(pair.trick, pair.control, f"{title} {pair.title}", points=pair.points))
        inside = f"def standardize(x):\n    {code.replace(chr(10), chr(10) + '    ')}\n    return x"
        pairs.append(alter("scale", inside, WRONG["scale"], f"{title} in a call", points=FULL - 2))
    return pairs
