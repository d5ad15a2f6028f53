"""Which mistaken program gives the student's numbers? One question of an assignment, and its search.

Each belief is a slip in one program. The program with one slip, then with two, is run beside the student's function;
what gives the same numbers is tried again on inputs that the search has not used. A belief is said only where no
other program explains them too.
"""

import contextlib
import copy
import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from bncourse.diagnosis.call import EngineError
from bncourse.diagnosis.catalogue import and_also, task_beliefs
from bncourse.diagnosis.report import Misconception, finding

Array = np.ndarray[Any, Any]
Given = Mapping[str, Any]

SEEDS = (20_150, 3_167, 1_502)
"""The first is for the search, the others for what it finds."""
CLOSE = 1e-8
"""How far apart two results may be, relative to the largest number, that come of the same program."""


class Inputs(NamedTuple):
    """The arguments of one call."""

    arguments: tuple[Any, ...]
    options: dict[str, Any] = {}  # noqa: RUF012  (never written to)


class Slips(frozenset[str]):
    """What a program has wrong: ids of beliefs, with "/2" and so on for another way of writing the same one."""

    def beliefs(self) -> tuple[str, ...]:
        """The beliefs themselves, each once."""
        return tuple(sorted({slip.split("/")[0] for slip in self}))

    def in_way(self, belief: str, number: int) -> bool:
        """Whether a belief is written in its first way (0), its second, and so on."""
        return (f"{belief}/{number + 1}" if number else belief) in self


@dataclass(frozen=True)
class Such:
    """A result that is known by a property, where the same mistake gives many: other signs, another order."""

    holds: Callable[[Array], bool]


ANY = Such(lambda _: True)
"""A part of a result that another question asks for, whatever it is."""


@dataclass(frozen=True)
class Question:
    """What one answer must return, and the mistaken programs that are known for it.

    Parameters
    ----------
    inputs : callable
        `inputs(rng, given)`, one `Inputs` or a list of them: other numbers for another generator, and no round ones.
    program : callable
        `program(slips, given, *arguments, **options)`: the result, right where there are no slips. It may keep in
        `given["kept"]`, a dictionary, what several programs need.
    parts : tuple of str
        The headings of the catalogue whose beliefs may be named, in this order.
    pairs : bool
        Whether two slips at once are tried.
    given : tuple of str
        Functions of the notebook that the programs need.
    """

    inputs: Callable[[np.random.Generator, Given], Inputs | list[Inputs]]
    program: Callable[..., Any]
    parts: tuple[str, ...]
    pairs: bool = True
    given: tuple[str, ...] = ()
    silent: frozenset[str] = frozenset()
    """What the notebook itself has wrong, for its readers to find: nothing is said of it."""
    ways: Mapping[str, int] = field(default_factory=dict)
    """How many ways of writing a belief are known, where it is more than one."""
    reads: Callable[[Any, Given], Callable[..., Any]] | None = None
    """Makes a function of numbers of what the student wrote, where that is a class or computes with tensors."""

    def cases(self, given: Given) -> Iterator[list[Inputs]]:
        """Calls for the search, and those that are kept back from it."""
        for seed in SEEDS:
            calls = self.inputs(np.random.default_rng(seed), given)
            yield calls if isinstance(calls, list) else [calls]

    def slips(self) -> list[str]:
        """Every slip, in the catalogue's order."""
        found = [entry.id for entry in task_beliefs().values() if entry.part in self.parts]
        return [name for one in found for name in (one, *(f"{one}/{n}" for n in range(2, self.ways.get(one, 1) + 1)))]

    def run(self, slips: Slips, given: Given, case: list[Inputs]) -> list[Any] | None:
        """What the program with these slips returns from each call; None where it cannot be run."""
        with _silence():
            return self._run(slips, given, case)

    def _run(self, slips: Slips, given: Given, case: list[Inputs]) -> list[Any] | None:
        return _called(lambda *arguments, **options: self.program(slips, given, *arguments, **options), case)

    def explain(self, function: Callable[..., Any], given: Given = MappingProxyType({})) -> tuple[str, ...]:
        """Name the beliefs that give what a function returns; none where it is right, or unknown."""
        with _silence():
            return self._explained(function, given)

    def _explained(self, function: Callable[..., Any], given: Given) -> tuple[str, ...]:
        given = {**given, "kept": {}}
        cases = self.cases(given)
        case = next(cases)
        function = self.reads(function, given) if self.reads else function
        found = _called(function, case)
        right = [Slips(), Slips(self.silent)] if self.silent else [Slips()]
        if found is None or any(same(found, self._run(one, given, case)) for one in right):
            return ()
        kept_back, others = list(cases), list[Any]()
        for programs in self._programs():
            fitting = [one for one in programs if same(found, self._run(one, given, case))]
            if fitting and not others:
                others = [_called(function, one) for one in kept_back]
            for other, another in zip(others, kept_back, strict=True) if fitting else ():
                fitting = [one for one in fitting if same(other, self._run(one, given, another))]
            if fitting:
                return _in_common(fitting)
        return ()

    def _programs(self) -> Iterator[list[Slips]]:
        """Programs with one slip, and then with two."""
        slips = self.slips()
        yield [Slips({one}) for one in slips]
        if self.pairs:
            yield [Slips(two) for two in combinations(slips, 2) if len(Slips(two).beliefs()) == 2]


