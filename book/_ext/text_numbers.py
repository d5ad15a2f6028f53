"""Which statements of a page only put numbers into its text: a reader who runs the page has no use for them.

Such a statement calls `glue`, or a function of the page that does, or stands in a hidden cell; and nothing that it
binds or changes is needed later. Random numbers count as changed by what may draw from them. On a live page, where
hidden cells show nothing, the picture that a hidden cell draws is left out in the same way.
"""

import ast

from statements import Statement, statements

GLUE = "glue"
PLOTS = "bncourse.plots"

BINDING = (ast.Assign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.For)
"""Statements after which the names that they bind mean something else than before; a loop runs at least once."""


def spread(first: set[str], cells: list[tuple[Statement, ...]]) -> set[str]:
    """These names, and those of the functions that use one of them, at any remove."""
    reached = set(first)
    for one in (one for cell in cells for one in cell):
        if isinstance(one.node, ast.FunctionDef) and one.used & reached:
            reached |= one.bound
    return reached


def random_names(cells: list[tuple[Statement, ...]]) -> set[str]:
    """The names of generators of random numbers, and of the functions that draw from them."""
    return spread({name for cell in cells for one in cell if "default_rng" in one.text for name in one.bound}, cells)


def draws(node: ast.stmt, plots: set[str]) -> bool:
    """Whether a statement only shows what one of these names, or an attribute of it, draws."""
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    function: ast.expr = node.value.func
    while isinstance(function, ast.Attribute):
        function = function.value
    return isinstance(function, ast.Name) and function.id in plots


def imported_plots(cells: list[tuple[Statement, ...]]) -> set[str]:
    """The names under which a page imports what draws its figures."""
    imports = (one.node for cell in cells for one in cell if isinstance(one.node, ast.ImportFrom))
    return {
        alias.asname or alias.name
        for node in imports
        for alias in node.names
        if f"{node.module}.{alias.name}.".startswith(f"{PLOTS}.")
    }


def without_text_numbers(sources: list[str], hidden: list[bool], *, pictures: bool = True) -> list[str]:
    """The cells' code without what only serves the numbers in the text.

    Parameters
    ----------
    sources : list of str
        The code cells of one page, in order.
    hidden : list of bool
        Which of them are hidden: what these compute for no later cell is left out too.
    pictures : bool
        Whether what hidden cells draw is kept: a notebook shows it, a live page has it already.

    Returns
    -------
    list of str
        What is left of each, in the form it had where all is left; comments alone count for nothing.
    """
    cells = [statements(source) for source in sources]
    gluing = spread({GLUE}, cells)
    drawing = random_names(cells)
    plots = set() if pictures else imported_plots(cells)
    needed: set[str] = set()
    kept: list[list[str]] = [[] for _ in cells]
    for place in reversed(range(len(cells))):
        for one in reversed(cells[place]):
            touched = one.bound | one.changed | (drawing if one.used & drawing else set())
            idle = hidden[place] and (isinstance(one.node, BINDING) or draws(one.node, plots))
            if (idle or (one.used | one.bound) & gluing) and not touched & needed:
                continue
            kept[place].insert(0, one.text)
            if isinstance(one.node, BINDING):
                needed -= one.bound
            needed |= one.used
    return [
        source if len(kept[place]) == len(cells[place]) > 0 else "\n".join(kept[place])
        for place, source in enumerate(sources)
    ]
