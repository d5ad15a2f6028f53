"""A notebook as other tools write it: other formats, other ids, split and merged cells, cells of the tool's own.

Each function takes a notebook of the present format and returns one as the tool saves it, or as it exports one.
"""

import copy
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

Notebook = dict[str, Any]
Cell = dict[str, Any]
PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}


def _copied(notebook: Notebook, cells: list[Cell] | None = None, **metadata: Any) -> Notebook:
    made = copy.deepcopy(notebook if cells is None else notebook | {"cells": cells})
    made["metadata"] |= {"kernelspec": PYTHON} | metadata
    return made


def _cells(notebook: Notebook) -> Iterator[tuple[int, Cell]]:
    for number, cell in enumerate(copy.deepcopy(notebook["cells"])):
        cell["source"] = "".join(cell["source"])
        yield number, cell


def _code(source: str, **facts: Any) -> Cell:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": 1} | facts


def _text(source: str, **facts: Any) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": source} | facts


def _new_id(number: int) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, str(number)).hex[:8]


def cocalc(notebook: Notebook) -> Notebook:
    """Six digits for an id, white space at the end of texts cut off, and the cells' own metadata kept."""
    cells = []
    for number, cell in _cells(notebook):
        cell |= {"id": _new_id(number)[:6], "source": cell["source"].rstrip()}
        cell["metadata"] |= {"collapsed": False, "cocalc": {"pos": number}}
        cells.append(cell)
    cells.append(_code("", id="cfffff"))
    return _copied(notebook, cells, kernelspec=PYTHON | {"display_name": "Python 3 (system-wide)"}, language_info={})


KAGGLE = """\
# This Python 3 environment comes with many helpful analytics libraries installed
# For example, here's several helpful packages to load

import numpy as np # linear algebra
import pandas as pd # data processing

import os
for dirname, _, filenames in os.walk('/kaggle/input'):
    for filename in filenames:
        print(os.path.join(dirname, filename))"""


def kaggle(notebook: Notebook) -> Notebook:
    """Ids and the cells' metadata replaced by its own; a preamble, and the text of each cell as one string."""
    cells = [_code(KAGGLE, metadata={"_uuid": "8f2839f2", "_cell_guid": "b1076dfc", "trusted": True})]
    for number, cell in _cells(notebook):
        cell.pop("id", None)
        cell["metadata"] = {"trusted": True, "_uuid": _new_id(number), "execution": {"iopub.execute_input": "2026"}}
        cells.append(cell)
    facts = {"kaggle": {"accelerator": "none", "dataSources": [], "isInternetEnabled": True}}
    made = _copied(notebook, cells)
    return made | {"metadata": {"kernelspec": PYTHON} | facts, "nbformat_minor": 4}


DEEPNOTE = """\
<a style='text-decoration:none;line-height:16px;display:flex;color:#5B5B62' \
href='https://deepnote.com?utm_source=created-in-deepnote-cell&projectId=0f' target="_blank">
<img alt='Created in deepnote.com' style='display:inline;' src='data:image/svg+xml;base64,PD94bWw=' > </img>
Created in <span style='font-weight:600;margin-left:4px;'>Deepnote</span></a>"""


def deepnote(notebook: Notebook) -> Notebook:
    """Texts taken apart into a cell for every heading and paragraph, and a signature behind everything."""
    cells = []
    for number, cell in _cells(notebook):
        kept = cell["metadata"].get("nbgrader")
        parts = [cell["source"]]
        if cell["cell_type"] == "markdown" and not (kept and kept.get("solution")):
            parts = [part for part in re.split(r"\n\s*\n", cell["source"]) if part.strip()]
        for place, part in enumerate(parts):
            kind = "code" if cell["cell_type"] == "code" else "text-cell-h1" if part.startswith("#") else "text-cell-p"
            facts = {"cell_id": _new_id(1000 * number + place), "deepnote_cell_type": kind, "formattedRanges": []}
            cells.append(cell | {"source": part, "metadata": facts | ({"nbgrader": kept} if kept else {})})
            cells[-1].pop("id", None)
    cells.append(_text(DEEPNOTE, metadata={"created_in_deepnote_cell": True, "deepnote_cell_type": "markdown"}))
    return _copied(notebook, cells, deepnote_notebook_id="0f", orig_nbformat=2) | {"nbformat_minor": 0}


COLAB = """\
<a href="https://colab.research.google.com/github/someone/work/blob/main/backward.ipynb" target="_parent">\
<img src="https://colab.research.google.com/assets/colab-badge.svg" alt="Open In Colab"/></a>"""


def colab_from_github(notebook: Notebook) -> Notebook:
    """A badge above everything, and an empty cell behind it."""
    cells = [_text(COLAB, metadata={"id": "view-in-github", "colab_type": "text"})]
    for number, cell in _cells(notebook):
        cell.pop("id", None)
        cell["metadata"] |= {"id": _new_id(number)}
        cells.append(cell)
    cells.append(_code("", metadata={"id": "last"}))
    return _copied(notebook, cells, colab={"provenance": []}) | {"nbformat_minor": 0}


