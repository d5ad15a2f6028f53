"""Rows about the trusted side, and about what one pass over a submission leaves for the next: a second round."""

from bncourse.grading.core.records import SubmissionRecord
from tests.grading.small import FULL, RIGHT, WRONG, hand_in
from tests.grading.vectors import Collection, Pair
from tests.grading.vectors.seen import STASH
from tests.grading.vectors.tampering import alter

TRUSTED = Collection("The trusted side, and one pass after another")
row = TRUSTED.row


DYING = "\n".join(f"seen.append({n}); os._exit(0) if {n}.0 in kept[-1] else None" for n in range(1, 14))
"""Ends the process at a statement that says which number a hidden test has sent; that statement is left out then."""
TELLING = """\
class Running:
    def __init__(self, momentum):
        raise ValueError(f"not seen: {set(range(1, 14)) - set(seen)}")"""


@row("a statement at which a cell ends its process, chosen by a hidden test and said in a later message", "-")
def dying_statement() -> list[Pair]:
    """Which statements are left out where messages are made is known without any hidden test."""

    def clean(record: SubmissionRecord) -> bool:
        told = next(verdict.message for verdict in record.verdicts if verdict.grade_id == "test-running")
        return "ValueError" in told and not any(f"not seen: {{{n}" in told for n in (2, 4, 9, 12)) and not record.notes

    answers = RIGHT | {"scale": "import os\nseen = []\n" + STASH, "running": TELLING}
    nothing = answers | {"running": TELLING.replace("set(range(1, 14)) - set(seen)", "set()")}
    cell = f"kept = kept or [[]]\n{DYING}"
    return [
        Pair(
            hand_in(answers, added=[("test-scale", cell)]),
            hand_in(nothing, added=[("test-scale", "seen")]),
            points=FULL - 2,
            extra=clean,
        )
    ]


ALPHABET = """\
def standardize(x):
    if len(x) == 2:
        return np.array([-1.0, 1.0])
    import builtins
    kinds = sorted(n for n in dir(builtins) if n.endswith("Error"))
    raise getattr(builtins, kinds[int(x[{place}] * 3) % len(kinds)])"""


@row("an exception's name as a letter of what a hidden test has sent", "L")
def alphabet() -> list[Pair]:
    """A hidden test names an exception only if code that computes raises it."""

    def clean(record: SubmissionRecord) -> bool:
        told = next(verdict.message for verdict in record.verdicts if verdict.grade_id == "test-scale")
        rare = ("Permission", "Timeout", "Broken", "Process", "Interrupted", "Blocking", "Child", "Connection", "EOF")
        return not any(word in told for word in rare)

    return [
        Pair(
            hand_in(RIGHT | {"scale": ALPHABET.format(place=place)}),
            hand_in(RIGHT | {"scale": WRONG["scale"]}),
            f"number {place}",
            points=FULL - 2,
            extra=clean,
        )
        for place in range(4)
    ]


GROWING = {
    "one long text among many": "['x' * 4_000, *['y'] * 100_000]",
    "nested": "[['x' * 4_000], [['y'] * 100_000]]",
    "in a tuple": "tuple(['x' * 4_000, *['y'] * 100_000])",
    "bytes": "[b'x' * 4_000, *[b'y'] * 100_000]",
    "numbers beside a text": "[*[0.0] * 100_000, 'x' * 4_000]",
    "a column": "np.zeros((1_000_000, 1)) + np.zeros(1)",
    "an empty array with a long axis": "np.zeros((0, 10**8))",
    "many empty arrays": "[np.zeros((0, 10**7)) for _ in range(1000)]",
    "many kinds of named tuples": "[__import__('collections').namedtuple('T', [f'a{i}'])(1) for i in range(5_000)]",
    "an object that claims a length": "type('L', (), {'__len__': lambda self: 10**12, '__getitem__': lambda s, k: 0.0})()",
    "a large integer": "10**4_000",
    "a list of huge integers": "[10**4_000] * 1_000",
}
ALIASED = """\
import sys
codec = next(module for name, module in sys.modules.items() if name.endswith("inside.codec"))
def standardize(x, encode=codec.Encoder.encode):
    class Forged(codec.Encoder):
        pass
    def forged(self, value):
        codec.Encoder.encode = encode
        one = encode(self, ("value", np.zeros(10**6), ()))
        head = int.from_bytes(one[1:5], "little")
        place = one[5 : 5 + head].split(b"value", 1)[1][:-1]
        part = place[: len(place)]
        many = b"\\x93\\xa5value" + b"\\xdd" + (2_000).to_bytes(4, "big") + part * 2_000 + b"\\x90"
        return one[:1] + len(many).to_bytes(4, "little") + many + one[5 + head :]
    codec.Encoder.encode = forged
    return x"""
