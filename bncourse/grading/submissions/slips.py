"""An answer with a slip that stops it in; the answer with that one word put right out.

A function that says `dim` where NumPy says `axis`, or `cache["xhat"]` where the cache has `x_hat`, stops wherever it is
called, and so loses every test. With the slip put right, the tests can say what the rest of the code is worth. Only
what is plain is put right: a word that exists in the place of one that does not, and brackets of the wrong kind.
"""

import ast
import difflib
import re
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, FunctionType
from typing import Any, NamedTuple

from bncourse.grading.core.names import parse
from bncourse.grading.submissions.missing_names import MAX_SOURCE, Mended

REDUCTIONS = ("mean", "var", "std", "sum", "max", "min", "prod", "argmax")
AXIS_WORDS = {
    "dim": "axis",
    "dims": "axis",
    "axes": "axis",
    "axises": "axis",
    "keepdim": "keepdims",
    "keep_dims": "keepdims",
}
"""Keywords of other libraries, and NumPy's."""
SHAPED, JOINED = ("zeros", "ones", "empty"), ("concatenate", "stack", "vstack", "hstack")
"""Functions of NumPy's that take a shape, and those that take a list of arrays, as one argument."""
SCALAR = ("sqrt", "exp", "log", "tanh")
"""Functions of `math` that take no array."""
CTX = ("saved_tensors", "save_for_backward", "needs_input_grad", "mark_non_differentiable")
TYPES = (dict, list, tuple, str, float)
_WORDS = re.compile(r"[\w .:-]{1,40}")
"""A key that can be written into code, and said, as it is."""
MAX_SLIPS, CLOSE = 12, 0.75
"""Slips of an answer, beyond which nothing is plain, and how alike two words are."""


class Edit(NamedTuple):
    """A part of the code, what is written in its place, and how that is said."""

    begin: tuple[int, int]
    end: tuple[int, int]
    text: str
    said: str


class Known(NamedTuple):
    """What the notebook's code says elsewhere."""

    keys: frozenset[str]
    attributes: frozenset[str]
    keyword_only: dict[str, tuple[int, tuple[str, ...]]]
    """For each function with arguments that can only be named, how many others it has, and their names."""


