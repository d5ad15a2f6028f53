"""The notebooks that open in the browser: released assignments and chapters, in a JupyterLite under the site."""

import json
import re
from pathlib import Path
from typing import Any

from live import LOCK
from live_cells import Live, cells_of, live
from page_dependencies import PACKAGE
from publishing import plain
from sphinx.application import Sphinx
from teach_pages import DOWNLOADS, LITE, listed, opened, runs_in_a_browser
from text_numbers import without_text_numbers

TASK = re.compile(r"<p><strong>Do it yourself:</strong>.*?</p>", re.DOTALL)
NAME = re.compile(r'<code class="docutils literal notranslate"><span class="pre">(\w+)</span></code>')


def offer(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Offer the page as a notebook, and open the assignments that it names by one click."""
    if not app.config.live_runtime or 'id="bn-cells"' not in context.get("body", ""):
        return
    link = opened(page, f"{page.removeprefix('book/')}.ipynb")
    tooltip = "Open this page as a notebook in your browser"
    context["header_buttons"].append(
        {"type": "link", "text": "", "tooltip": tooltip, "icon": "fas fa-rocket", "url": link, "label": "open-notebook"}
    )
    names = {master.assignment for master in listed(Path(app.srcdir)) if runs_in_a_browser(master)}

    def linked(found: re.Match[str]) -> str:
        if found[1] not in names:
            return found[0]
        address = opened(page, f"{found[1]}.ipynb")
        return f'<a href="{address}" title="Open the assignment in your browser">{found[0]}</a>'

    context["body"] = TASK.sub(lambda task: NAME.sub(linked, task[0]), context["body"])


def released(out: Path) -> list[Path]:
    """The assignments' notebooks in the site."""
    return sorted((out / DOWNLOADS).glob("*.ipynb"))


def executed(out: Path) -> list[Path]:
    """The chapters as notebooks, as they were executed."""
    return sorted(chapters(out).rglob("*.ipynb"))


def chapters(out: Path) -> Path:
    """Where the chapters' notebooks lie."""
    return out.parent / "jupyter_execute" / "book"


def sources(out: Path) -> list[Path]:
    """The files on which `notebooks` stands: those that it takes, and the code that says what of them can run."""
    code = [*Path(__file__).parent.glob("*.py"), *PACKAGE.rglob("*.py")]
    return [*released(out), *executed(out), *code]


def notebooks(out: Path) -> dict[str, dict[str, Any]]:
    """Every notebook by the path under which it opens."""
    from tools.browser import lite

    found = {path.name: json.loads(path.read_text("utf-8")) for path in released(out)}
    for path in executed(out):
        notebook = json.loads(path.read_text("utf-8"))
        cells = cells_of(notebook)
        facts = live(cells, pictures=True)
        if any(one.cell.shown for one in facts):
            missing = {one.why.removeprefix("needs ") for one in facts if one.why.startswith("needs ")}
            rest = without_text_numbers([cell.source for cell in cells], [not cell.shown for cell in cells])
            codes = with_matplotlib({cell.index: code for cell, code in zip(cells, rest, strict=True)}, facts)
            name = path.relative_to(chapters(out)).as_posix()
            found[name] = lite.chapter(notebook, codes, plain=plain, missing=sorted(missing))
    return found


def with_matplotlib(codes: dict[int, str], facts: list[Live]) -> dict[int, str]:
    """Import Matplotlib where it is first needed: a notebook in the browser loads only what its cells name."""
    needed = [one.cell.index for one in facts if "matplotlib" in one.libraries and codes[one.cell.index]]
    first = {needed[0]: f"import matplotlib\n\n{codes[needed[0]]}"} if needed else {}
    return codes | first


def lay_out(app: Sphinx, exception: Exception | None) -> None:
    """Build JupyterLite into the site where the runtime is on board."""
    if exception is None and app.builder.format == "html" and app.config.live_runtime:
        from tools.browser import lite

        out = Path(app.outdir)
        lite.build(out / LITE, lambda: notebooks(out), sources(out), out / "_static" / "pyodide" / LOCK)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect this to Sphinx, after the notebooks have been released."""
    app.connect("html-page-context", offer, priority=950)
    app.connect("build-finished", lay_out, priority=950)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