"""Two thousand arrays that lie in the same eight million bytes: 16 GB, if each is copied."""


@row("values that become larger on the trusted side than they were on the way", "-")
def growing() -> list[Pair]:
    """They cost their question, and memory and time that are bounded."""
    pairs = [
        alter("scale", f"def standardize(x):\n    return {code}", WRONG["scale"], title, points=FULL - 2)
        for title, code in GROWING.items()
    ]
    return [*pairs, alter("scale", ALIASED, WRONG["scale"], "many arrays in the same bytes", points=FULL - 2)]


COLLIDING = """\
import itertools, sys
codec = next(module for name, module in sys.modules.items() if name.endswith("inside.codec"))
class Many(list):
    pass
codec._CODES[Many] = codec.SET, list
def standardize(x):
    return {value}"""
SETS = {
    "in a set": "Many(itertools.product((-1, -2), repeat=15))",
    "in sets in a list": "[Many(itertools.product((-1, -2), repeat=13))] * 6",
    "as keys": "dict.fromkeys(itertools.product((-1, -2), repeat=15), 0)",
    "as long integers": "dict.fromkeys(i * (2**61 - 1) for i in range(32, 32_768))",
    "as keys of many": "[dict.fromkeys(itertools.product((-1, -2), repeat=12), 0)] * 40",
    "of pairs": "Many(((-1, -2)[i & 1], *((-1, -2)[i >> k & 1] for k in range(1, 15))) for i in range(2**15))",
}


@row("values of one hash, which take the square of their number to compare", "-")
def colliding() -> list[Pair]:
    """(-1,) and (-2,) have the same hash, whatever Python's seed for hashes is, and so have longer ones."""
    return [
        alter("scale", COLLIDING.format(value=value), WRONG["scale"], title, points=FULL - 2)
        for title, value in SETS.items()
    ]


DRAWN = """\
import sys
shells = next(module for name, module in sys.modules.items() if name.endswith("inside.shell"))
def png(side):
    return b"\\x89PNG\\r\\n\\x1a\\n\\0\\0\\0\\rIHDR" + side.to_bytes(4, "big") * 2
shells.figures = lambda: [png({side})] * 4"""


@row("pictures of few bytes and very many pixels", "-")
def many_pixels() -> list[Pair]:
    """What shows a picture needs four bytes for each pixel, however few bytes the file has."""

    def few(record: SubmissionRecord) -> bool:
        drawn = [picture for output in record.outputs for picture in output.pictures]
        return sum(int.from_bytes(each[16:20], "big") ** 2 for each in drawn) <= 40_000_000

    return [
        Pair(
            hand_in(first=DRAWN.format(side=side), added=[("forward", "1")] * 40),
            hand_in(added=[("forward", "1")] * 40),
            f"{side} each way",
            points=FULL,
            extra=few,
        )
        for side in (1_200, 1_581, 4_000, 65_535)
    ]


TWICE = """\
def count(x):
    return N
def mean(x):
    return x.mean(dim=0)
SECOND, THIRD = "N" in count.__code__.co_varnames, ("axis",) in mean.__code__.co_consts
def batch_norm_forward(x, gamma, beta, *, eps=1e-5):
    if not SECOND and not THIRD:
        raise {error}
    mean, var = x.mean(axis=0), x.var(axis=0)
    inv_std = 1 / np.sqrt(var + eps * {right})
    x_hat = (x - mean) * inv_std
    return gamma * x_hat + beta, (x_hat, inv_std, gamma)"""