def known_in(sources: Iterable[str]) -> Known:
    """Look for keys, attributes and functions in the notebook's cells."""
    keys, attributes, functions = set[str](), set[str](), dict[str, tuple[int, tuple[str, ...]]]()
    for source in sources:
        for node in ast.walk(_parsed(source) or ast.Module([], [])):
            if isinstance(node, ast.Dict):
                keys |= {key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
                keys |= {keyword.arg for keyword in node.keywords if keyword.arg}
            elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
                keys |= {_key(node)} - {""}
                attributes |= {node.attr} if isinstance(node, ast.Attribute) else set()
            elif isinstance(node, ast.FunctionDef) and not node.args.vararg:
                attributes.add(node.name)
                if node.args.kwonlyargs:
                    few = len(node.args.posonlyargs) + len(node.args.args)
                    functions[node.name] = few, tuple(each.arg for each in node.args.kwonlyargs)
    return Known(frozenset(keys), frozenset(attributes), functions)


def answers_without_slips(code: dict[str, str], others: list[str], torch: bool) -> dict[str, Mended]:
    """Put right what stops the answers, by their names; those in which there is nothing plain are left out.

    Parameters
    ----------
    code : dict
        The answers that are code, as plain Python.
    others : list of str
        The notebook's other cells.
    torch : bool
        Whether arrays are tensors.
    """
    known = known_in([*others, *code.values()])
    found = {name: without_slips(source, known, torch=torch) for name, source in code.items()}
    return {name: one for name, one in found.items() if one is not None}


def without_slips(source: str, known: Known, *, torch: bool = False) -> Mended | None:
    r"""Put right what stops the code; None where nothing plain does.

    Parameters
    ----------
    source : str
        The answer, as plain Python.
    known : Known
        What the notebook's cells say, this one among them.
    torch : bool
        Whether arrays are tensors, which know `dim` and `size()`.

    Examples
    --------
    >>> without_slips("def f(x):\n    return x.mean(dim=0)", known_in([]))
    Mended(source='def f(x):\n    return x.mean(axis=0)', said=('axis in the place of dim',))
    """
    tree = _parsed(source)
    if tree is None:
        return None
    edits = list(dict.fromkeys(edit for node in ast.walk(tree) for edit in _slips(node, source, known, torch)))
    edits = [one for one in edits if not any(_inside(one, other) for other in edits)]
    if not edits or len(edits) > MAX_SLIPS:
        return None
    text = _edited(source, edits)
    return Mended(text, tuple(dict.fromkeys(edit.said for edit in edits))) if _parsed(text) else None


def _parsed(source: str) -> ast.Module | None:
    if len(source) > MAX_SOURCE:
        return None
    try:
        return parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _inside(one: Edit, other: Edit) -> bool:
    return one != other and other.begin <= one.begin and one.end <= other.end


def _edited(source: str, edits: list[Edit]) -> str:
    lines = [line.encode() for line in source.split("\n")]
    for (row, column), (last, end), text, _ in sorted(edits, reverse=True):
        lines[row - 1 : last] = [lines[row - 1][:column] + text.encode() + lines[last - 1][end:]]
    return b"\n".join(lines).decode()


def _slips(node: ast.AST, source: str, known: Known, torch: bool) -> Iterator[Edit]:
    if isinstance(node, ast.Attribute):
        yield from _attribute(node, known, torch)
    elif isinstance(node, ast.Subscript):
        yield from _subscript(node, source, known)
    elif isinstance(node, ast.Call):
        yield from _keyword_only(node, source, known)
        if not torch:
            yield from _numpy_call(node, source)


def _attribute(node: ast.Attribute, known: Known, torch: bool) -> Iterator[Edit]:
    base = node.value.id if isinstance(node.value, ast.Name) else ""
    if base == "math" and node.attr in SCALAR and not torch:
        yield _at(node.value, "np", "np in the place of math")
        return
    if base == "np":
        exists, words = hasattr(_numpy(), node.attr), [word for word in dir(_numpy()) if word.islower()]
    elif base == "ctx":
        exists, words = node.attr in CTX or node.attr in known.attributes, list(CTX)
    else:
        exists = torch or base in ("self", "math") or node.attr in known.attributes | known.keys
        exists = exists or any(hasattr(kind, node.attr) for kind in (_numpy().ndarray, *TYPES))
        words = [word for word in dir(_numpy().ndarray) if not word.startswith("_")]
    near = [] if exists else _alike(node.attr, words)
    if near:
        end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
        begin = (end[0], end[1] - len(node.attr.encode()))
        yield Edit(begin, end, near[0], f"{near[0]} in the place of {node.attr}")


def _subscript(node: ast.Subscript, source: str, known: Known) -> Iterator[Edit]:
    key = _key(node)
    if key and known.keys and key not in known.keys and isinstance(node.ctx, ast.Load):
        near = _alike(key, filter(_WORDS.fullmatch, known.keys))
        if near:
            yield _at(node.slice, f'"{near[0]}"', f'"{near[0]}" in the place of "{key}"')
    elif _is_function(node.value):
        called = f"{_text(source, node.value)}({_text(source, node.slice)})"
        yield _at(node, called, f"round brackets behind {_text(source, node.value)}")


def _keyword_only(node: ast.Call, source: str, known: Known) -> Iterator[Edit]:
    if not isinstance(node.func, ast.Name) or node.func.id not in known.keyword_only:
        return
    few, names = known.keyword_only[node.func.id]
    starred = any(isinstance(each, ast.Starred) for each in node.args)
    if not starred and few < len(node.args) <= few + len(names):
        for argument, name in zip(node.args[few:], names, strict=False):
            yield _at(argument, f"{name}={_text(source, argument)}", f"{name}= before an argument of {node.func.id}")


def _numpy() -> Any:
    """NumPy, which only the process loads that looks at such code."""
    import numpy

    return numpy


def _numpy_call(node: ast.Call, source: str) -> Iterator[Edit]:
    if not isinstance(node.func, ast.Attribute):
        return
    name, is_numpy = node.func.attr, isinstance(node.func.value, ast.Name) and node.func.value.id == "np"
    for keyword in node.keywords if name in REDUCTIONS else []:
        word = AXIS_WORDS.get(keyword.arg or "")
        if word:
            begin = (keyword.lineno, keyword.col_offset)
            end = (keyword.lineno, keyword.col_offset + len((keyword.arg or "").encode()))
            yield Edit(begin, end, word, f"{word} in the place of {keyword.arg}")
        elif keyword.arg in ("unbiased", "correction") and isinstance(keyword.value, ast.Constant):
            yield _at(keyword, f"ddof={int(bool(keyword.value.value))}", f"ddof in the place of {keyword.arg}")
    if name in ("shape", "T", "ndim", "size") and not is_numpy and not node.keywords and len(node.args) <= 1:
        place = f"[{_text(source, node.args[0])}]" if node.args and name == "shape" else ""
        if place or not node.args:
            yield _at(node, f"{_text(source, node.func)}{place}", f"no round brackets behind .{name}")
    if not is_numpy or any(isinstance(each, ast.Starred) for each in node.args) or len(node.args) < 2:
        return
    second = node.args[1]
    if name in SHAPED and not _is_dtype(second):
        yield _wrapped(node, source, "({})", f"one shape for np.{name}")
    elif name in JOINED and not isinstance(second, ast.Constant):
        yield _wrapped(node, source, "[{}]", f"one list for np.{name}")


def _is_dtype(node: ast.expr) -> bool:
    """Whether an argument may say of which type an array is."""
    if isinstance(node, ast.Attribute):
        return node.attr == "dtype" or (isinstance(node.value, ast.Name) and node.value.id == "np")
    is_word = isinstance(node, ast.Constant) and not isinstance(node.value, int)
    return is_word or (isinstance(node, ast.Name) and node.id in ("float", "int", "bool", "complex", "dtype"))


def _wrapped(node: ast.Call, source: str, form: str, said: str) -> Edit:
    first, last = node.args[0], node.args[-1]
    text = form.format(", ".join(_text(source, each) for each in node.args))
    return Edit((first.lineno, first.col_offset), (last.end_lineno or 0, last.end_col_offset or 0), text, said)


def _is_function(node: ast.expr) -> bool:
    """Whether square brackets behind it are a slip: `len`, or a function of NumPy's."""
    if isinstance(node, ast.Name):
        return node.id in ("len", "sum", "abs", "max", "min", "range")
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np":
        return isinstance(getattr(_numpy(), node.attr, None), _numpy().ufunc | FunctionType | BuiltinFunctionType)
    return False


def _key(node: ast.AST) -> str:
    """The word in the brackets of a dictionary."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return node.slice.value
    return ""


def _at(node: ast.expr | ast.keyword, text: str, said: str) -> Edit:
    return Edit((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0), text, said)


def _text(source: str, node: ast.AST) -> str:
    return ast.get_source_segment(source, node) or ""


def _alike(word: str, words: Iterable[str]) -> list[str]:
    """The word that is spelled nearly so, underscores aside."""
    near = sorted(one for one in words if abs(len(one) - len(word)) <= 3)
    same = [one for one in near if one.replace("_", "").lower() == word.replace("_", "").lower()]
    return same[:1] or difflib.get_close_matches(word, near, 1, CLOSE)
