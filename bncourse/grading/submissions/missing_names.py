"""An answer in which a name is missing in; the answer with the one line or word that it needs out.

A function that reads a name nobody binds stops wherever it is called, and so loses every test. With that one slip put
right, the tests can say what the rest of the code is worth. Only what is plain is put right: a misspelled name, a
local variable returned under another name, the size of a batch, an array that lies in the cache, a function of NumPy's.
"""

import ast
import builtins
import contextlib
import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from bncourse.grading.core.names import parse, parses

COUNTS = {
    **dict.fromkeys(("N", "n", "m", "M", "B", "batch_size", "count", "num_samples", "n_samples"), "len({})"),
    **dict.fromkeys(("D", "d", "C", "channels", "features", "num_features", "n_features"), "{}.shape[1]"),
}
"""Names of sizes, and what they are of the function's first array."""
CACHED = ("x", "mean", "var", "eps", "inv_std", "std", "x_hat", "gamma", "beta", "x_centered", "axis", "axes", "shape")
NUMPY = (
    *("sqrt", "mean", "var", "std", "zeros", "ones", "zeros_like", "ones_like", "empty_like", "arange", "eye", "exp"),
    *("log", "dot", "outer", "array", "asarray", "newaxis", "square", "linalg", "diag", "tanh", "reshape", "random"),
)
CLOSE = 0.75
"""How alike two names are of which one is taken for the other, misspelled."""
MAX_SOURCE = 20_000
"""Characters of an answer that is looked at."""
MAX_MISSING, MAX_KNOWN, MAX_NAME = 4, 400, 40
"""Missing names of an answer, names that one is compared with, letters of a name; beyond these, nothing is plain."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Mended(NamedTuple):
    """An answer with its missing names."""

    source: str
    said: tuple[str, ...]
    """What was put in, as code: "N = len(dy)" or "y in the place of out"."""


def mended(source: str, known: frozenset[str], asked: frozenset[str] = frozenset()) -> Mended | None:
    r"""Put in what is missing; None where nothing is, or where it is not plain what.

    Parameters
    ----------
    source : str
        The answer, as plain Python.
    known : frozenset of str
        What the notebook's cells bind, this one among them.
    asked : frozenset of str
        What this answer has to bind.

    Examples
    --------
    >>> mended("def f(dy):\n    return dy / N", frozenset())
    Mended(source='def f(dy):\n    N = len(dy)\n    return dy / N', said=('N = len(dy)',))
    >>> mended("def f(x):\n    y = 2 * x\n    return out", frozenset()).said
    ('y in the place of out',)
    >>> mended("def backwards(dy):\n    return dy", frozenset(), frozenset({"backward"})).said
    ('backward = backwards',)
    """
    if len(source) > MAX_SOURCE:
        return None
    lines = source.replace("\r\n", "\n").replace("\r", "\n")  # to Python, each of them ends a line
    try:
        return _mended(lines, known, asked)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def mended_answers(
    code: Mapping[str, str], others: Iterable[str], asked: Mapping[str, frozenset[str]]
) -> dict[str, Mended]:
    """The answers in which something was missing and is put in.

    Parameters
    ----------
    code : mapping of str to str
        The answers, as plain Python.
    others : iterable of str
        The notebook's other cells.
    asked : mapping of str to frozenset of str
        What each answer has to bind.
    """
    known = names_in([*others, *code.values()])
    found = {name: mended(source, known, asked[name]) for name, source in code.items()}
    return {name: one for name, one in found.items() if one is not None}


def _mended(source: str, known: frozenset[str], asked: frozenset[str]) -> Mended | None:
    tree = parse(source)
    if any(alias.name == "*" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names):
        return None
    own = frozenset(_bound(tree, nested=False))
    known |= own | frozenset(dir(builtins))
    renamed, added, said = list[tuple[int, int, int, str]](), list[tuple[int, str]](), list[str]()
    missing = [(function, name) for function in _functions(tree) for name in sorted(_missing(function, known))]
    if len(missing) > MAX_MISSING:
        return None
    for function, name in missing:
        line, other = _line(function, name, known), _other_name(function, name, known)
        if line is not None:
            first = function.body[0]
            added.append((first.lineno - 1, " " * first.col_offset + line))
        elif other is not None:
            places = [node for node in _loads(function) if node.id == name]
            renamed += [(node.lineno - 1, node.col_offset, node.end_col_offset or 0, other) for node in places]
        else:
            return None  # it would stop all the same
        said.append(line or f"{other} in the place of {name}")
    lines = _edited(source.split("\n"), renamed, added)
    for name in sorted(asked - known):
        for other in _alike(name, own - asked)[:1]:
            lines.append(f"{name} = {other}")
            said.append(lines[-1])
    text = "\n".join(lines)
    return Mended(text, tuple(said)) if said and parses(text) else None


def _edited(lines: list[str], renamed: list[tuple[int, int, int, str]], added: list[tuple[int, str]]) -> list[str]:
    """Write other names and more lines into a text, from its end to its beginning, so that places stay as they are."""
    for number, begin, end, other in sorted(renamed, reverse=True):
        text = lines[number].encode()
        lines[number] = (text[:begin] + other.encode() + text[end:]).decode()
    for number, line in sorted(added, reverse=True):
        lines.insert(number, line)
    return lines


def names_in(sources: Iterable[str]) -> frozenset[str]:
    """The names that cells bind, imports among them; of one that is no Python, none."""
    return frozenset().union(*map(_names_of, sources))


@lru_cache(maxsize=256)
def _names_of(source: str) -> frozenset[str]:
    """Of one cell; every submission has the given ones."""
    if len(source) <= MAX_SOURCE:
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            return frozenset(_bound(parse(source), nested=False))
    return frozenset()


def _functions(tree: ast.Module) -> Iterator[Function]:
    """The functions of a cell and of its classes, in their order; those on one line with their head are left out."""
    for node in tree.body:
        for one in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(one, Function) and one.body[0].lineno > one.lineno:
                yield one


def _bound(tree: ast.AST, *, nested: bool = True) -> set[str]:
    """Names that code binds, its arguments and imports among them; those inside of functions only if asked."""
    found = set[str]()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, Function | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name.split(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found.add(node.name)
        if isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
        if nested or not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            found |= _bound(node, nested=nested)
    return found


def _loads(function: Function) -> list[ast.Name]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]


def _missing(function: Function, known: frozenset[str]) -> set[str]:
    """Names that a function reads and that nothing binds."""
    return {node.id for node in _loads(function)} - known - _bound(function)


def _line(function: Function, name: str, known: frozenset[str]) -> str | None:
    """The line that a function lacks, where it is plain from its arguments."""
    arguments = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args) if arg.arg not in ("self", "ctx")]
    if name in CACHED and "cache" in arguments:
        return f'{name} = cache["{name}"]'
    if name in COUNTS and arguments:
        return f"{name} = {COUNTS[name].format(arguments[0])}"
    if name in NUMPY and "np" in known:
        return f"{name} = np.{name}"
    return None


def _other_name(function: Function, name: str, known: frozenset[str]) -> str | None:
    """The name that is meant: one that is spelled nearly so, or the only one that is bound and never read."""
    own = _bound(function)
    alike = _alike(name, own | {one for one in known if not hasattr(builtins, one)})
    if alike and len(name) > 1:
        return alike[0]
    arguments = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    unread = own - {node.id for node in _loads(function)} - arguments - {"_"}
    return next((one for one in unread if len(unread) == 1 and len(one) <= MAX_NAME), None)


def _alike(name: str, names: Iterable[str]) -> list[str]:
    """The names that are spelled nearly so, the nearest first; none where there are too many to compare."""
    near = sorted(one for one in names if abs(len(one) - len(name)) <= 3)
    if len(name) > MAX_NAME or len(near) > MAX_KNOWN:
        return []
    return difflib.get_close_matches(name, near, 2, CLOSE)
