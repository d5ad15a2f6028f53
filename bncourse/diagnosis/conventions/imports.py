"""The imports of a student's file: what is not installed here lies beside it, or says so when it is used."""

import ast
import contextlib
import importlib
import importlib.util
import io
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class NotHereError(ImportError):
    """Code needs a module that is not installed here."""


LIBRARIES = frozenset(
    (
        "torch",
        "tensorflow",
        "jax",
        "keras",
        "flax",
        "mxnet",
        "cupy",
        "numba",
        "scipy",
        "autograd",
        "paddle",
        "haiku",
        "tinygrad",
    )
)
"""Packages that are known, and have to be installed."""
NUMPYS = ("jax.numpy", "cupy", "autograd.numpy", "mxnet.numpy")
"""Modules that hold NumPy's functions under their names: where one is not installed, NumPy takes its place."""


class StandIn:
    """In the place of a base class that lies in a file that is not here: most hold a mode, and what calls forward."""

    training = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what the other takes."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the forward pass."""
        return self.forward(*arguments, **options)  # type: ignore[attr-defined]

    def train(self) -> None:
        """Begin to train."""
        self.training = True

    def eval(self) -> None:
        """Begin to infer."""
        self.training = False


class _NotHere:
    """In the place of a module that is not installed: silent until it is called."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return _NotHere(f"{self._name}.{attribute}")

    def __getitem__(self, key: Any) -> Any:
        return self

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        raise NotHereError(not_here(self._name))

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        if self._name.split(".")[0] in LIBRARIES:
            raise NotHereError(not_here(self._name))
        return (StandIn,)

    def __bool__(self) -> bool:
        return False


def not_here(name: str) -> str:
    """Say that a module is not here, and what to do."""
    module = name.split(".")[0]
    if re.search(r"cython|fast_layers|im2col|_ext$|cuda|_C$", name):
        return f"it needs {name}, a compiled extension of its course that is not here; build it and run this beside it"
    if module in LIBRARIES:
        return f"it needs {module}, which is not installed here"
    return f"it needs {name}, which is not here; put that file beside this one"


class OldNumPy(types.ModuleType):
    """NumPy with the names that older code uses and newer versions have removed; `__name__` says for which module."""

    def __getattr__(self, name: str) -> Any:
        import numpy as np

        old = {"float": float, "int": int, "bool": bool, "object": object, "complex": complex, "product": np.prod}
        old |= {"float_": np.float64, "Inf": np.inf, "infty": np.inf, "NaN": np.nan, "alltrue": np.all}
        if name in old and not hasattr(np, name):
            return old[name]
        return getattr(np, name)


def bind_import(statement: ast.Import | ast.ImportFrom, namespace: dict[str, Any], folder: str | None) -> None:
    """Bind what an import binds; modules that are not here are replaced."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            module = _module(alias.name, folder)
            namespace[alias.asname or alias.name.split(".")[0]] = (
                module if alias.asname or "." not in alias.name else _module(alias.name.split(".")[0], folder)
            )
        return
    source = "." * statement.level + (statement.module or "")
    module = _module(source, folder)
    for alias in statement.names:
        if alias.name == "*":
            if not isinstance(module, _NotHere):
                public = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
                namespace.update({name: getattr(module, name) for name in public})
        elif f"{source}.{alias.name}" in NUMPYS:
            namespace[alias.asname or alias.name] = _module(f"{source}.{alias.name}", folder)
        elif isinstance(module, _NotHere) or hasattr(module, alias.name):
            namespace[alias.asname or alias.name] = getattr(module, alias.name)
        else:
            namespace[alias.asname or alias.name] = _module(f"{source}.{alias.name}", folder)


def _module(name: str, folder: str | None = None) -> Any:
    """Import a module that is installed, or else one that lies beside the file."""
    if not name.startswith("."):
        try:
            with silence():
                module = importlib.import_module(name)
            return OldNumPy("numpy") if name == "numpy" else module
        except Exception:
            if name in NUMPYS:
                return OldNumPy(name)
            if folder is None:
                return _NotHere(name)
    wanted = name.lstrip(".")
    for tail in (wanted, wanted.rsplit(".", 1)[-1]):  # a package's folders are often flattened when a file is handed in
        beside = Path(folder or "", *tail.split(".")).with_suffix(".py")
        if folder and tail and beside.is_file():
            return _beside(tail, beside)
    return _NotHere(wanted or "a file beside it")


def _beside(name: str, path: Path) -> Any:
    """Run a module that lies beside the file, with its folder on the path."""
    spec = importlib.util.spec_from_file_location(f"student_{name}", path)
    if spec is None or spec.loader is None:
        return _NotHere(name)
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(path.parent))
    try:
        with silence():
            spec.loader.exec_module(module)
    except (Exception, SystemExit):
        return _NotHere(name)
    finally:
        sys.path.remove(str(path.parent))
    return module


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep what a file prints while it is run."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
