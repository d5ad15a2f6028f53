"""A course in; a Jupyter with formgrader out, started where an instructor starts it."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bncourse.grading.authoring.course import Course

TOKEN = "for-this-test-only"


@contextlib.contextmanager
def formgrader_of(course: Course, folder: Path) -> Iterator[str]:
    """The address of its pages, for as long as the server runs; a folder takes its log and what it keeps."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    extensions = '{"nbgrader.server_extensions.formgrader": True}'
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
            *(f"--port={port}", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.jpserver_extensions={extensions}"),
        ],
        cwd=course.masters.parent,
        env={**os.environ, "HOME": str(folder), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("w"),
    )
    address = f"http://127.0.0.1:{port}/formgrader/"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}gradebook?token={TOKEN}", timeout=120).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.25)
        yield address
    finally:
        server.terminate()
        server.wait(30)
