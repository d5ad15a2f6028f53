"""A name that is missing is put in where it is plain what is meant, and nothing else is changed."""

import time

import pytest

from bncourse.grading.submissions.missing_names import mended, names_in

KNOWN = names_in(["import numpy as np", "def helper(x):\n    return x"])
CACHE = "def backward(dy, cache):\n    "

PLAIN = {
    "N = len(dy)": CACHE + "return dy - dy.sum(axis=0) / N",
    "m = len(x)": "def forward(x, gamma, beta, *, eps=1e-5):\n    mean = x.sum(0) / m\n    return mean",
    "D = dy.shape[1]": CACHE + "return dy / D",
    'x_hat = cache["x_hat"]': CACHE + "return (dy * x_hat).sum(axis=0)",
    "sqrt = np.sqrt": "def root(x):\n    return sqrt(x)",
    "y in the place of out": "def forward(x, gamma, beta):\n    y = gamma * x + beta\n    return out",
    "inv_std in the place of inv_sdt": "def forward(x):\n    inv_std = 1 / np.sqrt(x.var(0))\n    return x * inv_sdt",
    "helper in the place of helpr": "def forward(x):\n    return helpr(x)",
    "N = len(x)": "class Layer:\n    def forward(self, x):\n        return x.sum(0) / N",
}


@pytest.mark.parametrize("said", PLAIN)
def test_what_is_plain_is_put_in(said: str) -> None:
    found = mended(PLAIN[said], KNOWN)
    assert found is not None and found.said == (said,)
    assert mended(found.source, KNOWN) is None


RIGHT = (
    "def f(dy):\n    N = len(dy)\n    return [n / N for n in dy]",
    "def f(x, *more, **rest):\n    with x as file:\n        import math\n        return file, more, rest, math",
    "def f(x):\n    try:\n        return x\n    except ValueError as error:\n        raise TypeError from error",
    "def f(x):\n    def inner(a):\n        return lambda b: a + b + x\n    return inner(x)",
    "def f(x):\n    if (n := len(x)) > 1:\n        del x\n    return n, helper(n), __name__",
    "def f(x):\n    match x:\n        case [first, *others]:\n            return first, others",
)


@pytest.mark.parametrize("source", RIGHT)
def test_code_that_lacks_nothing_stays_as_it_is(source: str) -> None:
    assert mended(source, KNOWN) is None


UNKNOWN = (
    "def f(x):\n    return whatever(x)",
    "from math import *\ndef f(x):\n    return floor(x)",
    "def f(x:\n    return N",
    "def f(x): return x / N",
    "def f(dy):\n    return dy / N + whatever",
    "print(N)",
    "",
    "def f(x):\n    return " + "(" * 5_000 + "N" + ")" * 5_000,
    "x = 1\n" * 20_000 + "def f(x):\n    return N",
)


@pytest.mark.parametrize("source", UNKNOWN, ids=lambda source: source[:20])
def test_what_is_not_plain_is_left(source: str) -> None:
    assert mended(source, KNOWN) is None


def test_several_names_on_one_line_of_letters_beyond_ascii() -> None:
    found = mended("def f(größe):\n    ergebnis = größe\n    return ergebniss + größse + ergebniss, N", KNOWN)
    assert found is not None
    assert found.source.split("\n")[1:] == ["    N = len(größe)", "    ergebnis = größe", found.source.split("\n")[3]]
    assert found.source.endswith("return ergebnis + größe + ergebnis, N")


@pytest.mark.parametrize(
    "source",
    [
        "\n".join(f"def f{n}(x):\n    return value_{n}x\nvalue_{n} = 1" for n in range(400)),
        "\n".join(f"value_{n:04} = 1" for n in range(1200)) + "\ndef f(x):\n    return value_xxxx",
        f"{'a' * 9000}b = 1\ndef f(x):\n    return {'a' * 9000}c",
    ],
    ids=["many missing", "many known", "long names"],
)
def test_what_would_take_long_to_compare_is_left_as_it_is(source: str) -> None:
    begin = time.process_time()
    assert mended(source, frozenset()) is None
    assert time.process_time() - begin < 1


def test_a_deep_answer_is_left_as_it_is() -> None:
    deep = f"x = a{'.b' * 2500}\ndef f(dy):\n    return dy / N"
    assert mended(deep, frozenset()) is None and names_in([deep]) == frozenset()


def test_a_name_is_found_at_its_place_whatever_ends_a_line_and_however_it_is_written() -> None:
    for source in ("def f(x):\r    y = 2 * x\r    return out", "def f(x):\r\n    y = 2 * x\r\n    return out"):
        found = mended(source, frozenset())
        assert found is not None and found.source == "def f(x):\n    y = 2 * x\n    return y"
    wide = mended("def f(x):\n    y = 2 * x\n    return \uff4f\uff55\uff54 + 1", frozenset())
    assert wide is not None and wide.source.endswith("return y + 1")


def test_a_name_of_great_length_is_not_said() -> None:
    assert mended(f"def f(x):\n    {'y' * 5_000} = 2 * x\n    return out", frozenset()) is None
