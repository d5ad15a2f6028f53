"""Which statements of a page only put numbers into its text: a reader who runs the page has no use for them.

Such a statement calls `glue`, or a function of the page that does, or stands in a hidden cell; and nothing that it
binds or changes is needed later. Random numbers count as changed by what may draw from them.
"""

import ast

from statements import Statement, statements

GLUE = "glue"

BINDING = (ast.Assign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.For)
"""Statements after which the names that they bind mean something else than before; a loop runs at least once."""


def spread(first: set[str], cells: list[tuple[Statement, ...]]) -> set[str]:
    """These names, and those of the functions that use one of them, at any remove."""
    reached = set(first)
    for one in (one for cell in cells for one in cell):
        if isinstance(one.node, ast.FunctionDef) and one.used & reached:
            reached |= one.bound
    return reached


def without_text_numbers(sources: list[str], hidden: list[bool]) -> list[str]:
    """The cells' code without what only serves the numbers in the text.

    Parameters
    ----------
    sources : list of str
        The code cells of one page, in order.
    hidden : list of bool
        Which of them are hidden: what these compute for no later cell is left out too.

    Returns
    -------
    list of str
        What is left of each, in the form it had where all is left; comments alone count for nothing.
    """
    cells = [statements(source) for source in sources]
    gluing = spread({GLUE}, cells)
    drawn = {name for cell in cells for one in cell if "default_rng" in one.text for name in one.bound}
    drawing = spread(drawn, cells)
    needed: set[str] = set()
    kept: list[list[str]] = [[] for _ in cells]
    for place in reversed(range(len(cells))):
        for one in reversed(cells[place]):
            touched = one.bound | one.changed | (drawing if one.used & drawing else set())
            binds = hidden[place] and isinstance(one.node, BINDING)
            if (binds or (one.used | one.bound) & gluing) and not touched & needed:
                continue
            kept[place].insert(0, one.text)
            if isinstance(one.node, BINDING):
                needed -= one.bound
            needed |= one.used
    return [
        source if len(kept[place]) == len(cells[place]) > 0 else "\n".join(kept[place])
        for place, source in enumerate(sources)
    ]
