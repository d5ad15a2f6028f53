"""Rows about what people see of a submission."""

from typing import Any

from bncourse.diagnosis.checks import check_forward
from bncourse.grading.core.records import SubmissionRecord
from bncourse.grading.oracle.verdicts import ELSEWHERE
from tests.grading.small import FULL, RIGHT, WRONG, hand_in
from tests.grading.vectors import Collection, Pair

SEEN = Collection("What people see")
row = SEEN.row

HTML = """\
from IPython.display import HTML, Javascript, SVG, IFrame, Image, Markdown, display
class Bad:
    def _repr_html_(self): return "<script>steal()</script>"
    def _repr_javascript_(self): return "steal()"
    def _repr_mimebundle_(self, *args, **kwargs): return {"text/html": "<img src=x onerror=steal()>"}
    def __repr__(self): return "<script>steal()</script>"
display(HTML("<script>steal()</script>"), Javascript("steal()"), SVG("<svg onload=steal()>"), IFrame("x", 1, 1), Bad())
Markdown("[x](javascript:steal())")"""


@row("script or onerror in displayed HTML", "L")
def live_html() -> list[Pair]:
    """Outputs are plain text and PNG; how pages escape them is tested where the pages are made."""

    def plain(record: SubmissionRecord) -> bool:
        return all(isinstance(output.text, str) and not output.pictures for output in record.outputs)

    return [Pair(hand_in(first=HTML), hand_in(), points=FULL, extra=plain)]


SPY = """\
def standardize(x):
    raise {error}({text})"""


@row("hidden test or expected value in feedback", "L")
def hidden() -> list[Pair]:
    """What is told of a hidden test holds neither its source, its numbers, nor what the code was given."""
    good = "    if len(x) == 2:\n        return np.array([-1.0, 1.0])\n"
    secrets = ("private", "wanted", "2.0", "9.", "12", "-1.2", "0.56", "secret", "72", "73")

    def discreet(record: SubmissionRecord) -> bool:
        told = [v.message for v in record.verdicts if v.grade_id == "test-scale"] + [o.text for o in record.outputs]
        return not any(secret in text for text in told for secret in secrets)

    tricks = {
        "wrong for the hidden batch": f"def standardize(x):\n{good}    return x",
        "raises what it was given": f"def standardize(x):\n{good}    raise ValueError(repr(x))",
        "prints what it was given": f"def standardize(x):\n{good}    print(x)\n    return x",
        "names a class so": f"def standardize(x):\n{good}    raise type('E' + '_'.join(map(str, x)), (Exception,), {{}})()",
        "returns text": f"def standardize(x):\n{good}    return str(x)",
        "returns an object named so": f"def standardize(x):\n{good}    return type('E' + '_'.join(map(str, x)), (), {{}})()",
    }
    control = hand_in(RIGHT | {"scale": WRONG["scale"]})
    return [
        Pair(hand_in(RIGHT | {"scale": code}), control, title, points=FULL - 2, extra=discreet)
        for title, code in tricks.items()
    ]


KEEP = "kept = []\ndef standardize(x):\n    {keep}\n    return (x - x.mean()) / x.std()"
STASH = KEEP.format(keep="kept.append([float(value) for value in x])")
LATER = "threading.Thread(target=lambda x=x.copy(): (time.sleep(0.05), print(x))).start()"
KEEPERS = {
    "reads a file": KEEP.format(keep="open('/tmp/kept', 'a').write(str(x))"),
    "waits for a thread": "import threading, time\n" + KEEP.format(keep=LATER),
}
SHOWERS = {
    "prints": "print('kept:', kept)",
    "shows a value": "kept",
    "draws": "import matplotlib.pyplot as plt\nif kept:\n    plt.plot(kept[-1])\n    plt.title(str(kept))",
    "raises": "if kept:\n    raise ValueError(str(kept))",
    "raises in a line that says it": "\n".join(f"if any({n}.0 in a for a in kept): int('x')" for n in range(1, 14)),
    "names a magic": "for a in kept:\n    get_ipython().run_line_magic('_'.join(map(str, a)), '')",
    "dies in a statement that says it": "import os\nif any(9.0 in a for a in kept): os._exit(0)",
    "reads a file": "import os\nprint('kept:', open('/tmp/kept').read() if os.path.exists('/tmp/kept') else '')",
    "waits for a thread": "import time\ntime.sleep(0.3)",
}


