"""JupyterLite under the site: the assignments and the chapters as notebooks that run in the reader's browser.

It shares the runtime with the pages (`_static/pyodide`), finds the course's package in that runtime's list, and may ask
no other host for anything. Work is kept in the browser's storage.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
STATE = ".state"
"""The file that says of which inputs the folder was built."""

START = Path(__file__).parent / "lite_source" / "start.js"
"""The script that JupyterLite's page runs before its own."""

FIRST = '<script id="jupyter-config-data"'
"""What stands in JupyterLite's page before every script."""

CONFIG: dict[str, Any] = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {
        "appName": "Batch normalization, by hand",
        "exposeAppInBrowser": True,  # the tests write into cells by it
        "litePluginSettings": {
            KERNEL: {"pyodideUrl": "./../_static/pyodide/pyodide.mjs", "disablePyPIFallback": True},
        },
    },
}


def configured(lock: Path) -> dict[str, Any]:
    """The settings, with an address for the list of packages that changes with it: browsers keep what they read."""
    made = json.loads(json.dumps(CONFIG))
    address = f"./../_static/pyodide/{lock.name}?{digest(lock)[:12]}"
    made["jupyter-config-data"]["litePluginSettings"][KERNEL]["loadPyodideOptions"] = {"lockFileURL": address}
    return made


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def with_start(page: str) -> str:
    """JupyterLite's page with our script before its own.

    Raises
    ------
    RuntimeError
        If the page has no place for it: then this version of JupyterLite is not the one that this was written for.
    """
    if page.count(FIRST) != 1:
        raise RuntimeError(f"JupyterLite's page has {FIRST!r} {page.count(FIRST)} times, and not once.")
    return page.replace(FIRST, f'<script src="../{START.name}?{digest(START)[:12]}"></script>\n    {FIRST}')


def build(
    target: Path, notebooks: Callable[[], dict[str, dict[str, Any]]], sources: Iterable[Path], lock: Path
) -> bool:
    """Leave JupyterLite with these notebooks (by path) in `target`, unless it is there of the same; say if it was made.

    Parameters
    ----------
    target : Path
        The folder to make.
    notebooks : callable
        Gives the notebooks; not called where all is there.
    sources : paths
        The files from which it makes them, its own code among them.
    lock : Path
        The list of the packages on board, as it lies in the site.

    Raises
    ------
    RuntimeError
        If `jupyter lite build` fails, with its last lines, or makes another page than ours is made for.
    """
    config = configured(lock)
    versions = [version(name) for name in ("jupyterlite-core", "jupyterlite-pyodide-kernel")]
    read = [[str(path), digest(path)] for path in sorted({*sources, Path(__file__), START})]
    now = hashlib.sha256(json.dumps([versions, config, read], sort_keys=True).encode()).hexdigest()
    state = target / STATE
    if state.exists() and state.read_text("utf-8") == now:
        return False
    with tempfile.TemporaryDirectory() as temporary:
        source, files, made = (Path(temporary).resolve() / name for name in ("lite", "files", "made"))
        source.mkdir()
        (source / "jupyter-lite.json").write_text(json.dumps(config), encoding="utf-8")
        extension = Path(sys.prefix) / "share/jupyter/labextensions" / KERNEL.partition(":")[0]
        chosen = {"ignore_sys_prefix": True, "federated_extensions": [str(extension)]}  # none of nbgrader's and others
        (source / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": chosen}), encoding="utf-8")
        for path, notebook in notebooks().items():
            (files / path).parent.mkdir(parents=True, exist_ok=True)
            (files / path).write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "jupyterlite_core",
            "build",
            "--lite-dir",
            str(source),
            "--contents",
            str(files),
        ]
        options = ["--output-dir", str(made), "--no-sourcemaps", "--no-unused-shared-packages", "--apps", "notebooks"]
        done = subprocess.run([*command, *options], cwd=source, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(
                "jupyter lite build failed:\n" + "\n".join((done.stdout + done.stderr).splitlines()[-25:])
            )
        page = made / "notebooks" / "index.html"
        page.write_text(with_start(page.read_text("utf-8")), encoding="utf-8")
        shutil.copyfile(START, made / START.name)
        shutil.rmtree(target, ignore_errors=True)
        shutil.move(made, target)
    state.write_text(now, encoding="utf-8")
    return True


def chapter(
    notebook: dict[str, Any], codes: dict[int, str], *, plain: Callable[[str, str], str], missing: list[str]
) -> dict[str, Any]:
    """A page of the book as a notebook: without outputs, with these codes by their places, saying what is missing."""
    cells: list[dict[str, Any]] = []
    for place, cell in enumerate(notebook["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            source = codes[place]
            if source:
                cells.append(code(source))
        else:
            cells.append(words(plain(source, "")))
    note = (
        "A chapter as a notebook. It runs in this browser, and your changes stay here: "
        "*File, Download* gives you a copy."
    )
    if missing:
        note += f" Cells that use {' or '.join(missing)} end with an error here; they need a Python of your own."
    cells.insert(0, words(note))
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    facts = {"kernelspec": {"display_name": "Python", "language": "python", "name": "python"}}
    return {"cells": cells, "metadata": facts, "nbformat": 4, "nbformat_minor": 5}


def code(source: str) -> dict[str, Any]:
    """A code cell."""
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}


def words(source: str) -> dict[str, Any]:
    """A cell of text."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}
