"""Right code counts wherever it stands: in a cell of one's own, above, below, behind everything, in another cell."""

import ast
from collections.abc import Iterator
from typing import Any

import pytest

from bncourse.grading.engine.grader import Grader
from bncourse.grading.submissions.attempted import attempted
from bncourse.grading.submissions.read import read_submission
from bncourse.grading.submissions.submission import submission_of
from tests.grading.small import FULL, MASTER, PATIENT, RIGHT, WRONG_SCALE, as_file, cell_of, code_cell, notebook

SCALE = RIGHT["scale"]
CENTER = "def center(x):\n    return x - x.mean()"
SCALE_BY_CENTER = "def standardize(x):\n    return center(x) / x.std()"
STUB = cell_of(notebook({}), "scale")["source"]
REST = {name: text for name, text in RIGHT.items() if name != "scale"}


def put(made: dict[str, Any], at: int | str, *sources: str) -> None:
    """Put cells of one's own behind a cell, or at a place."""
    place = at if isinstance(at, int) else [cell["id"] for cell in made["cells"]].index(at) + 1
    made["cells"][place:place] = [code_cell(source, f"own-{number}") for number, source in enumerate(sources)]


def without(made: dict[str, Any], name: str) -> None:
    made["cells"] = [cell for cell in made["cells"] if cell["id"] != name]


def twice(made: dict[str, Any], first: str, second: str) -> None:
    cell_of(made, "scale")["source"] = first
    place = [cell["id"] for cell in made["cells"]].index("scale") + 1
    made["cells"].insert(place, dict(cell_of(made, "scale"), source=second))


def in_test(made: dict[str, Any]) -> None:
    cell = cell_of(made, "test-scale")
    cell["source"] = f"{SCALE}\n\n{cell['source']}"


def below_another(made: dict[str, Any]) -> None:
    cell_of(made, "running")["source"] += f"\n\n{SCALE}"


INDENTED = SCALE.replace("\n", "\n    ")
SCALE_LAMBDA = "lambda x: (x - x.mean()) / x.std()"
CALLED_CLASS = """\
from dataclasses import dataclass
@dataclass(frozen=True)
class Standardizer:
    ddof: int = 0
    def __call__(self, x):
        return (x - x.mean()) / x.std(ddof=self.ddof)
    of = __call__
standardize = Standardizer()"""
COMPOSED = """\
steps = [center, lambda x: x / x.std()]
standardize = lambda x: reduce(lambda value, step: step(value), steps, x)"""
DECORATOR = """\
import functools
def traced(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)
    return call"""
