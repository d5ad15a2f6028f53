"""The statements of a cell, and the names of each, however a student has written them."""

import ast

import pytest

from bncourse.grading.submissions.cell_statements import Names, names_of, statements

LAYOUTS = (
    "x = 1; y = z",
    "x = '''a\nb'''; q = w",
    "@np.vectorize\ndef f(a):\n    # why\n    return a + g(b)",
    "if a:\n\tx = b\nelse:\n        y = c",
    "s = 'é' + u  # ü; v = w\nt = v",
    "(\nx\n) = y \\\n + z",
    "def f(:\n  pass\nx = y\n\nclass A(B):\n    c = d",
    "x = 1\f\ny = x\ndef f(:\n  pass\nx = y",
    "!ls\nfiles = !ls\nx = k",
)


@pytest.mark.parametrize("source", LAYOUTS)
def test_a_statement_is_known_by_its_own_lines(source: str) -> None:
    found = statements(source)
    assert found
    for each in found:
        (alone,) = statements(ast.unparse(ast.parse(each.text)))
        assert alone[1:] == each[1:]


def test_what_a_statement_binds_changes_and_takes_is_told_apart() -> None:
    (only,) = statements("total['a'] = scale(x)")
    assert (only.binds, only.changes) == (frozenset(), {"total"})
    assert only.loads == {"total", "scale", "x"}
    (function,) = statements("def f(x):\n    y = x\n    return y + beta")
    assert (function.binds, function.changes, function.loads) == ({"f"}, frozenset(), {"beta"})


def test_what_is_left_of_a_stub_binds_nothing_until_it_is_bound_again() -> None:
    released = "def f(x):\n    raise NotImplementedError\n\ndef g(x):\n    raise NotImplementedError"
    written = released.replace("def g(x):\n    raise NotImplementedError", "def g(x):\n    return h(x)")
    assert names_of(written, released) == Names(frozenset({"g"}), frozenset({"NotImplementedError", "h"}), {"f"})
    assert names_of("f = 1\n" + released, released).stubs == {"g"}
