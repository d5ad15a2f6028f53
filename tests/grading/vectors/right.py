"""Right code that must never lose a mark."""

from tests.grading.small import FULL, RIGHT, Notebook, cell_of, hand_in
from tests.grading.vectors import Collection, Pair

RIGHT_CODE = Collection("Right code that must never lose a mark")
row = RIGHT_CODE.row


def full(title: str = "", **answers: str) -> Pair:
    """Answers that must have all points."""
    return Pair(hand_in(RIGHT | answers), hand_in(), title, points=FULL)


def added(title: str, *cells: tuple[str, str]) -> Pair:
    """Cells in between that must not cost anything."""
    return Pair(hand_in(added=cells), hand_in(), title, points=FULL)


@row("warnings on stderr")
def on_stderr() -> list[Pair]:
    code = "import warnings\ndef standardize(x):\n    warnings.warn('old')\n    np.sqrt(np.array([-1.0]))\n    return (x - x.mean()) / x.std()"
    return [full(scale=code)]


@row("float32 inside, float64 out")
def float32() -> list[Pair]:
    code = RIGHT["forward"].replace("    return", "    y = y.astype(np.longdouble).astype(np.float64)\n    return")
    number = "values_per_channel = np.float32(200)"
    return [
        full("forward", forward=code),
        full("a float32 scalar", number=number),
        full("an int64 scalar", number="values_per_channel = np.int64(200)"),
    ]


CACHE_ALL = """\
def batch_norm_forward(x, gamma, beta, *, eps=1e-5):
    mean, var = x.mean(axis=0), x.var(axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta, dict(x=x, mean=mean, var=var, eps=eps, x_hat=x_hat, gamma=gamma)"""
STAGED = """\
def batch_norm_backward(dy, cache):
    x, mean, var, eps, x_hat, gamma = (cache[name] for name in ("x", "mean", "var", "eps", "x_hat", "gamma"))
    m = x.shape[0]
    dx_hat = dy * gamma
    dvar = np.sum(dx_hat * (x - mean), axis=0) * -0.5 * (var + eps) ** -1.5
    dmean = np.sum(dx_hat * -1 / np.sqrt(var + eps), axis=0){term}
    dx = dx_hat / np.sqrt(var + eps) + dvar * 2 * (x - mean) / m + dmean / m
    return dx, np.sum(dy * x_hat, axis=0), np.sum(dy, axis=0)"""
LOOPS = """\
def batch_norm_backward(dy, cache):
    x_hat, inv_std, gamma = cache
    m, d = dy.shape
    dx, dgamma, dbeta = np.zeros((m, d)), np.zeros(d), np.zeros(d)
    for j in range(d):
        for i in range(m):
            dbeta[j] += dy[i, j]
            dgamma[j] += dy[i, j] * x_hat[i, j]
        for i in range(m):
            dx[i, j] = gamma[j] * inv_std[j] * (dy[i, j] - dbeta[j] / m - x_hat[i, j] * dgamma[j] / m)
    return dx, dgamma, dbeta"""
JACOBIANS = """\
def batch_norm_backward(dy, cache):
    x_hat, inv_std, gamma = cache
    m, d = dy.shape
    dx = np.empty_like(dy)
    for j in range(d):
        jacobian = gamma[j] * inv_std[j] * (np.eye(m) - 1 / m - np.outer(x_hat[:, j], x_hat[:, j]) / m)
        dx[:, j] = jacobian.T @ dy[:, j]
    return dx, np.einsum("nd,nd->d", dy, x_hat), np.ones(m) @ dy"""


@row("closed form, staged graph, explicit loops, per-sample Jacobians")
def styles() -> list[Pair]:
    return [
        full("closed form"),
        full("staged", forward=CACHE_ALL, backward=STAGED.format(term="")),
        full("loops", backward=LOOPS),
        full("Jacobians", backward=JACOBIANS),
    ]


@row("the -2/m sum(x-mu) term kept or dropped")
def vanishing_term() -> list[Pair]:
    kept = STAGED.format(term=" + dvar * np.mean(-2 * (x - mean), axis=0)")
    return [
        full("kept", forward=CACHE_ALL, backward=kept),
        full("dropped", forward=CACHE_ALL, backward=STAGED.format(term="")),
    ]


