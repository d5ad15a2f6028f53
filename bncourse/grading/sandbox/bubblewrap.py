"""A sandbox's level and modules in; the command that starts it out, or what this machine lacks for it.

Levels, from the strongest: `full` (bubblewrap, namespaces, filter, limits), `no-filter` (the same without the
system-call filter), `user` (a user of its own and limits: for a container that allows no namespaces and in which the
grader is root), `process` (limits alone: for trying things out, never for a class). At the last two, the filter and
Landlock are added where the machine has them; see `without_namespaces`.
"""

import csv
import functools
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgpack

from bncourse.grading.sandbox import inside
from bncourse.grading.sandbox.syscalls import call_filter

Level = Literal["full", "no-filter", "user", "process"]
LEVELS: tuple[Level, ...] = ("full", "no-filter", "user", "process")
PYTHON, SITE, OURS = "/python", "/site", "/bncourse-sandbox"
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": "/tmp",  # noqa: S108  (the sandbox's own)
    "HOME": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    "PATH": "/nowhere",
}
DIAGNOSIS = ("__init__.py", "conventions.py", "shapes.py", "validation", "numpy_bn", "diagnosis")
"""Parts of bncourse that a diagnosis needs."""
FORBIDDEN_PACKAGES = ("bncourse", "nbgrader")


class GraderError(RuntimeError):
    """Nothing can be graded; the text is one line that says why, and what to do."""


class SandboxError(GraderError):
    """A layer of the sandbox is missing; the text is one line that says what to install."""


@dataclass(frozen=True)
class Report:
    """What this machine can do."""

    layers: tuple[tuple[str, bool, str], ...]
    """Name of the layer, whether it is there, and what to install where it is not."""

    @property
    def level(self) -> Level:
        """The strongest level that works here."""
        there = {name: present for name, present, _ in self.layers}
        if not (there["bubblewrap"] and there["namespaces"]):
            return "process"
        return "full" if there["filter"] else "no-filter"

    def require(self, level: Level) -> None:
        """Refuse where a layer of `level` is missing.

        Raises
        ------
        SandboxError
            One line: what is missing, what to install, how to go on without.
        """
        if level not in LEVELS:
            raise ValueError(f"level is {level!r}. Expected one of {', '.join(LEVELS)}.")
        if level == "user":
            if os.geteuid() != 0:
                raise SandboxError("At level user the student's code runs as another user, for which one must be root.")
            return
        if LEVELS.index(level) < LEVELS.index(self.level):
            missing = "; ".join(f"{name} is missing: {remedy}" for name, present, remedy in self.layers if not present)
            raise SandboxError(f"Grading at level {level} is refused: {missing} (or lower it: --level {self.level}).")


@functools.cache
def probe() -> Report:
    """Try each layer of the sandbox."""
    bwrap = shutil.which("bwrap")
    namespaces, why = _try_namespaces(bwrap) if bwrap else (False, "needs bubblewrap first")
    try:
        call_filter()
        filtered = True
    except (ImportError, OSError, RuntimeError):
        filtered = False
    return Report(
        (
            ("bubblewrap", bwrap is not None, "install bubblewrap (Debian, Ubuntu: apt install bubblewrap)"),
            ("namespaces", namespaces, why),
            (
                "filter",
                filtered,
                "install libseccomp (Debian, Ubuntu: apt install libseccomp2) and pip install pyseccomp",
            ),
        )
    )


