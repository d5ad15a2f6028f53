import pytest

from bncourse.grading.core.regions import HIDDEN_TESTS, SOLUTION, RegionError, without_region


def test_a_region_leaves_its_stub_with_the_indent_of_its_first_line() -> None:
    source = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    assert without_region(source, SOLUTION, "# HERE\nraise") == "def f():\n    # HERE\n    raise"


def test_each_of_several_regions_is_cut_out() -> None:
    source = "a\n# BEGIN HIDDEN TESTS\nb\n# END HIDDEN TESTS\nc\n# BEGIN HIDDEN TESTS\nd\n# END HIDDEN TESTS"
    assert without_region(source, HIDDEN_TESTS) == "a\nc"


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nx",
        "x\n### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION\n### END SOLUTION",
    ],
)
def test_a_region_that_is_not_closed_or_is_nested_is_refused(source: str) -> None:
    with pytest.raises(RegionError):
        without_region(source, SOLUTION)
