"""Build the package's own wheel: the pages load it, and a reader can install it from the site."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.browser.runtime import ROOT

STATE = ".state"
"""The file beside the wheel that says of which sources it was built."""


def sources() -> str:
    """Return a digest of everything that goes into the wheel."""
    digest = hashlib.sha256()
    files = [ROOT / "pyproject.toml", ROOT / "README.md", ROOT / "LICENSE", *(ROOT / "bncourse").rglob("*")]
    for path in sorted(files):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def build(folder: Path) -> str:
    """Leave the wheel in `folder`, unless it is there as the sources are now; return its name."""
    state, found = folder / STATE, sorted(folder.glob("*.whl"))
    now = sources()
    if len(found) == 1 and state.exists() and state.read_text("utf-8") == now:
        return found[0].name
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", temporary]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        (made,) = Path(temporary).glob("*.whl")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copyfile(made, folder / made.name)
    state.write_text(now, encoding="utf-8")
    return made.name