UNPACK = {
    "a dict": ("dict(x_hat=x_hat, inv_std=inv_std, gamma=gamma)", "cache['x_hat'], cache['inv_std'], cache['gamma']"),
    "a list": ("[x_hat, inv_std, gamma]", "cache"),
    "an object": ("Cache(x_hat, inv_std, gamma)", "cache.x_hat, cache.inv_std, cache.gamma"),
    "a closure": ("lambda: (x_hat, inv_std, gamma)", "cache()"),
    "a generator": ("iter([x_hat, inv_std, gamma])", "_SAVED"),
    "a named tuple": ("Named(x_hat, inv_std, gamma)", "cache.x_hat, cache.inv_std, cache.gamma"),
    "a dict with attributes": (
        "Bag(x_hat=x_hat, inv_std=inv_std, gamma=gamma)",
        "cache.x_hat, cache.inv_std, cache.gamma",
    ),
    "nested": ("(x_hat, [inv_std, {'gamma': gamma, 1: None}])", "cache[0], cache[1][0], cache[1][1]['gamma']"),
    "an object array": ("np.array([x_hat, inv_std, gamma, None], dtype=object)", "cache[:3]"),
    "a data class": ("Data(x_hat, inv_std, gamma)", "cache.x_hat, cache.inv_std, cache.gamma"),
}
KINDS = """\
import collections, dataclasses
class Cache:
    __slots__ = ("x_hat", "inv_std", "gamma")
    def __init__(self, *values):
        self.x_hat, self.inv_std, self.gamma = values
Named = collections.namedtuple("Named", "x_hat inv_std gamma")
class Bag(dict):
    __getattr__ = dict.__getitem__
@dataclasses.dataclass
class Data:
    x_hat: np.ndarray
    inv_std: np.ndarray
    gamma: np.ndarray
"""


@row("cache as tuple, dict, object, closure")
def caches() -> list[Pair]:
    pairs = []
    for title, (pack, unpack) in UNPACK.items():
        if title == "a generator":
            continue
        forward = KINDS + RIGHT["forward"].replace("(x_hat, inv_std, gamma)", pack)
        backward = RIGHT["backward"].replace("= cache", f"= {unpack}")
        pairs.append(full(title, forward=forward, backward=backward))
    return pairs


@row("helper cells and helper functions")
def helpers() -> list[Pair]:
    helped = RIGHT["scale"].replace("(x - x.mean()) / x.std()", "divided(centered(x), x)")
    cells = [
        ("setup", "def centered(x):\n    return x - x.mean()"),
        ("test-forward", "divided = lambda a, x: a / x.std()"),
    ]
    after = RIGHT["scale"].replace("(x - x.mean()) / x.std()", "later(x)")
    late = [("scale", "def later(x):\n    return (x - x.mean()) / x.std()")]
    return [
        Pair(hand_in(RIGHT | {"scale": helped}, added=cells), hand_in(), "before", points=FULL),
        Pair(hand_in(RIGHT | {"scale": after}, added=late), hand_in(), "between answer and test", points=FULL),
    ]


@row("imports repeated")
def imports() -> list[Pair]:
    code = "import numpy as np\nimport numpy\nfrom math import sqrt\nimport os, sys, copy, itertools, functools\n"
    old = (
        "import scipy.unused\nfrom past.builtins import xrange\nnp.float\nnp.bool8\nnp.set_printoptions(precision=3)\n"
    )
    return [full("again", scale=code + RIGHT["scale"]), full("failing, unused", scale=old + RIGHT["scale"])]


@row("a plot or a print in between")
def plots() -> list[Pair]:
    plot = "import matplotlib.pyplot as plt\nprint('a plot')\nplt.figure()\nplt.hist(np.arange(9.0))\nplt.title('x')\nplt.show()"

    def kept(record: object) -> bool:
        shown = [o for o in record.outputs if o.pictures]  # type: ignore[attr-defined]
        return len(shown) == 1 and shown[0].pictures[0][:4] == b"\x89PNG" and "a plot" in shown[0].text

    drawn = Pair(hand_in(added=[("scale", plot)]), hand_in(), "a plot", points=FULL, extra=kept)
    return [drawn, added("prints", ("backward", "print(batch_norm_backward)\nstandardize(np.arange(3.0))"))]


@row("a test cell moved")
def moved() -> list[Pair]:
    def move(made: Notebook, name: str, to: int) -> None:
        cell = cell_of(made, name)
        made["cells"].remove(cell)
        made["cells"].insert(to, cell)

    helped = RIGHT | {"scale": RIGHT["scale"].replace("(x - x.mean()) / x.std()", "later(x)")}
    late = [("scale", "def later(x):\n    return (x - x.mean()) / x.std()")]
    return [
        Pair(hand_in(change=lambda made: move(made, "test-scale", 1)), hand_in(), "up", points=FULL),
        Pair(hand_in(change=lambda made: move(made, "test-forward", 99)), hand_in(), "down", points=FULL),
        Pair(
            hand_in(helped, added=late, change=lambda made: move(made, "test-scale", 2)),
            hand_in(),
            "helper",
            points=FULL,
        ),
    ]


@row("in-place work on own copies")
def own_copies() -> list[Pair]:
    code = "def standardize(x):\n    x = x.copy()\n    x -= x.mean()\n    x /= x.std()\n    return x"
    back = RIGHT["backward"].replace("    return", "    dx = dx.copy()\n    dx *= 2\n    dx /= 2\n    return")
    return [full("scale", scale=code), full("backward", backward=back)]
