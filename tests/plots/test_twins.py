import pytest

from bncourse.plots.twins import code_lines, difference


def test_strings_that_are_values_stay_and_those_that_explain_go() -> None:
    explained = 'def f():\n    """Text\n\n    of it.\n    """\n    return "x"'
    source = 'A = "# no comment"  # a comment\n"""Explains A."""\n\n' + explained
    assert code_lines(source) == ['A = "# no comment"', "def f():", '    return "x"']


def test_the_table_shows_both_sides_of_a_line() -> None:
    found = difference("functional")
    assert ("import numpy as np", "import torch") in found.pairs
    assert found.lines == str(found).count("\n")
    assert "<code>import torch</code>" in found._repr_html_()
    assert f": {found.lines} lines of" in found.caption


def test_a_file_that_only_one_package_has_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        difference("autograd")
