"""A master in; which modules its code may import, which are loaded before it, and which versions decide, out."""

import functools
import platform
from importlib.metadata import PackageNotFoundError, version

from bncourse.grading.core.records import Master


def allowed(master: Master) -> tuple[str, ...]:
    """Top-level modules that exist in the sandbox: the master's, and Matplotlib for plots in between."""
    return tuple(dict.fromkeys(("numpy", "matplotlib", *master.imports)))


def preloaded(master: Master, text: str) -> tuple[str, ...]:
    """Modules that are loaded before the fork."""
    heavy = [name for name in ("torch",) if name in master.imports]
    given, solution = (
        "".join(cell.source for cell in master.cells if cell.kind == kind) for kind in ("given", "answer")
    )
    if heavy and "torch.optim" in given + solution:
        heavy.append("torch._dynamo")  # which an optimizer loads, in a second
    text += given
    return ("numpy", *heavy, *(["matplotlib.pyplot"] if "matplotlib" in text or "plt." in text else []))


@functools.cache
def environment(imports: tuple[str, ...] = ("numpy", "torch", "bncourse")) -> str:
    """Versions that a result depends on: Python's, and those of the libraries that are named."""
    parts = [f"python {platform.python_version()}"]
    for name in dict.fromkeys(imports):
        try:
            parts.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(parts)