DYNAMIC: dict[str, tuple[str, ...]] = {
    "a loop that names functions": (
        "made = {'standardize': (0,), 'other': (1,)}",
        "for name, (ddof,) in made.items():\n    globals()[name] = lambda x, d=ddof: (x - x.mean()) / x.std(ddof=d)",
    ),
    "exec of a text": (f"text = {SCALE!r}", "exec(text)"),
    "exec of a template": (
        "template = 'def {}(x):\\n    return (x - x.mean()) / x.std()'",
        "exec(template.format('standardize'))",
    ),
    "a function that says global": (f"def define():\n    global standardize\n    {INDENTED}\ndefine()",),
    "set on the main module": (f"import sys\nsetattr(sys.modules['__main__'], 'standardize', {SCALE_LAMBDA})",),
    "updated globals": (f"globals().update(standardize={SCALE_LAMBDA})",),
    "everything from a module": (f"%%writefile mine.py\n{SCALE}", "from mine import *"),
    "a function from a module": (f"%%writefile mine.py\n{SCALE}", "from mine import standardize"),
    "a script that is run": (f"%%writefile mine.py\n{SCALE}", "%run mine.py"),
}
"""Code of which only a run can tell which names it binds."""
FORMS: dict[str, Any] = {
    "below the stub": lambda n: put(n, "scale", SCALE),
    "in front of everything": lambda n: put(n, 0, "import numpy as np", SCALE),
    "above the stub": lambda n: put(n, "test-backward", SCALE),
    "behind its test": lambda n: put(n, "test-scale", SCALE),
    "behind everything": lambda n: put(n, len(n["cells"]), SCALE),
    "in two cells below": lambda n: put(n, "scale", CENTER, SCALE_BY_CENTER),
    "in two cells behind everything": lambda n: put(n, len(n["cells"]), CENTER, SCALE_BY_CENTER),
    "its helper behind everything": lambda n: (
        cell_of(n, "scale").update(source=SCALE_BY_CENTER),
        put(n, len(n["cells"]), "x = 1\nprint(x)", CENTER),
    ),
    "the stub deleted, written elsewhere": lambda n: (without(n, "scale"), put(n, len(n["cells"]), SCALE)),
    "the stub deleted, helper elsewhere": lambda n: (
        without(n, "scale"),
        put(n, len(n["cells"]), CENTER, SCALE_BY_CENTER),
    ),
    "a copy of the cell, the first a stub": lambda n: twice(n, STUB, SCALE),
    "a copy of the cell, the second a stub": lambda n: twice(n, SCALE, STUB),
    "in the test cell": in_test,
    "in another answer's cell": below_another,
    "a lambda": lambda n: put(n, "scale", "standardize = lambda x: (x - x.mean()) / x.std()"),
    "a class": lambda n: put(
        n, "scale", "class standardize:\n    def __new__(cls, x):\n        return (x - x.mean()) / x.std()"
    ),
    "decorated": lambda n: put(
        n, len(n["cells"]), "import functools", f"@functools.lru_cache\ndef one():\n    return 1\n\n{SCALE}"
    ),
    "a partial function": lambda n: put(
        n,
        len(n["cells"]),
        "from functools import partial\ndef scale(eps, x):\n    return (x - x.mean()) / (x.std() + eps)",
        "standardize = partial(scale, 0.0)",
    ),
    "in a branch": lambda n: put(n, "scale", f"if True:\n    {SCALE.replace(chr(10), chr(10) + '    ')}"),
    "with a magic above": lambda n: put(n, len(n["cells"]), f"%time\n{SCALE}"),
    "beside a line that does not parse": lambda n: put(n, len(n["cells"]), f"x = = 1\n{SCALE}"),
    "only a comment is left of the stub": lambda n: (
        cell_of(n, "scale").update(source="# see the end"),
        put(n, len(n["cells"]), SCALE),
    ),
    "by its name in globals": lambda n: put(n, "scale", f"globals()['standardize'] = {SCALE_LAMBDA}"),
    "a dataclass": lambda n: put(n, "scale", CALLED_CLASS),
    "a method of an object": lambda n: put(n, "scale", f"{CALLED_CLASS}\nstandardize = standardize.of"),
    "indented as in a function": lambda n: put(n, "scale", f"    {INDENTED}"),
    "pasted from a console": lambda n: put(n, "scale", f">>> {SCALE.replace(chr(10), chr(10) + '... ')}"),
    "pasted from IPython": lambda n: put(n, "scale", f"In [12]: {SCALE.replace(chr(10), chr(10) + '    ...: ')}"),
    "of a library, imported as a whole behind everything": lambda n: (
        cell_of(n, "scale").update(source="def standardize(x):\n    return (x - x.mean()) / sqrt(x.var())"),
        put(n, len(n["cells"]), "import sys\nfrom math import *"),
    ),
    "in a with block": lambda n: put(n, "scale", f"with np.errstate(all='ignore'):\n    {INDENTED}"),
    "in a try": lambda n: put(n, "scale", f"try:\n    import torchvision\nexcept ImportError:\n    {INDENTED}"),
    "chosen by a match": lambda n: put(n, "scale", f"match 1:\n  case 1:\n    {INDENTED}"),
    "a loop over candidates": lambda n: put(
        n, len(n["cells"]), f"for standardize in (None, {SCALE_LAMBDA}):\n    pass"
    ),
    "a walrus": lambda n: put(n, len(n["cells"]), f"print(standardize := ({SCALE_LAMBDA}))"),
    "composed": lambda n: put(n, len(n["cells"]), "from functools import reduce", CENTER, COMPOSED),
    "wrapped by a decorator of one's own": lambda n: put(n, len(n["cells"]), DECORATOR, f"@traced\n{SCALE}"),
    "vectorized over channels": lambda n: put(
        n,
        "scale",
        "@np.vectorize\ndef root(v):\n    return v**0.5",
        "def standardize(x):\n    return center(x) / root(x.var())",
        CENTER,
    ),
    **{f"{form}, below": lambda n, source=source: put(n, "scale", *source) for form, source in DYNAMIC.items()},
    **{
        f"{form}, behind everything": lambda n, source=source: put(n, len(n["cells"]), *source)
        for form, source in DYNAMIC.items()
    },
}


