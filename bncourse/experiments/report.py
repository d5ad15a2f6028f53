"""A Result as a table of text: one line a condition, each number with its interval over the seeds."""

from bncourse.experiments.result import Result


def rows(result: Result) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of the table; curves are left to the plots.

    Returns
    -------
    header : list of str
        The labels of the conditions, then the names of the values.
    body : list of list of str
        One row a condition; a cell is empty where a value was not measured.
    """
    conditions = result.conditions()
    labels = list(dict.fromkeys(label for condition in conditions for label in condition))
    scalars = {
        (measured.unit.condition, name)
        for measured in result.units
        for name, value in measured.values.items()
        if not isinstance(value, list | str)
    }
    names = list(dict.fromkeys(name for m in result.units for name in m.values if (m.unit.condition, name) in scalars))
    body = []
    for condition in conditions:
        key = tuple(sorted(condition.items()))
        cells = [str(condition.get(label, "")) for label in labels]
        cells += [str(result.interval(name, **condition)) if (key, name) in scalars else "" for name in names]
        body.append(cells)
    return labels + names, body


def table(result: Result) -> str:
    """Return the table as text, its columns aligned."""
    header, body = rows(result)
    widths = [max(len(line[column]) for line in [header, *body]) for column in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [header, *body]]
    return "\n".join(line.rstrip() for line in lines)
