"""Cells that run in the reader's browser: what each page says of its cells, and what the site brings for them.

Everything stands on the runtime that `python -m tools.browser.runtime` has fetched. Where that is missing the site is
built without Run buttons, and a page weighs the same.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from live_cells import Live, cells_of, live
from sphinx.application import Sphinx
from sphinx.config import Config

CLINIC = '<div id="bn-clinic"'
"""Where the clinic stands on its page; it is hidden until its script has started."""

WITHOUT = (
    "This copy of the book was made without Python for the browser. In a terminal, "
    "<code>bncourse diagnose layers.py</code> says the same."
)

LOCK = "pyodide-lock.json"
"""The list of the packages on board."""


def find_runtime(app: Sphinx, config: Config) -> None:
    """See whether the runtime is here; pages are written again when that has changed, or what reads their cells."""
    if str(app.confdir) not in sys.path:
        sys.path.insert(0, str(app.confdir))
    from tools.browser import runtime

    here = Path(__file__).parent
    readers = b"".join(
        (here / f"{name}.py").read_bytes() for name in ("live", "live_cells", "statements", "text_numbers")
    )
    digest = hashlib.sha256(readers).hexdigest()
    config["live_runtime"] = f"{runtime.LIST['version']} {digest}" if runtime.present() else ""


def mark_cells(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Give each cell its place in the page's notebook as a class."""
    for node in doctree.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            node["classes"] += ["bn-cell", f"bn-cell-{node['cell_index']}"]


def facts_of(app: Sphinx, page: str) -> list[Live]:
    """What is known of a page's code cells; nothing where it has none."""
    path = Path(app.outdir).parent / "jupyter_execute" / f"{page}.ipynb"
    return live(cells_of(json.loads(path.read_text("utf-8")))) if path.exists() else []


def fact(one: Live) -> dict[str, Any]:
    """A cell's facts as the page gets them; the code of a cell that stands on the page is taken from there."""
    told: dict[str, Any] = {"index": one.cell.index, "needs": one.needs}
    if one.why:
        told["why"] = one.why
    if one.libraries:
        told["libraries"] = one.libraries
    told["code"] = one.code if one.why or not one.cell.shown else bool(one.code)
    return told


def of_use(facts: list[Live]) -> bool:
    """Whether the page has a cell that is shown and can run."""
    return any(one.cell.shown and not one.why for one in facts)


def tell_page(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Put the facts and the scripts into a page that has cells."""
    body = context.get("body", "")
    if "bn-cell" in body or "prediction admonition" in body:
        app.add_css_file("live/live.css")
        app.add_js_file("live/predict.js", defer="defer")
    if CLINIC in body:
        app.add_css_file("live/live.css")
        if app.config.live_runtime:
            app.add_js_file("live/start.js", defer="defer")
        else:
            context["body"] = body = body.replace(CLINIC, f"<p>{WITHOUT}</p>{CLINIC}")
    facts = facts_of(app, page) if app.config.live_runtime and "bn-cell" in body else []
    if of_use(facts):
        told = json.dumps([fact(one) for one in facts], separators=(",", ":")).replace("</", "<\\/")
        context["body"] = body + f'<script type="application/json" id="bn-cells">{told}</script>'
        app.add_js_file("live/start.js", defer="defer")


def lay_out(app: Sphinx, exception: Exception | None) -> None:
    """Put the runtime, the package's wheel, the digits and the editor into the site."""
    if exception is not None or app.builder.format != "html":
        return
    from tools.browser import digits, editor, runtime, wheel

    static = Path(app.outdir) / "_static"
    name = wheel.build(static / "wheels")
    if not app.config.live_runtime:
        shutil.rmtree(static / "pyodide", ignore_errors=True)
        return
    for path in runtime.folder().iterdir():
        if path.name != LOCK:
            place(path, static / "pyodide" / path.name)
    packages = [on_board("bncourse", static / "wheels" / name, ["bncourse"])]
    content = digits.wheel()
    if content is not None:
        (static / "pyodide" / digits.NAME).write_bytes(content)
        packages.append(on_board("digits", static / "pyodide" / digits.NAME, ["sklearn"]))
    (static / "pyodide" / LOCK).write_text(with_packages(runtime.lock(), packages), encoding="utf-8")
    told = {"wheel": name, "state": state_of(static)}
    (static / "live" / "wheel.json").write_text(json.dumps(told), encoding="utf-8")
    bundle = editor.bundle()
    if bundle is not None:
        place(bundle, static / "live" / "codemirror.js")


def state_of(static: Path) -> str:
    """A name for the state of all that a browser keeps of Python for the next page (kept.js)."""
    files = [
        static / "pyodide" / LOCK,
        static / "pyodide" / "pyodide.asm.wasm",
        static / "pyodide" / "python_stdlib.zip",
    ]
    files += [static / "live" / name for name in ("keep.py", "keeper.js", "kept.js", "files.js")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def on_board(name: str, wheel: Path, imports: list[str]) -> dict[str, Any]:
    """A package of the site's own as Pyodide's list has it; importing one of these names loads it in a notebook.

    Pyodide loads no package whose digest is missing. The digest is in the address too, so that no browser takes the
    wheel that it has kept for the one that is listed.
    """
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return {
        "name": name,
        "version": wheel.name.split("-")[1],
        "file_name": f"../{wheel.parent.name}/{wheel.name}?{digest[:12]}.whl",
        "install_dir": "site",
        "package_type": "package",
        "imports": imports,
        "depends": ["numpy"],
        "unvendored_tests": False,
        "sha256": digest,
    }


def with_packages(lock: str, packages: list[dict[str, Any]]) -> str:
    """Add packages to the list of those on board; `bncourse` brings all others, which its functions may import."""
    told = json.loads(lock)
    for package in packages:
        others = [one["name"] for one in packages if one is not package]
        told["packages"][package["name"]] = (
            package if package["name"] != "bncourse" else package | {"depends": [*package["depends"], *others]}
        )
    return json.dumps(told)


def place(source: Path, target: Path) -> None:
    """Put a file where it is to lie, unless it lies there already."""
    if target.exists() and target.stat().st_mtime_ns == source.stat().st_mtime_ns:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect all this to Sphinx."""
    app.add_config_value("browser_runtime", "", "")
    app.add_config_value("live_runtime", "", "env")
    app.connect("config-inited", find_runtime, priority=100)
    app.connect("doctree-resolved", mark_cells)
    app.connect("html-page-context", tell_page)
    app.connect("build-finished", lay_out)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