def _try_namespaces(bwrap: str) -> tuple[bool, str]:
    command = [bwrap, "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--ro-bind", "/", "/"]
    nested = [bwrap, "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "/bin/true"]
    done = subprocess.run(  # noqa: S603  (a fixed command)
        [*command, "--proc", "/proc", *nested], capture_output=True, text=True, check=False
    )
    line = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    names = "user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns"
    remedy = f"allow unprivileged user namespaces (sysctl {names})"
    return done.returncode == 0, f"{remedy}; bubblewrap says: {line}"


@functools.cache
def distribution_paths(modules: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return (path here, name there) for what these top-level modules, and what they require, consist of."""
    wanted = [name for name in modules if _is_distribution(name)]
    if len(wanted) < len(modules):  # a module may be called otherwise than what is installed; to look is slow
        owners = importlib.metadata.packages_distributions()
        wanted += [owners[name][0] for name in modules if name not in wanted and name in owners]
    seen: set[str] = set()
    entries: dict[str, str] = {}
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name in seen or name in FORBIDDEN_PACKAGES:
            continue
        seen.add(name)
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for top in _tops(found):
            if top not in ("..", "__pycache__") and not top.endswith(".pth") and top not in entries:
                entries[top] = str(found.locate_file(top))
        wanted += [re.split(r"[^\w.-]", line)[0] for line in found.requires or () if "extra ==" not in line]
    return tuple((path, name) for name, path in sorted(entries.items()) if os.path.exists(path))  # noqa: PTH110


def _is_distribution(name: str) -> bool:
    """Whether something is installed under this name that brings a module of the same name."""
    try:
        tops = _tops(importlib.metadata.distribution(name))
    except importlib.metadata.PackageNotFoundError:
        return False
    return name in tops or f"{name}.py" in tops


def _tops(found: importlib.metadata.Distribution) -> frozenset[str]:
    """Return the names of the files and folders at the top of what was installed."""
    record = found.read_text("RECORD")  # its `files` reads the same, and makes an object of every line
    paths = [row[0] for row in csv.reader(record.splitlines()) if row] if record else map(str, found.files or ())
    return frozenset(path.split("/")[0] for path in paths)


def library_places() -> list[str]:
    """Return the folders that hold the C library, and Python's own shared library where it has one."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    files = {fields[5] for fields in (line.split(None, 5) for line in maps) if len(fields) == 6 and ".so" in fields[5]}
    places = {file for file in files if re.search(r"/libpython[\d.]+\.so", file)}
    for name in ("libc.so", "libm.so", "libpthread.so", "libstdc++.so", "libgcc_s.so", "libz.so", "ld-linux"):
        found = [file for file in files if Path(file).name.startswith(name) and "site-packages" not in file]
        places.update(str(Path(file).parent) for file in found)
    return sorted(places)


def bwrap_command(modules: tuple[str, ...]) -> list[str]:
    """Build the bubblewrap command of a forkserver."""
    return [*bwrap_root(modules), *_python(), start([SITE], OURS)]


def _python() -> list[str]:
    return [f"{PYTHON}/bin/python{sys.version_info.major}.{sys.version_info.minor}", "-P", "-s", "-S", "-c"]


def diagnosis_command(modules: tuple[str, ...]) -> list[str]:
    """Build the bubblewrap command of a process that diagnoses one file, in the same root and with the same filter.

    Parameters
    ----------
    modules : tuple of str
        What the file may import beside NumPy.
    """
    package = Path(inside.__file__).parents[3]
    binds: list[str] = []
    for name in DIAGNOSIS:
        binds += ["--ro-bind", str(package / name), f"{OURS}/bncourse/{name}"]
    code = (
        f"import sys; sys.path += [{SITE!r}, {OURS!r}]\n"
        "from bncourse.diagnosis.conventions.child import main\n"
        "from inside.namespaces import filter_calls, set_limits\n"
        "def confine(job):\n"
        "    base = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
        "    set_limits(job['limits'], base, isolate=True)\n"
        "    filter_calls(bytes.fromhex(job['filter']))\n"
        "main(confine)\n"
    )
    return [*bwrap_root(("numpy", *modules), binds), *_python(), code]


def bwrap_root(modules: tuple[str, ...], binds: Sequence[str] = ()) -> list[str]:
    """Build the bubblewrap command whose root holds Python, the allowed packages, and nothing else but `binds`."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    stdlib = sysconfig.get_path("stdlib")
    interpreter = os.path.realpath(sys.executable)
    command = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"]
    command += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox", "--clearenv"]
    environment = {**ENVIRONMENT, "PYTHONHOME": PYTHON, "LD_LIBRARY_PATH": f"{PYTHON}/lib"}
    for name, value in environment.items():
        command += ["--setenv", name, value]
    for place in library_places():
        ours = "libpython" in Path(place).name
        command += ["--ro-bind", place, f"{PYTHON}/lib/{Path(place).name}" if ours else place]
    for link in ("/lib", "/lib64"):
        if Path(link).is_symlink():
            command += ["--symlink", str(Path(link).readlink()), link]
    loader = _loader()
    if loader and not Path(loader).parent.is_symlink():
        command += ["--ro-bind", loader, loader]
    elif loader:
        target = Path("/", Path(loader).parent.readlink(), Path(loader).name)
        command += ["--ro-bind", os.path.realpath(loader), str(target)]
    command += ["--ro-bind", interpreter, f"{PYTHON}/bin/{version}", "--ro-bind", stdlib, f"{PYTHON}/lib/{version}"]
    for folder in ("site-packages", "dist-packages"):
        if Path(stdlib, folder).is_dir():
            command += ["--tmpfs", f"{PYTHON}/lib/{version}/{folder}"]
    for path, name in distribution_paths(modules):
        command += ["--ro-bind", path, f"{SITE}/{name}"]
    command += ["--ro-bind", str(Path(inside.__file__).parent), f"{OURS}/inside"]
    command += ["--ro-bind", str(Path(msgpack.__file__).parent), f"{OURS}/msgpack"]
    for device in ("null", "zero", "full", "random", "urandom"):
        command += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    command += [*binds, "--dir", SITE, "--tmpfs", "/tmp", "--proc", "/proc", "--remount-ro", "/", "--chdir", "/"]  # noqa: S108
    return command


def start(site: list[str], ours: str) -> str:
    """Build the program of a forkserver: what is on its path, and its main function."""
    return (
        f"import sys; sys.path += {site!r}; sys.path.append({ours!r}); from inside.forkserver_main import main; main()"
    )


def _loader() -> str | None:
    with open(os.path.realpath(sys.executable), "rb") as file:  # noqa: PTH123
        head = file.read(4096)
    found = re.search(rb"/[\w/.-]*ld-[\w.-]+\.so\.\d", head)
    return found.group().decode() if found else None
