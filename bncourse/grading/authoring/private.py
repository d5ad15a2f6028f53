"""A secret and the published masters in; an instructor's own masters, of another structure and other numbers, out.

The structure of `forward` and `backward` changes: which axis holds the channels, the shape of the parameters, what is
kept of the spread, what momentum weighs, the cache, the stages and the order of results. That of `pytorch` changes
too: the channels' axis, the function's arguments, what a module keeps and what momentum weighs, the layout of a
convolution's weight. In all but the first two the arguments of the functions stand in another order. In all assignments
seeds, numbers and the order of options change, as `variants` does it.
"""

import hashlib
import hmac
import random
import re
from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import Any

from bncourse.diagnosis.restated import AXES, GRADIENTS, Restated
from bncourse.grading.authoring.masters import parsed
from bncourse.grading.authoring.private_backward import BACKWARD_TESTS, backward_edits, new_cache
from bncourse.grading.authoring.private_edits import Conventions, Edits, edited, replaced
from bncourse.grading.authoring.private_forward import FORWARD_TESTS, forward_edits
from bncourse.grading.authoring.private_pytorch import (
    PYTORCH_TESTS,
    pytorch_edits,
    torch_conventions,
)
from bncourse.grading.authoring.private_signatures import drawn_signatures, reordered, with_signatures
from bncourse.grading.authoring.private_substitutes import edits_for, with_substitutes
from bncourse.grading.authoring.variants import varied
from bncourse.grading.core.seeds import SEEDS

SECRET = "private.json"  # noqa: S105  (a file's name)
"""The file in a course folder that keeps the secret."""
STRUCTURED = ("backward", "forward", "pytorch")
"""The assignments whose structure changes."""
RESTATED = ("backward", "forward")
"""Those in NumPy, whose functions keep the order of their arguments."""
UNCHANGED: dict[str, tuple[str, ...]] = {
    "forward": ("test-prediction-", "test-forward-default"),
    "backward": ("test-prediction-", "test-projection"),
    "pytorch": ("test-prediction-", "test-function-dtype"),
}
"""Beginnings of the names of tests that ask the same as before, but for numbers."""
_SHAPE = re.compile(r"\((\d+), (\d+), (\d+), (\d+)\)")
_VARIES = re.compile(r"^  varies:.*\n(?:^ {4}.*\n)+", re.MULTILINE)


def conventions(assignment: str, secret: str) -> Restated:
    """The conventions of an assignment in NumPy, drawn by the secret."""
    dice = random.Random(_derived(secret, assignment))  # noqa: S311  (its seed is the secret)
    gradients = [order for order in permutations(GRADIENTS) if order[0] != GRADIENTS[0]]
    column, maps = dice.random() < 0.5, dice.choice(["NHWC", "CNHW"])
    spread, weighs = dice.choice(["std", "precision"]), dice.choice(["new", "old"])
    cache_first, order = dice.random() < 0.5, dice.choice(gradients)
    if assignment == "forward":
        return Restated(column, maps, spread, weighs, cache_first)  # type: ignore[arg-type]
    return Restated(column, maps, spread, gradients=order)  # type: ignore[arg-type]


def private_master(text: str, assignment: str, secret: str) -> str:
    """The text of a master of the instructor's own.

    Parameters
    ----------
    text : str
        The published master, in MyST.
    assignment : str
    secret : str

    Returns
    -------
    str
        The same text for the same secret.

    Raises
    ------
    private_edits.StructureError
        If the published master does not hold what would be changed.
    """
    if assignment in RESTATED:
        own = conventions(assignment, secret)
        text = _with_shapes(text, own)
        text = _restated(text, *_edits(assignment, own, secret), own)
    else:
        if assignment == "pytorch":
            drawn = torch_conventions(random.Random(_derived(secret, "pytorch structure")))  # noqa: S311
            text = _restated(text, pytorch_edits(drawn), PYTORCH_TESTS, drawn.turned)
        cells = list(parsed(text).cells)
        signatures = drawn_signatures(cells, random.Random(_derived(secret, f"{assignment} arguments")))  # noqa: S311
        text = _with_sources(text, cells, with_signatures(cells, *signatures))
        text = with_substitutes(text, lambda _, code: reordered(code, *signatures))
    notebook = parsed(text)
    facts = [_facts(number, cell) for number, cell in enumerate(notebook.cells, start=1)]
    varies = notebook.metadata["bncourse"].get("varies", [])
    year = hashlib.sha256(_derived(secret, f"{assignment} numbers")).hexdigest()[:16] + "x"
    told = [(*fact[:2], cell.source, fact[2]) for fact, cell in zip(facts, notebook.cells, strict=True)]
    sources = [
        SEEDS.sub(lambda seeds: _other_seeds(seeds[0], secret, assignment), source) if kind == "test" else source
        for (_, kind, _), source in zip(facts, varied(told, varies, year), strict=True)
    ]
    return _VARIES.sub("", _with_sources(text, notebook.cells, sources), count=1)