def vs_code(notebook: Notebook) -> Notebook:
    """New ids, and lines that end as Windows ends them."""
    cells = []
    for number, cell in _cells(notebook):
        cell |= {"id": _new_id(number), "source": cell["source"].replace("\n", "\r\n").splitlines(keepends=True)}
        cell["metadata"]["vscode"] = {"languageId": "python"}
        cells.append(cell)
    return _copied(notebook, cells, vscode={"interpreter": {"hash": "0"}})


def databricks(notebook: Notebook) -> Notebook:
    """Its own facts in the place of every cell's, and texts as code behind `%md`."""
    cells = []
    for number, cell in _cells(notebook):
        facts = {"application/vnd.databricks.v1+cell": {"nuid": _new_id(number), "title": "", "showTitle": False}}
        source = cell["source"]
        if cell["cell_type"] == "markdown":
            source = f"%md\n{source}" if number % 2 else f"%md {source}"
        cells.append(_code(source, metadata=facts))
    facts = {"application/vnd.databricks.v1+notebook": {"notebookName": "forward", "language": "python"}}
    return {"nbformat": 4, "nbformat_minor": 0, "metadata": facts, "cells": cells}


def jupyterlab_4(notebook: Notebook) -> Notebook:
    """What its panels write into the cells' metadata."""
    cells = []
    for _, cell in _cells(notebook):
        cell["metadata"] |= {"editable": True, "slideshow": {"slide_type": ""}, "tags": []}
        cell["metadata"] |= {"jp-MarkdownHeadingCollapsed": True} if cell["cell_type"] == "markdown" else {}
        cells.append(cell)
    return _copied(notebook, cells, widgets={"application/vnd.jupyter.widget-state+json": {"state": {}}})


def older_notebook(notebook: Notebook) -> Notebook:
    """Format 4.2: no ids, and what extensions add."""
    cells = []
    for _, cell in _cells(notebook):
        cell.pop("id", None)
        cell["metadata"] |= {"deletable": False, "collapsed": True, "ExecuteTime": {"end_time": "2026"}}
        cells.append(cell)
    return _copied(notebook, cells, toc={"base_numbering": 1}, varInspector={}) | {"nbformat_minor": 2}


def format_3(notebook: Notebook) -> Notebook:
    """Worksheets, `input`, and headings as a kind of cell."""
    cells = list[Cell]()
    for _, cell in _cells(notebook):
        cell.pop("id", None)
        if cell["cell_type"] == "code":
            cell |= {"input": cell.pop("source"), "language": "python", "prompt_number": 1, "outputs": []}
            cell.pop("execution_count", None)
        elif re.fullmatch(r"#+ [^\n]*", cell["source"]):
            level = len(cell["source"].split()[0])
            cell |= {"cell_type": "heading", "level": level, "source": cell["source"][level + 1 :]}
        cells.append(cell)
    made = _copied(notebook, [])
    sheets = [{"cells": cells, "metadata": {}}]
    return {"nbformat": 3, "nbformat_minor": 0, "worksheets": sheets, "metadata": made["metadata"] | {"name": ""}}


def minor_format(minor: int) -> Callable[[Notebook], Notebook]:
    """Any of the formats 4.0 to 4.5."""

    def saved(notebook: Notebook) -> Notebook:
        cells = [cell for _, cell in _cells(notebook)]
        for cell in cells:
            if minor < 5:
                cell.pop("id", None)
        return _copied(notebook, cells) | {"nbformat_minor": minor}

    return saved


def marimo(notebook: Notebook) -> Notebook:
    """Every text as a call, no metadata; what it imports stands above."""
    cells = [_code("import marimo as mo")]
    for _, cell in _cells(notebook):
        source = cell["source"]
        if cell["cell_type"] == "markdown":
            text = source.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
            source = f'mo.md(\n    r"""\n    {source}\n    """\n)' if '"""' not in source else f'mo.md("""{text}""")'
        cells.append(_code(source))
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"marimo": {"marimo_version": "0.14"}}, "cells": cells}


def jupytext(notebook: Notebook) -> Notebook:
    """Through a percent script and back: ids and the notebook's metadata are lost, the cells' are kept."""
    cells = [cell for _, cell in _cells(notebook)]
    for cell in cells:
        cell.pop("id", None)
        cell["source"] = cell["source"].strip("\n")
    facts = {"jupytext": {"cell_metadata_filter": "-all", "notebook_metadata_filter": "-all"}}
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": facts | {"kernelspec": PYTHON}, "cells": cells}


def hydrogen(notebook: Notebook) -> Notebook:
    """A script with `# %%` between the cells, exported: texts are comments in cells of code."""
    cells = []
    for _, cell in _cells(notebook):
        source = cell["source"]
        if cell["cell_type"] == "markdown":
            source = "\n".join(f"# {line}".rstrip() for line in source.split("\n"))
        cells.append(_code(source))
    return {"nbformat": 4, "nbformat_minor": 2, "metadata": {"kernelspec": PYTHON}, "cells": cells}


