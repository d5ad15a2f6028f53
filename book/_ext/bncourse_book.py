"""What the book asks of Sphinx beyond its stock extensions.

Four things: an execution cache that knows the package (see page_dependencies); MathJax on board; the scripts of
explorables on the pages that have some; and pages without the script of 1.5 MB that draws the theme's dozen icons
(bncourse.css draws them from the theme's font).
"""

import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

from page_dependencies import page_hash, with_state
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

MATHJAX_FILES = (
    "startup.js",
    "core.js",
    "input/tex-base.js",
    "input/tex/extensions/ams.js",
    "input/tex/extensions/newcommand.js",
    "input/tex/extensions/configmacros.js",
    "input/tex/extensions/html.js",
    "input/tex/extensions/boldsymbol.js",
    "output/chtml.js",
    "output/chtml/fonts/tex.js",
    "a11y/assistive-mml.js",
)
"""The parts of MathJax that `mathjax3_config` in _config.yml loads: about half of its one-file bundle."""


def keep_one_cache(app: Sphinx, config: Config) -> None:
    """Keep the executed pages beside the site, wherever it is built."""
    config["nb_execution_cache_path"] = str(Path(app.outdir).parent / ".jupyter_cache")


def note_dependencies(app: Sphinx, docname: str, source: list[str]) -> None:
    """Append the cell that changes whenever something changes on which the page's cells stand."""
    source[0], states_of(app.env)[docname] = with_state(source[0])


def find_outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Name the pages whose package has changed under them."""
    known = states_of(env)
    pages = env.found_docs - added - changed - removed
    return [page for page in pages if page_hash(Path(env.doc2path(page)).read_text("utf8")) != known.get(page)]


def states_of(env: BuildEnvironment) -> dict[str, str]:
    """Return what was noted for each page, kept with Sphinx's own environment from build to build."""
    if not hasattr(env, "bncourse_states"):
        env.bncourse_states = {}
    states: dict[str, str] = env.bncourse_states
    return states


def bring_explorables(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Give a page the scripts of the explorables that stand on it."""
    names = sorted(set(re.findall(r'data-explorable="(\w+)"', context.get("body", ""))))
    if names:
        for name in ("batchnorm", "stage", *names):
            app.add_js_file(f"explorables/{name}.js", defer="defer")


def bring_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Copy the parts of MathJax that the book uses out of the pinned package that ships it."""
    if exception is not None or app.builder.format != "html":
        return
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    if found is None or found.origin is None:
        raise RuntimeError("MathJax is not on board: pip install sphinx-mathjax-offline (see requirements.txt)")
    source = Path(found.origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    fonts = [path.relative_to(source).as_posix() for path in (source / "output/chtml/fonts/woff-v2").glob("*.woff")]
    for name in (*MATHJAX_FILES, *fonts):
        if not (target / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)


def mend_pages(app: Sphinx, exception: Exception | None) -> None:
    """Take the icon script out of the pages and the site, and a role that promises list items where there are none."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf8")
        lighter = re.sub(r'<script[^>]*src="[^"]*scripts/fontawesome\.js[^"]*"[^>]*></script>\n?', "", text)
        lighter = lighter.replace('<div role="list" class="citation-list">', '<div class="citation-list">')
        if lighter != text:
            page.write_text(lighter, encoding="utf8")
    for waste in ("_static/scripts/fontawesome.js", "_static/scripts/fontawesome.js.LICENSE.txt"):
        (out / waste).unlink(missing_ok=True)
    for waste in out.glob("_static/**/*.map"):
        waste.unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect all this to Sphinx."""
    app.add_config_value("comments_config", {}, "")  # Jupyter Book sets it for an extension that we leave out
    app.add_config_value("thebe_config", {}, "")
    app.connect("config-inited", keep_one_cache, priority=100)
    app.connect("env-get-outdated", find_outdated)
    app.connect("source-read", note_dependencies, priority=900)
    app.connect("html-page-context", bring_explorables)
    app.connect("build-finished", bring_mathjax)
    app.connect("build-finished", mend_pages)
    return {"version": "2", "env_version": 1, "parallel_read_safe": False, "parallel_write_safe": True}
