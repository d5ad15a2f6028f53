"""Rows about what people see of a submission."""

from bncourse.grading.records import SubmissionRecord
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
        "A hidden test failed.",
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
    ]


SEEN.run("formulas and separators in CSV", "L", "tests/grading/test_runs.py::test_formulas_are_inert_in_lists")
SEEN.run("score outside [0, max], NaN score", "F", "tests/grading/test_runs.py::test_a_score_stays_within_its_bounds")
