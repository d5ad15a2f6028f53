"""Pages' cells run ahead of Sphinx, several pages at a time.

MyST-NB runs the cells of a page when Sphinx reads it, one page after another, and most of the time one core waits.
Here the pages that Sphinx is about to read, and that the execution cache does not know, are run as soon as that list
is known, as many at once as there are cores. What comes out goes into the very cache in which MyST-NB looks
afterwards. A page that fails is left to MyST-NB, which runs it again and says what is wrong in its own words.
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from myst_nb.core.read import create_nb_reader
from page_dependencies import with_state
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)

running: dict[str, Future[ExecutionResult]] = {}
"""The pages whose cells are being run, by name; each kernel is a process, so threads suffice to look after them."""


def cores() -> int:
    """How many processes may run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start(app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
    """Begin to run the cells of those pages that the cache does not know."""
    if env.mystnb_config.execution_mode != "cache":
        return
    cache = get_cache(env.mystnb_config.execution_cache_path)
    unknown = {}
    for page in pages:
        path = Path(env.doc2path(page))
        text, _ = with_state(path.read_text(encoding="utf8"))
        reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
        if reader is None:
            continue
        notebook = reader.read(text)
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            unknown[page] = notebook
    if len(unknown) < 2:
        return
    pool = ThreadPoolExecutor(max_workers=cores())
    for page, notebook in unknown.items():
        folder = str(Path(env.doc2path(page)).parent)
        running[page] = pool.submit(
            single_nb_execution,
            notebook,
            cwd=folder,
            timeout=env.mystnb_config.execution_timeout,
            allow_errors=env.mystnb_config.execution_allow_errors,
        )
    pool.shutdown(wait=False)


def collect(app: Sphinx, page: str, source: list[str]) -> None:
    """Wait for the page that Sphinx reads now, and put it into the cache."""
    future = running.pop(page, None)
    if future is None:
        return
    with suppress(Exception):  # left to MyST-NB
        done = future.result()
        if done.err is None:
            cache = get_cache(app.env.mystnb_config.execution_cache_path)
            bundle = CacheBundleIn(done.nb, app.env.doc2path(page), data={"execution_seconds": done.time})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            LOGGER.info(f"{app.env.doc2path(page)}: Executed notebook ahead in {done.time:.2f} seconds")


def stop(app: Sphinx, exception: Exception | None) -> None:
    """Start no further pages where the build has ended before it read them."""
    for future in running.values():
        future.cancel()
    running.clear()


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect this to Sphinx."""
    app.connect("env-before-read-docs", start, priority=900)
    app.connect("source-read", collect, priority=950)
    app.connect("build-finished", stop)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
