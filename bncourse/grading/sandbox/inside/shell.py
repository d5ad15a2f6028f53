"""Magics and `display` calls of a cell in; capped text and pictures out, in place of IPython's shell."""

import importlib
import io
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

MAX_TEXT = 20_000
MAX_FIGURES = 4
MAX_PNG = 400_000
BODY_MAGICS = ("time", "timeit", "capture", "prun")
FILE_MAGICS = ("writefile", "file")
MAX_FILE = 200_000


class CappedText(io.TextIOBase):
    """A stream that keeps the first characters written to it and counts the rest."""

    def __init__(self, limit: int = MAX_TEXT) -> None:
        self.limit = limit
        self.pieces: list[str] = []
        self.kept = 0
        self.lost = 0

    def writable(self) -> bool:
        """A stream to write to."""
        return True

    def write(self, text: str) -> int:
        """Keep what still fits."""
        text = str(text)
        piece = text[: max(0, self.limit - self.kept)]
        if piece:
            self.pieces.append(piece)
            self.kept += len(piece)
        self.lost += len(text) - len(piece)
        return len(text)

    def take(self) -> str:
        """Return what was kept, and keep nothing any more."""
        text = "".join(self.pieces)
        if self.lost:
            text += f"\n[{self.lost} more characters were not kept]\n"
        self.pieces, self.kept, self.lost = [], 0, 0
        return text


class Shell:
    """What `get_ipython()` returns: only what transformed cells call."""

    def __init__(self, run: Callable[[str], None]) -> None:
        self._run = run
        self.ignored: list[str] = []

    def run_line_magic(self, name: str, line: str = "", *_: Any, **__: Any) -> None:
        """Run the statement of %time and its like; ignore every other magic."""
        if name in BODY_MAGICS and line.strip():
            self._run(line)
        elif name == "run" and (script := script_of(line)) is not None:
            self._run(script.read_text(encoding="utf-8"))
        else:
            self.ignored.append(f"%{name}")

    def run_cell_magic(self, name: str, line: str = "", cell: str = "", *_: Any, **__: Any) -> None:
        """Run the body of %%time and its like; ignore every other magic."""
        if name in BODY_MAGICS:
            self._run(cell)
        elif name in FILE_MAGICS and write_file(line, cell):
            importlib.invalidate_caches()
        else:
            self.ignored.append(f"%%{name}")

    magic = run_line_magic

    def system(self, command: str) -> None:
        """Ignore a shell command."""
        self.ignored.append("!" + str(command).split(" ")[0])

    system_raw = system

    def getoutput(self, command: str, *_: Any, **__: Any) -> list[str]:
        """Ignore a shell command, whose output is empty."""
        self.system(command)
        return []

    def __getattr__(self, name: str) -> "Nothing":
        """Anything else that a cell asks of the shell does nothing."""
        return Nothing()


def script_of(line: str) -> Path | None:
    """The file that %run names behind its options, with or without its ending; None where there is none."""
    words = [word.strip("'\"") for word in line.split()]
    named = next((word for word in words if not word.startswith("-")), "")
    return next((path for path in (Path(named), Path(f"{named}.py")) if path.is_file()), None)


def write_file(line: str, content: str) -> bool:
    """Write a file where the cells run, as %%writefile does; False where it is not one below that folder."""
    more, name = line.startswith("-a "), line.removeprefix("-a ").strip().strip("'\"")
    path = Path(name)
    if not name or path.is_absolute() or ".." in path.parts or len(content) > MAX_FILE:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if more else "w", encoding="utf-8") as file:
        file.write(content)
    return True


class Nothing:
    """Does nothing when called, and so do its attributes: Matplotlib asks for `get_ipython().events.register`."""

    def __call__(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def __getattr__(self, name: str) -> "Nothing":
        """Return nothing again, except for what Python itself looks for."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def display(*values: Any, **_: Any) -> None:
    """Print plain text, as an inert copy of what a notebook would show."""
    for value in values:
        sys.stdout.write(f"{value!r}\n")


def install(shell: Shell, space: dict[str, Any]) -> None:
    """Put `get_ipython`, `display` and a small `IPython` module where cells look for them."""
    space["get_ipython"] = lambda: shell
    space["display"] = display
    package = types.ModuleType("IPython")
    module = types.ModuleType("IPython.display")
    vars(package).update(get_ipython=lambda: shell, display=module, version_info=(9, 0), __path__=[])
    vars(module).update(display=display, clear_output=lambda *_, **__: None)
    for name in ("HTML", "Image", "Markdown", "Math", "Latex", "SVG", "Javascript", "IFrame", "Audio", "Video"):
        setattr(module, name, lambda data=None, *_, _name=name, **__: f"<{_name}>")
    sys.modules["IPython"], sys.modules["IPython.display"] = package, module


def no_figures() -> list[bytes]:
    """Close the open Matplotlib figures; return none."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and pyplot.get_fignums():
        pyplot.close("all")
    return []


def figures() -> list[bytes]:
    """Return the open Matplotlib figures as PNG, and close them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or not pyplot.get_fignums():
        return []
    pictures: list[bytes] = []
    for number in pyplot.get_fignums()[:MAX_FIGURES]:
        figure = pyplot.figure(number)
        width, height = figure.get_size_inches()
        if width * height > 400:
            continue
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=72)
        if stream.tell() <= MAX_PNG:
            pictures.append(stream.getvalue())
    pyplot.close("all")
    return pictures
