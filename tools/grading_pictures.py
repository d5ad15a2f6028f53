"""Photograph the nbgrader round trip for the instructor guide: `python -m tools.grading_pictures`.

The sample class of `backward` is graded in a folder of its own, one written answer is marked in formgrader as a
lecturer would, and what is seen on the way is written to book/teach/pictures. It needs Chromium.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Error, Locator, Page, Route, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "book" / "teach" / "pictures"
NAME, STUDENT, QUESTION = "backward", "dora", "answer-sums"
COMMENT = "Right: one path for each sample, and paths are added."


def bncourse(*arguments: str, course: Path) -> None:
    """Run one of the course's commands on the folder."""
    environment = os.environ | {"BNCOURSE_COURSE": str(course)}
    subprocess.run([sys.executable, "-m", "bncourse", *arguments], cwd=ROOT, env=environment, check=True)


@contextmanager
def jupyter(folder: Path) -> Iterator[str]:
    """Jupyter with formgrader, started in the folder as the guide says; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    extension = '--ServerApp.jpserver_extensions={"nbgrader.server_extensions.formgrader": True}'
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=", extension]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *options],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}/formgrader"
    finally:
        server.terminate()
        server.wait(30)


def visit(page: Page, address: str) -> None:
    """Open a page; for a minute as long as the server is not there yet."""
    for _ in range(120):
        try:
            page.goto(address, timeout=60_000)
            page.wait_for_load_state("networkidle")
            return
        except Error:
            time.sleep(0.5)
    raise SystemExit(f"{address} does not open.")


def photograph(page: Page, name: str, place: Locator | None = None, above: int = 0, below: int = 0) -> None:
    """Write what is seen, or a strip of it around a place, in few colors."""
    strip: dict[str, Any] = {}
    if place is not None:
        place.evaluate("seen => seen.scrollIntoView({block: 'center'})")
        middle = (place.bounding_box() or {"y": 0.0})["y"]
        strip = {"clip": {"x": 50, "y": middle - above, "width": 900, "height": above + below}}
    picture = Image.open(io.BytesIO(page.screenshot(**strip))).convert("RGB")
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    picture.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {picture.width} x {picture.height}, {path.stat().st_size // 1000} KB", flush=True)


def only_from_here(route: Route) -> None:
    """Let a page fetch nothing from elsewhere, so that a picture is the same on every day."""
    here = urlsplit(route.request.url).hostname in ("127.0.0.1", None)
    route.continue_() if here else route.abort()


def main() -> None:
    """Go the whole way once."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is missing: apt-get install chromium")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        assignments, course = Path(scratch) / "assignments", Path(scratch) / "_build" / "course"
        shutil.copytree(ROOT / "assignments", assignments, ignore=shutil.ignore_patterns("__pycache__"))
        for step in ("release", "sample-class", "grade"):
            bncourse(step, NAME, course=course)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 620})
        page.route("**/*", only_from_here)
        with jupyter(assignments) as formgrader:
            visit(page, f"{formgrader}/manage_submissions/{NAME}")
            photograph(page, "submissions")
            visit(page, f"{formgrader}/gradebook/{NAME}/{NAME}")
            page.get_by_text("Submission #", exact=False).first.wait_for()
            photograph(page, "to_mark")
            listed = page.request.get(f"{formgrader}/api/submitted_notebooks/{NAME}/{NAME}").json()
            its = next(each["id"] for each in listed if each["student"] == STUDENT)
            visit(page, f"{formgrader}/submissions/{its}/")
            mark(page)
        bncourse("feedback", NAME, course=course)
        visit(page, (course / "feedback" / STUDENT / NAME / f"{NAME}.html").as_uri())
        photograph(page, "comment", page.get_by_text(COMMENT).first, above=190, below=40)
        photograph(page, "diagnosis", page.locator(".entry.wrong .message").first, above=190, below=130)
        browser.close()


def mark(page: Page) -> None:
    """Give the points and the comment for the written answer, and photograph that."""
    score, comment = page.locator(f"#{QUESTION}"), page.locator(f"#{QUESTION}-comment")
    score.fill("0.5")
    comment.fill(COMMENT)
    comment.blur()
    page.wait_for_load_state("networkidle")
    time.sleep(1)
    photograph(page, "marking", score, above=90, below=170)


if __name__ == "__main__":
    main()