def quoted_texts(notebook: Notebook) -> Notebook:
    """The same, with texts in quotes."""
    cells = []
    for _, cell in _cells(notebook):
        source = cell["source"]
        cells.append(_code(f'r"""\n{source}\n"""' if cell["cell_type"] == "markdown" else source))
    return {"nbformat": 4, "nbformat_minor": 2, "metadata": {"kernelspec": PYTHON}, "cells": cells}


def ids_dropped(notebook: Notebook) -> Notebook:
    """The cells' metadata kept, their ids not."""
    cells = [cell for _, cell in _cells(notebook)]
    for cell in cells:
        cell.pop("id", None)
    return _copied(notebook, cells)


def ids_renewed(notebook: Notebook) -> Notebook:
    """Ids of another pass; nothing else changed."""
    return _copied(notebook, [cell | {"id": _new_id(number)} for number, cell in _cells(notebook)])


def texts_split(notebook: Notebook) -> Notebook:
    """Every text of the assignment in two cells, in the middle of a paragraph."""
    cells = []
    for _, cell in _cells(notebook):
        lines = cell["source"].split("\n")
        kept = cell["metadata"].get("nbgrader") or {}
        if cell["cell_type"] == "markdown" and not kept.get("solution") and len(lines) > 1:
            half = len(lines) // 2
            cells += [cell | {"source": "\n".join(lines[:half])}]
            cells += [_text("\n".join(lines[half:]), id=f"{cell['id'][:40]}-b")]
        else:
            cells.append(cell)
    return _copied(notebook, cells)


def texts_merged(notebook: Notebook) -> Notebook:
    """Texts that stand below each other in one cell."""
    cells = list[Cell]()
    for _, cell in _cells(notebook):
        kept = cell["metadata"].get("nbgrader") or {}
        plain = cell["cell_type"] == "markdown" and not kept.get("solution")
        if plain and cells and cells[-1]["cell_type"] == "markdown" and cells[-1].get("plain"):
            cells[-1]["source"] += f"\n\n{cell['source']}"
        else:
            cells.append(cell | {"plain": plain})
    for cell in cells:
        cell.pop("plain")
    return _copied(notebook, cells)


def texts_tidied(notebook: Notebook) -> Notebook:
    """A Markdown formatter's work: other bullets and stars, escaped signs, tables set in line, lines wrapped."""
    cells = []
    for _, cell in _cells(notebook):
        kept = cell["metadata"].get("nbgrader") or {}
        if cell["cell_type"] == "markdown" and not kept.get("solution"):
            source = re.sub(r"^- ", "* ", cell["source"], flags=re.MULTILINE)
            source = re.sub(r"(?<!\*)\*\*(\w[^*\n]*)\*\*", r"__\1__", source)
            cell |= {"source": re.sub(r"\. (?=[A-Z])", ".\n", source), "id": _new_id(len(cells))}
        cells.append(cell)
    return _copied(notebook, cells)


def black(notebook: Notebook) -> Notebook:
    """A formatter of code ran over everything on save, over the tests too, in a notebook that has lost its ids."""
    import ast

    cells = []
    for _, cell in _cells(notebook):
        if cell["cell_type"] == "code" and "NotImplementedError" not in cell["source"]:
            cell["source"] = ast.unparse(ast.parse(cell["source"]))
        cell.pop("id", None)
        cells.append(cell)
    return _copied(notebook, cells)


def black_and_metadata_lost(notebook: Notebook) -> Notebook:
    """The same where the metadata is lost too."""
    made = black(notebook)
    for cell in made["cells"]:
        cell["metadata"] = {}
    return made


TOOLS: dict[str, Callable[[Notebook], Notebook]] = {
    "CoCalc": cocalc,
    "Kaggle": kaggle,
    "Deepnote": deepnote,
    "Colab from GitHub": colab_from_github,
    "VS Code": vs_code,
    "Databricks": databricks,
    "JupyterLab 4": jupyterlab_4,
    "older Notebook": older_notebook,
    "format 3": format_3,
    **{f"format 4.{minor}": minor_format(minor) for minor in range(6)},
    "marimo": marimo,
    "jupytext": jupytext,
    "Hydrogen": hydrogen,
    "texts in quotes": quoted_texts,
    "ids dropped": ids_dropped,
    "ids renewed": ids_renewed,
    "texts split": texts_split,
    "texts merged": texts_merged,
    "texts tidied": texts_tidied,
    "a code formatter": black,
    "a code formatter, metadata lost": black_and_metadata_lost,
}


def saved_by(notebook: Notebook, tool: str) -> bytes:
    """The file that a tool writes."""
    return json.dumps(TOOLS[tool](notebook), ensure_ascii=False).encode()