@pytest.fixture(scope="module")
def grader(sandbox: None) -> Iterator[Grader]:
    with Grader(jobs=1) as made:
        yield made


@pytest.mark.sandbox
@pytest.mark.parametrize("form", FORMS)
def test_right_code_has_its_marks_wherever_it_stands(form: str, grader: Grader) -> None:
    made = notebook(REST, change=FORMS[form])
    record = grader.grade(PATIENT, "x", as_file(made))
    assert [(v.grade_id, v.message) for v in record.verdicts if v.outcome != "correct"] == []
    assert record.score == FULL and record.status in ("correct", "repaired")
    if form != "by its name in globals" and form.split(",")[0] not in DYNAMIC:
        assert "scale" in attempted(MASTER, submission_of(MASTER, "ada", as_file(made)).reading)


@pytest.mark.sandbox
def test_wrong_code_in_a_cell_of_its_own_is_wrong_and_not_missing(grader: Grader) -> None:
    record = grader.grade(PATIENT, "x", as_file(notebook(REST, change=lambda n: put(n, "scale", WRONG_SCALE))))
    assert [(v.grade_id, v.outcome) for v in record.verdicts if v.outcome != "correct"] == [("test-scale", "wrong")]


@pytest.mark.sandbox
def test_what_a_later_cell_tries_out_changes_no_answer(grader: Grader) -> None:
    scratch = f"x = center = mean = None\n{WRONG_SCALE}\nstandardize = None"
    record = grader.grade(PATIENT, "x", as_file(notebook(RIGHT, change=lambda n: put(n, len(n["cells"]), scratch))))
    assert (record.score, record.status) == (FULL, "correct")


@pytest.mark.sandbox
def test_not_attempted_is_said_only_after_a_run(grader: Grader) -> None:
    hidden = "exec(compile('number = ' + repr(200), 'x', 'exec')); vars()['values_per_channel'] = number"
    record = grader.grade(PATIENT, "x", as_file(notebook({}, change=lambda n: put(n, "number", hidden))))
    found = {v.grade_id: (v.outcome, v.points) for v in record.verdicts}
    assert found.pop("test-number") == ("correct", 1.0)
    assert set(found.values()) == {("not attempted", 0.0)}


def test_nothing_is_moved_where_everything_is_in_its_place() -> None:
    for answers in (RIGHT, {}, REST):
        assert read_submission(MASTER, as_file(notebook(answers))).moved == ()
    below = notebook(REST, change=lambda n: put(n, "scale", CENTER, SCALE_BY_CENTER))
    reading = read_submission(MASTER, as_file(below))
    assert (reading.moved, reading.repairs, reading.elsewhere) == ((), (), {"scale"})


def test_what_runs_twice_is_only_what_is_needed() -> None:
    cells = ["values = {}\nprint('scratch')\nvalues['a'] = 1", f"y = 3\nz = values\n{SCALE_BY_CENTER}", CENTER]
    made = notebook(REST, change=lambda n: put(n, len(n["cells"]), *cells))
    (again,) = read_submission(MASTER, as_file(made)).moved
    names = [node.name for node in ast.parse(again.source).body if isinstance(node, ast.FunctionDef)]
    assert (again.after, names, len(ast.parse(again.source).body)) == ("scale", ["standardize", "center"], 2)
