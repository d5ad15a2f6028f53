"""What is compiled before its turn, and what is not."""

import ast

import pytest

from bncourse.grading.sandbox.inside import statements


@pytest.mark.parametrize("source", ["from __future__ import annotations\nx = 1\nx + 1", "x = 1\nx +", "return 1"])
def test_what_cannot_be_compiled_for_everybody_is_left_to_each_run(source: str) -> None:
    statements.learn("cell", source)
    assert ("cell", source) not in statements.GIVEN


DEFINITIONS = [
    "def f(x):\n    return x\n",
    "# mine\n\ndef f(\n    x,\n):\n    # first\n# a remark\n    return x",
    "class A:\n    x = 1\n\n    def f(self):\n        return 'def'",
    "def f(): x = 1; return x",
    'def f():\n    """\n    text\n    """',
]
OTHERS = [
    "def f(x):\n    return x\nf(1)",
    "def f(x):\n    return x\n\ndef g(x):\n    return x",
    "@property\ndef f(x):\n    return x",
    "x = 1",
    "def f(x):\n    return (",
    "def f(x):\n    '''\ntext\n'''",
    "def f(x):\n\treturn x\n        return x",
    "return 1",
    "",
]


@pytest.mark.parametrize("source", DEFINITIONS)
def test_one_definition_is_compiled_from_its_text(source: str) -> None:
    assert len(ast.parse(source).body) == 1
    (statement,) = statements.one_definition(source, "<cell>", 0)
    assert statement.code and statement.code.co_filename == "<cell>"


@pytest.mark.parametrize("source", OTHERS)
def test_what_is_not_one_definition_is_taken_statement_by_statement(source: str) -> None:
    assert statements.one_definition(source, "<cell>", 0) == []