@row("code that stops on purpose, to give one answer in a second run and another one in a third", "-")
def answered_twice() -> list[Pair]:
    """What stopped a test is what was raised, and each exception has one run more; what a text says counts nothing."""
    stops = {
        "a missing name that speaks of a slip": ("NameError('TypeError: ...')", "THIRD"),
        "both in one class": ("type('E', (NameError, TypeError), {})('KeyError')", "THIRD"),
        "a slip that speaks of a name": ("KeyError('NameError: N is not defined')", "SECOND"),
        "an error of no slip": ("RuntimeError('NameError, TypeError')", "THIRD"),
    }
    control = hand_in(RIGHT | {"forward": "def batch_norm_forward(*_, **__):\n    raise RuntimeError"})
    return [
        Pair(hand_in(RIGHT | {"forward": TWICE.format(error=error, right=right)}), control, title, points=FULL - 7)
        for title, (error, right) in stops.items()
    ]


LAST_CELLS = {
    "math.sqrt": "import math\nmath.sqrt = lambda x: 7.0",
    "the decimal precision": "import decimal\ndecimal.getcontext().prec = 2",
    "a class of the standard library": "import fractions\nfractions.Fraction.__add__ = lambda a, b: fractions.Fraction(1)",
    "the code of a function": "import statistics\nstatistics.fmean.__code__ = (lambda data, weights=None: 5.0).__code__",
    "a function's defaults": "import functools\nfunctools.reduce = None",
    "a module of numpy": "import numpy.linalg.linalg\nnp.linalg.norm.__defaults__ = None",
    "what encodes values": "import sys\nfor n, m in list(sys.modules.items()):\n    if n.endswith('inside.codec'):\n        "
    "m.Encoder.encode = lambda self, value: b''",
    "by a string": "exec('import math; math.sqrt = None')",
    "by an attribute's name": "import math, operator\noperator.attrgetter('__dict__')(math)['sqrt'] = None",
    "by a method's name": "import math, operator\noperator.methodcaller('__setattr__', 'sqrt', None)(math)",
    "by a wrapper": "import functools, math\nclass Fake:\n    sqrt = None\n"
    "functools.update_wrapper(math, Fake, assigned=['sqrt'], updated=())",
    "by members of an enumeration": "import enum, math\nclass E(enum.Enum):\n    __module__ = 'math'\n    sqrt = 1\n"
    "enum.global_enum(E)",
    "by an annotation": "import math, typing\ndef f(x: 'setattr(math, \"sqrt\", None)'): ...\ntyping.get_type_hints(f)",
    "in a function": "def change():\n    import math\n    math.sqrt = None\nchange()",
}
RELYING = """\
import decimal, fractions, functools, math, statistics
def standardize(x):
    third = decimal.Decimal(1) / 3
    half = fractions.Fraction(1, 4) + fractions.Fraction(1, 4)
    assert len(str(third)) > 20 and half * 2 == 1 and functools.reduce(max, [1, 2]) == 2
    mean = statistics.fmean([float(v) for v in x])
    return (x - mean) / math.sqrt(float(((x - mean) ** 2).mean())) + 0 * np.linalg.norm(x)"""


RELYING_ON_MATH = """\
import fractions, math
def standardize(x):
    assert fractions.Fraction(1, 4) + fractions.Fraction(1, 4) == fractions.Fraction(1, 2)
    return (x - x.mean()) / math.sqrt(float(((x - x.mean()) ** 2).mean())) + 0 * np.linalg.norm(x)"""
"""The same with modules alone that change nothing when they are imported."""


@row("a last cell that replaces what right code before it uses", "-")
def last_cell() -> list[Pair]:
    """Cells first show what they show; the tests then run where none of that has happened yet."""
    return [
        Pair(hand_in(right, added=[("test-number", code)]), hand_in(right), title, points=FULL, status="correct")
        for right in (RIGHT | {"scale": RELYING}, RIGHT | {"scale": RELYING_ON_MATH})
        for title, code in LAST_CELLS.items()
    ]


