"""What the keeper (keeper.js) has Python do before it keeps its memory, and what it keeps of modules."""

import contextlib
import importlib
import io
import marshal
import sys
import zipfile
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source

STANDARD = (
    "bisect copy csv ctypes datetime email.message fractions functools importlib.metadata inspect json linecache "
    "numbers pickle platform random shutil sysconfig tarfile tempfile textwrap traceback zipfile"
)
"""Of the standard library: what NumPy, the course and the cells' runner import."""

COURSE = "numpy bncourse.numpy_bn bncourse.gradcheck bncourse.diagnosis.conventions bncourse.experiments"
"""What pages and the clinic import first."""

UNCHECKED = (1).to_bytes(4, "little") + bytes(8)
"""Says of a compiled module that it is not compared with its source; both are of one state of the site."""


def import_standard_library() -> None:
    """Import what would else be compiled on each page."""
    for name in STANDARD.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def compiled_modules() -> bytes:
    """Import the course, and give every module that came with it, compiled, as a ZIP file to unpack at the root."""
    for name in COURSE.split():
        importlib.import_module(name)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, module in list(sys.modules.items()):
            loader = getattr(module, "__loader__", None)
            if isinstance(loader, SourceFileLoader) and not loader.path.startswith("/home/"):
                code = marshal.dumps(loader.get_code(name))
                archive.writestr(cache_from_source(loader.path).lstrip("/"), MAGIC_NUMBER + UNCHECKED + code)
    return made.getvalue()
