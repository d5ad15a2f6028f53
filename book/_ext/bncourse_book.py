"""What the book asks of Sphinx beyond its stock extensions.

Three things: an execution cache that knows the package's content, MathJax on board, and pages without the
script of 1.5 MB that draws the theme's dozen icons (bncourse.css draws them from the theme's font).
"""

import hashlib
import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

import bncourse

PACKAGE = Path(bncourse.__file__).parent
NOT_SHOWN = ("cli", "grading")
"""Rooms that no cell of the book imports: a change there runs no cell again."""

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


def package_hash() -> str:
    """Return a short name for the content of every module that a cell can import."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        if inside.parts[0] not in NOT_SHOWN:
            digest.update(inside.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def name_cache_after_package(app: Sphinx, config: Config) -> None:
    """Keep results of another state of the package from being shown: each state has its own cache."""
    caches = Path(app.outdir).parent / ".jupyter_cache"
    ours = caches / package_hash()
    if caches.is_dir():
        states = sorted((path for path in caches.iterdir() if path != ours), key=lambda path: path.stat().st_mtime)
        for old in states[:-2]:
            shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink()
    config["nb_execution_cache_path"] = str(ours)


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


def drop_icon_script(app: Sphinx, exception: Exception | None) -> None:
    """Take the icon script out of the pages, and out of the site."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf8")
        lighter = re.sub(r'<script[^>]*src="[^"]*scripts/fontawesome\.js[^"]*"[^>]*></script>\n?', "", text)
        if lighter != text:
            page.write_text(lighter, encoding="utf8")
    for waste in ("_static/scripts/fontawesome.js", "_static/scripts/fontawesome.js.LICENSE.txt"):
        (out / waste).unlink(missing_ok=True)
    for waste in out.glob("_static/**/*.map"):
        waste.unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the three to Sphinx."""
    app.add_config_value("comments_config", {}, "")  # Jupyter Book sets it for an extension that we leave out
    app.add_config_value("thebe_config", {}, "")
    app.connect("config-inited", name_cache_after_package, priority=100)
    app.connect("build-finished", bring_mathjax)
    app.connect("build-finished", drop_icon_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