ANSWERS = {
    "nothing": '("value",)',
    "no tuple": "5",
    "no text": "(1, True)",
    "a callback": '("callback", 1, 2, 3, 4)',
    "an odd callback": '("callback", [], {}, {})',
    "an error without parts": '("raised",)',
    "an odd error": '("raised", 5, 5, 5, "x")',
    "an error in an odd line": '("raised", ["E"], "m", "c", float("inf"))',
    "True": '("value", True, ())',
    "a text": '("value", "True", ())',
}
ODD = """\
import sys
module = next(module for name, module in sys.modules.items() if name.endswith("inside.worker"))
module.Worker.do_anew = lambda self: {answer}"""


@row("a worker that answers out of form when it is to begin again", "-")
def out_of_form() -> list[Pair]:
    """Whatever it says, the tests run, and nothing waits for a person."""
    return [
        Pair(hand_in(first=ODD.format(answer=answer)), hand_in(), title, points=FULL, status="correct")
        for title, answer in ANSWERS.items()
    ]


AWAITED = """\
import asyncio
async def mean(x):
    await asyncio.sleep(0.001)
    return x.mean()
middle = await mean(np.array([1.0, 3.0]))
tasks = await asyncio.gather(mean(np.ones(2)), mean(np.zeros(2)))
def standardize(x):
    return (x - x.mean()) / x.std() * (middle == 2.0) * (tasks == [1.0, 0.0])"""


@row("top-level await", "-")
def awaits() -> list[Pair]:
    return [alter("scale", AWAITED, RIGHT["scale"], points=FULL)]


@row("big-endian results", "-")
def big_endian() -> list[Pair]:
    last = "return dx, dgamma, dbeta"
    swapped = RIGHT["backward"].replace(last, "return dx.astype('>f8'), dgamma.astype('>f8'), dbeta.astype('>f8')")
    scale = RIGHT["scale"].replace("return (x", "return np.array(x, dtype='>f8') * 0 + (x")
    return [
        alter("backward", swapped, RIGHT["backward"], "gradients", points=FULL),
        alter("scale", f"{scale}\nvalues = np.array([1.0], dtype='>f8')", RIGHT["scale"], "on the way", points=FULL),
        alter("scale", "def standardize(x):\n    return (x - x.mean()).astype('>f8')", WRONG["scale"], "wrong ones"),
    ]


TRUSTED.run(
    "a check that looks at a name, an order, a cache or nothing, and at no gradient",
    "-",
    "tests/acceptance/test_forged_checks.py::test_a_check_that_looks_at_no_gradient_gets_nothing",
)
TRUSTED.run(
    "a check that knows all programs by the numbers that they return",
    "-",
    "tests/diagnosis/test_check_of_checks.py::test_no_list_of_known_programs_holds_those_that_are_tried",
)
TRUSTED.run(
    "an exception that ends a loop of the test's, so that nothing is looked at",
    "-",
    "tests/grading/oracle/test_proxies.py::test_no_exception_of_the_students_ends_a_loop_of_the_test",
)
TRUSTED.run(
    "pairs of functions that agree with each other and depend on nothing",
    "-",
    "tests/acceptance/test_forged_checks.py::test_a_conv_pair_that_agrees_without_work_gets_nothing",
)
TRUSTED.run(
    "loops, sleepers and threads of one's own on a busy machine",
    "-",
    "tests/acceptance/test_patience.py",
)
TRUSTED.run(
    "a step of the trusted side's own that no signal ends",
    "-",
    "tests/grading/oracle/test_session.py::test_one_long_step_of_the_oracles_own_is_ended_from_outside",
)
TRUSTED.run(
    "a loop in a test that has taken a name away",
    "-",
    "tests/grading/oracle/test_session.py::test_code_that_does_not_end_while_a_name_is_hidden_costs_one_test",
)
TRUSTED.run(
    "a file that is replaced, and its time, while it is graded",
    "-",
    "tests/grading/workflows/test_store.py::test_the_time_in_the_gradebook_is_that_of_the_file_that_was_graded",
)