def _restated(text: str, edits: Edits, tests: Mapping[str, str], own: Conventions) -> str:
    """The text with cells, tests and substitutes in other conventions."""

    def changed(answer: str, code: str) -> str:
        for old, new in edits.pop(edits_for(answer)):
            code = replaced(edits_for(answer), code, old, new)
        return code

    text = with_substitutes(text, changed)
    return edited(text, list(parsed(text).cells), edits, tests, own)


def _other_seeds(seeds: str, secret: str, assignment: str) -> str:
    """Other seeds, of which none tells another."""

    def drawn(seed: re.Match[str]) -> str:
        return str(int.from_bytes(_derived(secret, f"{assignment} seed {seed[0]}")[:4], "big") % 1_000_000_000)

    return re.sub(r"\d+", drawn, seeds)


def must_fail(assignment: str, tests: Iterable[str], own: Restated | None = None) -> list[str]:
    """The tests that last year's right answers must not pass, because they ask for something else.

    Parameters
    ----------
    assignment : str
    tests : iterable of str
        All that it has.
    own : Restated, optional
        The conventions of an assignment in NumPy.
    """
    if assignment not in STRUCTURED:
        return []
    same = UNCHANGED[assignment]
    if assignment == "forward" and own is not None:
        same += ("test-start",) if own.weighs == "new" else ()
        same += ("test-inference-law",) if own.column else ()  # columns are broadcast as the law wants it
    return [name for name in tests if not name.startswith(same)]


def _edits(assignment: str, own: Restated, secret: str) -> tuple[Edits, dict[str, str]]:
    if assignment == "forward":
        return forward_edits(own), FORWARD_TESTS
    dice = random.Random(_derived(secret, "cache and stages"))  # noqa: S311
    return backward_edits(own, new_cache(own, dice), sums=dice.random() < 0.5), BACKWARD_TESTS


def _derived(secret: str, what: str) -> bytes:
    return hmac.new(secret.encode(), what.encode(), "sha256").digest()


def _with_shapes(text: str, own: Restated) -> str:
    """The shapes of feature maps in the text, also where the front matter lists those of other years."""

    def turned(shape: re.Match[str]) -> str:
        return f"({', '.join(shape[number + 1] for number in AXES[own.maps])})"

    cells = re.split(r"^(?=nbgrader: \{|\+\+\+ \{)", text, flags=re.MULTILINE)
    code = re.compile(r"[^\n]*kind: (test|answer)")
    return "".join(cell if code.match(cell) else _SHAPE.sub(turned, cell) for cell in cells)


def _facts(number: int, cell: Any) -> tuple[str, str, bool]:
    facts = cell.metadata.get("nbgrader", cell.metadata)
    default = "text" if cell.cell_type == "markdown" else "given"
    return str(facts.get("grade_id", number)), str(facts.get("kind", default)), cell.metadata.get("order") == "fixed"


def _with_sources(text: str, cells: Iterable[Any], sources: Iterable[str]) -> str:
    """The text with other sources of its cells, whatever stands around them."""
    made, place = list[str](), 0
    for cell, source in zip(cells, sources, strict=True):
        start = text.index(cell.source, place)
        made += [text[place:start], source]
        place = start + len(cell.source)
    return "".join(made) + text[place:]
