"""How fast the pages are in the browser: `make browser-bench` prints each bar and whether it is kept.

Figures are of this machine while it does what else it does: a bar that breaks on a busy machine is measured again.
"""

import functools
import http.server
import shutil
import sys
import threading
from typing import Any, NamedTuple

from tools.browser import editor
from tools.browser.runtime import ROOT, present

SITE = ROOT / "_build" / "html"


class Bar(NamedTuple):
    """A figure, what it may be at most, and in what it is measured."""

    what: str
    measured: float
    most: float
    unit: str


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def ran(page: Any, code: str, libraries: list[str]) -> tuple[float, float]:
    """Run code in the page's session; milliseconds from the asking to the end, and of the run alone."""
    told = page.evaluate(
        """async ([code, libraries]) => { const begin = performance.now();
        const done = await bnPage.session.ask({code, libraries});
        if (!done.ok) throw new Error('the code of the bench failed');
        return [performance.now() - begin, done.ms] }""",
        [code, libraries],
    )
    return told[0], told[1]


REPORT = """async () => { await bnClinic.session.ask({ clinic: "" });
const begin = performance.now();
document.querySelector(".bn-examples button").click();
while (bnClinic.busy) await new Promise(later => setTimeout(later, 5));
if (!document.querySelector(".bn-report")) throw new Error("the clinic has no report");
return performance.now() - begin }"""
"""Milliseconds from the click on an example to its report, once Python is ready: the first check of that Python."""


def report(context: Any, address: str) -> float:
    """Milliseconds from a click to the clinic's report; the best of three, each in a Python of its own."""
    page = context.new_page()
    page.set_default_timeout(240_000)
    page.goto(f"{address}/book/teach/clinic.html")
    page.wait_for_function("document.querySelector('.bn-examples button') && document.documentElement.dataset.clinic")
    found = min(page.evaluate(REPORT) for _ in range(3))
    page.close()
    return float(found)


DIRECT = """
from bncourse.diagnosis import diagnose
from bncourse.numpy_bn import batch_norm_backward, batch_norm_forward
def constant(dy, cache):
    dx, dgamma, dbeta = batch_norm_backward(dy, cache)
    return dy * cache.gamma * cache.inv_std, dgamma, dbeta
diagnose(batch_norm_forward, constant)
None
"""
CHECK = "diagnose(batch_norm_forward, constant)\nNone"
FIGURE = """
import numpy as np
from bncourse.plots.vanishing import spread_about
spread_about(np.arange(5.0), {"zero": 0.0})
None
"""


def visit(context: Any, address: str, name: str) -> Any:
    """Open a page with live cells."""
    page = context.new_page()
    page.set_default_timeout(240_000)
    page.weight = 0

    def weigh(answer: Any) -> None:
        page.weight += int(answer.headers.get("content-length", 0))

    page.on("response", weigh)
    page.goto(f"{address}/book/{name}.html")
    page.wait_for_function("document.documentElement.dataset.live === 'ready'")
    page.wait_for_load_state("networkidle")
    return page


def measure(browser: Any, address: str) -> list[Bar]:
    """Measure every bar."""
    context = browser.new_context()
    first = visit(context, address, "gradients/closed_form")
    weight = first.weight / 1e6
    ran(first, "import bncourse", [])
    first.close()
    warm = visit(context, address, "gradients/closed_form")
    ready, _ = ran(warm, "import bncourse.numpy_bn", [])
    ran(warm, DIRECT, [])
    check = min(ran(warm, CHECK, [])[1] for _ in range(7))
    ran(warm, FIGURE, ["matplotlib"])
    figure = min(ran(warm, FIGURE, [])[1] for _ in range(3))
    warm.wait_for_function("bnPage.session.isKept")  # made a few seconds after the last run
    warm.close()
    second = visit(context, address, "gradients/graph")
    further, _ = ran(second, "import bncourse.numpy_bn", [])
    if not second.evaluate("bnPage.session.isKept"):
        raise RuntimeError("the further page was not started from what the browser has kept")
    second.close()
    clinic = report(context, address)
    context.close()
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file()) / 1e6
    bundle = editor.bundle()
    return [
        Bar("ready: runtime, NumPy and bncourse, warm cache", ready / 1000, 6, "s"),
        Bar("each further page of a visit, from what was kept", further / 1000, 3, "s"),
        Bar("check of a wrong pair", check, 60, "ms"),
        Bar("the clinic's report on a file, once ready", clinic / 1000, 2, "s"),
        Bar("a figure after Matplotlib is in", figure / 1000, 1.5, "s"),
        Bar("the site with everything", size, 70, "MB"),
        Bar("a page before Run", weight, 2.5, "MB"),
        Bar("the editor", bundle.stat().st_size / 1000 if bundle else 0.0, 250, "kB"),
    ]


def main() -> int:
    """Print the table; exit code 1 where a bar is broken."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None or not present() or not (SITE / "_static" / "pyodide").exists():
        print(
            "The bench needs Chromium and a site with Python for the browser: apt-get install chromium, and make book"
        )
        return 2
    from playwright.sync_api import sync_playwright

    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        bars = measure(browser, f"http://127.0.0.1:{server.server_port}")
        browser.close()
        server.shutdown()
    for bar in bars:
        kept = "kept" if bar.measured <= bar.most else "BROKEN"
        print(f"{bar.what:50} {bar.measured:8.2f} {bar.unit:3} of at most {bar.most:6.1f}  {kept}")
    return int(any(bar.measured > bar.most for bar in bars))


if __name__ == "__main__":
    sys.exit(main())
