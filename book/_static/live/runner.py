"""What runs in the page's worker: a cell's code in the page's namespace, with what it prints and shows passed on.

It stands in for the parts of IPython and MyST-NB that the pages use: `display`, `Markdown`, and `glue`, whose values
were put into the text when the book was built.
"""

import ast
import builtins
import contextlib
import io
import json
import linecache
import sys
import time
import traceback
import types
from collections.abc import Callable
from functools import cache
from typing import Any

Emit = Callable[[str, str], None]
"""Passes on a kind (stdout, stderr, html, text, error) and its text."""

PRINTED = 200_000
"""Characters that one run of a cell may print, or one value may have: an endless loop must not fill the page."""

SHOWN = 1_000
"""Values and figures that one run of a cell may show."""

page: dict[str, Any] = {}
"""The namespace of the page's cells."""


CUT = f"\n... (cut: a page shows {PRINTED:,} characters)\n"


class Stream(io.TextIOBase):
    """What a cell prints, passed on in pieces: at once at first, then ten times a second."""

    def __init__(self, kind: str, emit: Emit) -> None:
        self.kind, self.emit = kind, emit
        self.pieces: list[str] = []
        self.sent, self.last = 0, 0.0

    def writable(self) -> bool:
        """A stream to write on."""
        return True

    def write(self, text: str) -> int:
        """Take a piece of text."""
        self.pieces.append(text)
        if time.monotonic() - self.last > 0.1:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Pass on what has come together."""
        text = "".join(self.pieces)[: max(0, PRINTED - self.sent)]
        self.pieces = []
        if text:
            self.sent += len(text)
            self.last = time.monotonic()
            self.emit(self.kind, text if self.sent < PRINTED else text + CUT)


def run_cell(source: str, label: str, silent: bool, emit: Emit) -> str:
    """Run a cell as a notebook does: its last expression is shown, an error is told with the lines that led to it."""
    quiet: Emit = (lambda kind, text: emit(kind, text) if kind == "error" else None) if silent else emit
    out, err = Stream("stdout", quiet), Stream("stderr", quiet)
    name = f"<{label}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    left = SHOWN

    def display(*things: Any) -> None:
        nonlocal left
        for thing in things:
            left -= 1
            if left > 0:
                show(thing, out, quiet)
            elif left == 0:
                quiet("stderr", f"... (cut: a cell may show {SHOWN:,} things)\n")

    page["display"] = display
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            tree = ast.parse(source, name)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), page)  # noqa: S102 - the reader's own code, in the reader's browser
            value = None
            if last is not None:
                value = eval(compile(ast.Expression(last.value), name, "eval"), page)  # noqa: S307 - the same
            if value is not None and not source.rstrip().endswith(";"):
                page["_"] = value
                show(value, out, quiet)
            show_figures(out, quiet)
        except BaseException as error:
            out.flush()
            err.flush()
            emit("error", told(error, name))
            close_figures()
            return "failed"
    out.flush()
    err.flush()
    return "ok"


def show(thing: Any, out: Stream, emit: Emit) -> None:
    """Show a value in the richest form that the page knows."""
    out.flush()
    for method, kind in (("_repr_html_", "html"), ("_repr_svg_", "html")):
        maker = getattr(thing, method, None) if not isinstance(thing, type) else None
        text = maker() if maker is not None else None
        if text:
            emit(kind, text)
            return
    text = str(thing) if isinstance(thing, Markdown) else repr(thing)
    emit("text", text if len(text) <= PRINTED else text[:PRINTED] + CUT)


def told(error: BaseException, name: str) -> str:
    """The error and the lines that led to it, from the cell on: the lines of this file are nobody's business."""
    if isinstance(error, SyntaxError) and error.filename == name:
        lines = traceback.format_exception_only(error)
        if (error.text or "").lstrip().startswith(("%", "!", "?")):
            lines.append("A line that begins with %, ! or ? is for Jupyter: open the page as a notebook.\n")
        return "".join(lines)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != name:
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def show_figures(out: Stream, emit: Emit) -> None:
    """Show the figures that pyplot holds, in the book's style, and close them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    from bncourse.plots.style import finish

    for number in pyplot.get_fignums():
        show(finish(pyplot.figure(number), "A figure drawn by this cell"), out, emit)
    pyplot.close("all")


def close_figures() -> None:
    """Forget the figures of a cell that failed."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


def style_figures() -> None:
    """Draw figures in the book's style from now on."""
    import matplotlib as mpl

    mpl.use("agg")
    from bncourse.plots.style import SETTINGS

    mpl.rcParams.update(SETTINGS)


class Markdown:
    """A text that a notebook would set as Markdown; a page shows it as it is written."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


def no_input(prompt: object = "") -> str:
    """Say that a worker cannot ask its reader."""
    raise EOFError("a page cannot ask for input; write the value into the code")


@cache
def open_clinic() -> None:
    """Import the diagnosis and run it once, so that the time that a check may take is the check's own."""
    from bncourse.diagnosis.conventions import diagnose_source
    from bncourse.numpy_bn import functional

    diagnose_source("".join(linecache.getlines(functional.__file__)))


def clinic(request: str) -> str:
    """Diagnose the text of a file, and return what was found as JSON."""
    from bncourse.diagnosis.conventions import diagnose_source

    asked = json.loads(request)
    quiet = io.StringIO()
    try:
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            found = diagnose_source(asked["text"], name=asked["name"])
    except BaseException as error:
        found = {"failed": "".join(traceback.format_exception(error))}
    return json.dumps(found, default=str)


def module(name: str) -> Any:
    """Make an empty module that can be imported."""
    made = types.ModuleType(name)
    sys.modules[name] = made
    return made


def prepare() -> None:
    """Begin a page: no name is bound, and the stand-ins are where the cells look for them."""
    page.clear()
    page.update({"__name__": "__main__", "__builtins__": __builtins__})
    module("myst_nb").glue = lambda *_, **__: None  # type: ignore[attr-defined]
    ipython, shown = module("IPython"), module("IPython.display")
    ipython.display, ipython.version_info = shown, (9, 12)  # Matplotlib asks for the version
    ipython.get_ipython = lambda: None
    shown.Markdown = Markdown
    shown.display = lambda *things: page["display"](*things)


builtins.input = no_input
prepare()
