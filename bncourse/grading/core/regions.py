"""A cell's text in; the same without its solution or hidden tests out, cut as nbgrader cuts it."""

from typing import NamedTuple


class Region(NamedTuple):
    """The words on the lines that begin and end a region."""

    begin: str
    end: str


SOLUTION = Region("BEGIN SOLUTION", "END SOLUTION")
HIDDEN_TESTS = Region("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")

CODE_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
"""What nbgrader puts in the place of a solution in code."""
TEXT_STUB = "YOUR ANSWER HERE"
"""What nbgrader puts in the place of a written solution."""


class RegionError(ValueError):
    """A region that is nested, or never ends."""


def without_region(source: str, region: Region, stub: str = "") -> str:
    r"""The source without what stands between the markers; each region leaves the stub, indented as its first line.

    Parameters
    ----------
    source : str
        A cell's text.
    region : Region
        Which region to cut out.
    stub : str
        Lines to put in its place; none if empty.

    Raises
    ------
    RegionError
        If a region begins inside another of its kind, ends without a beginning, or never ends.

    Examples
    --------
    >>> without_region("a = 1\n### BEGIN SOLUTION\nb = 2\n### END SOLUTION\nc = 3", SOLUTION)
    'a = 1\nc = 3'
    """
    kept: list[str] = []
    inside = False
    for line in source.split("\n"):
        if region.begin in line:
            if inside:
                raise RegionError(f"{region.begin} stands inside another region.")
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            kept.extend(indent + part for part in stub.split("\n") if stub)
        elif region.end in line:
            if not inside:
                raise RegionError(f"{region.end} stands without a beginning.")
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise RegionError(f"{region.begin} has no {region.end}.")
    return "\n".join(kept)


def released_source(source: str, cell_type: str) -> str:
    """A cell's text as students see it."""
    stub = CODE_STUB if cell_type == "code" else TEXT_STUB
    return without_region(without_region(source, SOLUTION, stub), HIDDEN_TESTS)


def within_region(source: str, region: Region) -> str:
    r"""What stands between the markers, and nothing else.

    >>> within_region("a\n### BEGIN SOLUTION\nb\n### END SOLUTION\nc", SOLUTION)
    'b'
    """
    kept: list[str] = []
    inside = False
    for line in source.split("\n"):
        if region.begin in line or region.end in line:
            inside = region.begin in line
        elif inside:
            kept.append(line)
    return "\n".join(kept)


def hidden_lines(source: str) -> frozenset[int]:
    """Return the numbers of the lines that students do not see."""
    hidden: set[int] = set()
    inside = False
    for number, line in enumerate(source.split("\n"), start=1):
        inside = inside or HIDDEN_TESTS.begin in line
        if inside:
            hidden.add(number)
        inside = inside and HIDDEN_TESTS.end not in line
    return frozenset(hidden)