@row("inputs of hidden tests kept and shown by a later cell", "L")
def shown_later() -> list[Pair]:
    """What cells show comes from a process that no test has called yet."""

    def clean(record: SubmissionRecord) -> bool:
        told = [output.text for output in record.outputs]
        drawn = [picture for output in record.outputs for picture in output.pictures]
        return not record.notes and not drawn and all(text.strip() in ("", "kept:", "kept: []", "[]") for text in told)

    answers = {title: RIGHT | {"scale": KEEPERS.get(title, STASH)} for title in SHOWERS}
    shown = {title: hand_in(answers[title], added=[("test-scale", code)]) for title, code in SHOWERS.items()}
    return [Pair(file, hand_in(), title, points=FULL, extra=clean) for title, file in shown.items()]


REFUSED = """\
import gc, os, sys
        codec = next(module for name, module in sys.modules.items() if name.endswith("inside.codec"))
        channel = next(one for one in gc.get_objects() if type(one).__name__ == "Channel")
        channel.send(codec.Encoder().encode(("refused", str(kept))))
        os._exit(0)"""
TOLD = {
    "in an exception's text": "raise ValueError(str(kept))",
    "in an exception's class": "raise type('E' + str(kept), (Exception,), {})()",
    "in an exception's line": "\n        ".join(
        f"if any({n}.0 in a for a in kept): raise ValueError" for n in range(9, 13)
    ),
    "in an attribute's name": "raise AttributeError(name=str(kept), obj=self)",
    "in the worker's own words": REFUSED,
}


@row("inputs of hidden tests told in the message of a later, visible test", "L")
def told_later() -> list[Pair]:
    """After a hidden test, messages come from a process without one, or from a list that was written before."""
    secrets = ("9.0", "12.0", "line 4", "line 5", "line 6", "line 7")

    def clean(record: SubmissionRecord) -> bool:
        told = [*record.notes, *(verdict.message for verdict in record.verdicts)]
        return not any(secret in text for text in told for secret in secrets)

    def answering(told: str) -> bytes:
        running = f"class Running:\n    def __init__(self, momentum):\n        {told}"
        return hand_in(RIGHT | {"scale": STASH, "running": running})

    return [
        Pair(answering(told), answering(told.replace("str(kept)", "'nothing'")), title, extra=clean)
        for title, told in TOLD.items()
    ]


RETURNED = {
    "a shape": "return np.zeros((0, 7_000_000_000 + secret)), None",
    "a type": "return type(f'E{7_000_000_000 + secret}', (), {})()",
    "an exception": "raise ValueError(7_000_000_000 + secret)",
    "a line": "raise ValueError",
    "a length": "return (0,) * (70_000 + secret % 1000)",
    "a dtype": "return x.astype(f'S{7_000 + secret % 1000}'), None",
}


@row("inputs of hidden tests told by what is returned to them", "L")
def told_by_results() -> list[Pair]:
    """A diagnosis in a hidden test names the belief, and not what the code returned."""

    def clean(record: SubmissionRecord) -> bool:
        message = next(verdict.message for verdict in record.verdicts if verdict.grade_id == "test-forward")
        return bool(message) and not any(number in message for number in ("70000", "S7", "line "))

    head, *body = RIGHT["forward"].split("\n")
    trick = "    if x.sum() not in public:\n        secret = int(abs(x.sum()) * 1000) % 10_000\n        {told}"
    public = f"public = {sorted(_public_sums())}\n"
    told = {title: "\n".join([public + head, trick.format(told=code), *body]) for title, code in RETURNED.items()}
    control = hand_in(RIGHT | {"forward": "\n".join([public + head, trick.format(told="return None"), *body])})
    return [Pair(hand_in(RIGHT | {"forward": code}), control, title, extra=clean) for title, code in told.items()]


def _public_sums() -> set[float]:
    """What the batches of the visible test add up to, by which code can tell the hidden one."""
    space: dict[str, Any] = {}
    exec("import numpy as np\n" + RIGHT["forward"], space)
    sums: set[float] = set()

    def spy(x: Any, *arguments: Any, **options: Any) -> Any:
        sums.add(float(x.sum()))
        return space["batch_norm_forward"](x, *arguments, **options)

    check_forward(spy)
    return sums


