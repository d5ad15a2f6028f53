"""A notebook as other places write it: the same text, other metadata, with the cells that students add there."""

import copy
import json
from collections.abc import Callable
from typing import Any

Notebook = dict[str, Any]
ADDED = (
    "%pip install 'bncourse[cli]'",
    "#@title Mount my drive\nfrom google.colab import drive\ndrive.mount('/content/drive')",
)
"""What stands above the first cell of many a notebook on Colab; the second fails everywhere else."""


def as_colab_writes(notebook: Notebook) -> Notebook:
    """Format 4.0: names in place of ids, lists of lines, and who ran what when; what other tools noted is kept."""
    made = copy.deepcopy(notebook)
    for number, cell in enumerate(made["cells"]):
        cell.pop("id", None)
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
        cell["metadata"] |= {"id": f"x{number:011}"}
        if cell["cell_type"] == "code":
            cell["metadata"] |= {
                "outputId": f"0f0f0f0f-0000-4000-8000-{number:012}",
                "colab": {"base_uri": "https://localhost:8080/", "height": 35},
                "executionInfo": {
                    "status": "ok",
                    "elapsed": 7,
                    "user_tz": 300,
                    "timestamp": 1_795_000_000_000,
                    "user": {},
                },
            }
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["ran\n"]}]
            cell["execution_count"] = number
    above = [
        {
            "cell_type": "code",
            "metadata": {"id": f"y{n}", "cellView": "form"},
            "source": [text],
            "outputs": [],
            "execution_count": n,
        }
        for n, text in enumerate(ADDED)
    ]
    made["cells"] = [*above, *made["cells"]]
    made["metadata"] |= {
        "colab": {"provenance": [], "toc_visible": True, "collapsed_sections": ["x00000000003"]},
        "accelerator": "GPU",
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    made["nbformat_minor"] = 0
    return made


def as_vs_code_writes(notebook: Notebook) -> Notebook:
    """Other ids, the language of each cell, and the name of the student's own environment."""
    made = copy.deepcopy(notebook)
    for number, cell in enumerate(made["cells"]):
        cell["id"] = f"{number:08x}"
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
        cell["metadata"]["vscode"] = {"languageId": "python" if cell["cell_type"] == "code" else "markdown"}
    made["metadata"] |= {
        "kernelspec": {"display_name": ".venv (3.13.0)", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "version": "3.13.0", "codemirror_mode": {"name": "ipython", "version": 3}},
        "vscode": {"interpreter": {"hash": 64 * "0"}},
    }
    return made


def without_metadata(notebook: Notebook) -> Notebook:
    """The harsh case: a tool, or copying cell by cell into a new notebook, has kept the cells' text alone."""
    made = copy.deepcopy(notebook)
    for cell in made["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {}
    return made | {"metadata": {}, "nbformat_minor": 0}


PLACES: dict[str, Callable[[Notebook], Notebook]] = {
    "Colab": as_colab_writes,
    "VS Code": as_vs_code_writes,
    "Colab, metadata lost": lambda notebook: without_metadata(as_colab_writes(notebook)),
    "VS Code, metadata lost": lambda notebook: without_metadata(as_vs_code_writes(notebook)),
}


def saved(notebook: bytes, place: str) -> bytes:
    """A file as it comes back from a place; one that breaks off in the middle stays as it is."""
    try:
        return json.dumps(PLACES[place](json.loads(notebook)), indent=2).encode()
    except ValueError:
        return notebook