def _in_common(fitting: list[Slips]) -> tuple[str, ...]:
    """Of programs that nobody can tell apart, what all of them believe; of single beliefs, the catalogue's first."""
    if len(fitting[0].beliefs()) == 1:
        return fitting[0].beliefs()
    shared = set(fitting[0].beliefs()).intersection(*(one.beliefs() for one in fitting))
    return tuple(one for one in task_beliefs() if one in shared)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Let no warning be said of numbers that are none."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _copied(value: Any) -> Any:
    return value.copy() if type(value) is np.ndarray else copy.deepcopy(value)


def _called(function: Callable[..., Any], case: list[Inputs]) -> list[Any] | None:
    """The results of calls on copies; None where one raises: a test says so in its own words."""
    try:
        return [function(*map(_copied, call.arguments), **call.options) for call in case]
    except EngineError:
        raise
    except Exception:
        return None


def same(found: Any, expected: Any) -> bool:
    """Whether two results are the same numbers in the same structure, up to rounding."""
    if expected is ANY:
        return True
    if expected is None or found is None:
        return False
    try:
        if isinstance(expected, tuple | list) and not isinstance(found, str):
            parts = [found[name] for name in range(len(found))] if hasattr(found, "__len__") else list(found)
            return len(parts) == len(expected) and all(map(same, parts, expected))
        if isinstance(expected, dict):
            missing = {name for name, value in expected.items() if value is None}
            return not missing & set(found) and all(same(found[n], expected[n]) for n in expected.keys() - missing)
        read = np.asarray(found, dtype=float)
        if isinstance(expected, Such):
            return bool(expected.holds(read))
        wanted = np.asarray(expected, dtype=float)
        if read.shape != wanted.shape or not np.isfinite(wanted).any():
            return False
        size = np.abs(wanted[np.isfinite(wanted)]).max()
        return bool(np.isclose(read, wanted, rtol=0, atol=CLOSE * max(size, 1e-300), equal_nan=True).all())
    except Exception:
        return False


def name_belief(name: str, function: Any, **given: Any) -> None:
    """Raise what a function's numbers say about its author's belief; do nothing where they are right, or say nothing.

    Parameters
    ----------
    name : str
        The assignment and the question, such as "shift/weights".
    function : callable
        The student's.
    **given
        Functions of the notebook that the question's programs use; `tensor` makes a tensor of an array.

    Raises
    ------
    Misconception
        If a known mistaken program gives the same numbers, on all inputs that are tried.
    """
    beliefs = _question(name).explain(function, given)
    if beliefs:
        more = [and_also(task_beliefs()[one]) for one in beliefs[1:]]
        raise finding(beliefs[0], remark="\n".join(more)).misconception()


def is_right_with(name: str, found: Any, arguments: Any, options: Mapping[str, Any], **given: Any) -> bool:
    """Whether a result is what a right program gives with the student's own functions for the steps before it.

    A mistake in those was charged in their own tests, and is not charged again.

    Parameters
    ----------
    name : str
        The assignment and the question, such as "training/sweep-rates".
    found
        What the student's function returned.
    arguments, options
        What it was called with.
    **given
        Functions of the notebook that the question's programs use.
    """
    own = _question(name).run(Slips(), {**given, "kept": {}}, [Inputs(tuple(arguments), dict(options))])
    return same([found], own)


def _question(name: str) -> Question:
    task, _, short = name.partition("/")
    question: Question = importlib.import_module(f"bncourse.diagnosis.tasks.{task}").QUESTIONS[short]
    return question


def believes(belief: str) -> Misconception:
    """Make what a test raises where it has seen itself what is believed."""
    return finding(belief).misconception()