@row("answers reconstructed by resubmitting")
def resubmitting() -> list[Pair]:
    """Two near misses are told the same thing: a message does not say how far off a value is."""
    pairs = []
    for step in (1e-3, 1e-6, 1e-9, 0.5):
        tried = hand_in(
            RIGHT | {"scale": f"def standardize(x):\n    return (x - x.mean()) / x.std() * (len(x) == 2) + {step}"}
        )
        like = hand_in(RIGHT | {"scale": WRONG["scale"]})
        pairs.append(Pair(tried, like, f"off by {step}", points=FULL - 2, extra=_message_is_fixed))
    return pairs


def _message_is_fixed(record: SubmissionRecord) -> bool:
    told = next(v.message for v in record.verdicts if v.grade_id == "test-scale")
    return told in (
        "This test failed: `np.testing.assert_allclose(standardize(public), [-1.0, 1.0], rtol=0, atol=1e-12)`",
        f"A hidden test of `standardize` failed. {ELSEWHERE}",
    )


@row("terminal escapes in logs")
def escapes() -> list[Pair]:
    def inert(record: SubmissionRecord) -> bool:
        told = [v.message for v in record.verdicts] + [o.text for o in record.outputs] + list(record.notes)
        return not any((ord(c) < 32 and c not in "\n\t") or ord(c) in (0x9B, 0x202E) for text in told for c in text)

    code = (
        'print("\\x1b[2J\\x1b]0;x\\x07\\x9b31m\\u202e\\r\\b")\nraise ValueError("\\x1b[31mred\\x1b]8;;http://x\\x07")'
    )
    call = "def standardize(x):\n    raise ValueError('\\x1b[2J\\x07' + chr(0x202e))"
    return [
        Pair(hand_in(first=code), hand_in(), "in output", points=FULL, extra=inert),
        Pair(hand_in(RIGHT | {"scale": call}), hand_in(RIGHT | {"scale": WRONG["scale"]}), "in a message", extra=inert),
        *(
            Pair(
                hand_in(_with_keys(here, there)),
                hand_in(_with_keys("x_hat", "xhat")),
                f"in a key ({there!a})",
                extra=inert,
            )
            for here, there in (("x_hat", "x_hat\x1b"), ("x_hat", "\u202ex_hat"), ("x_hat", "x\n_hat"))
        ),
    ]


def _with_keys(here: str, there: str) -> dict[str, str]:
    """A cache that is written by one key and read by another one, which is a slip."""
    cached = f'{{{here!r}: x_hat, "inv_std": inv_std, "gamma": gamma}}'
    forward = RIGHT["forward"].replace("(x_hat, inv_std, gamma)", cached)
    read = f'cache["{there}"], cache["inv_std"], cache["gamma"]'.replace("\n", "\\n")
    return RIGHT | {"forward": forward, "backward": RIGHT["backward"].replace("= cache", f"= {read}")}


SEEN.run(
    "files that a pass leaves in its folder for the next, where there are no namespaces",
    "L",
    "tests/grading/sandbox/test_bubblewrap.py::test_no_file_of_a_pass_is_there_in_the_next_where_there_are_no_namespaces",
)
SEEN.run(
    "modes and times of files by which a pass marks something for the next, where there are no namespaces",
    "L",
    "tests/acceptance/test_channels.py::test_no_file_can_be_marked_for_another_process_where_there_are_no_namespaces",
)
SEEN.run("formulas and separators in CSV", "L", "tests/acceptance/test_runs.py::test_formulas_are_inert_in_lists")
SEEN.run(
    "a student's name in a class list that is live in formgrader",
    "L",
    "tests/grading/workflows/test_student_names.py::test_no_name_is_live_on_formgraders_page",
)
SEEN.run(
    "score outside [0, max], NaN score", "F", "tests/acceptance/test_runs.py::test_a_score_stays_within_its_bounds"
)
SEEN.run(
    "an answer with a heading that takes an id of the page",
    "-",
    "tests/grading/reports/test_safe_markdown.py::test_nothing_of_a_students_text_is_live_on_a_page",
)
