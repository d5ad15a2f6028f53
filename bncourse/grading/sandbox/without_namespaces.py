"""Modules in; the command of a worker without namespaces out, and what keeps files from it.

Two levels have no namespaces: at `user` the code runs as another user than the grader, at `process` as the same.
At both, Landlock keeps all files from the code but Python, the allowed packages and a folder of its own, and the
system-call filter keeps it from other processes, each where the machine has it. `lacks` says what a level goes without.
"""

import contextlib
import os
import pwd
import shutil
import sys
import sysconfig
from pathlib import Path

import msgpack

from bncourse.grading.sandbox import bubblewrap, inside
from bncourse.grading.sandbox.inside import landlock

WORKER_USERS = ("bncourse-worker", "nobody")
"""Who runs a student's code at level `user`: the first of these that the machine knows."""
OTHER_PACKAGES = ("site-packages", "dist-packages", "__pycache__")


def strongest_level() -> bubblewrap.Level:
    """Return the strongest level that works here: `user` before `process` if the grader is root."""
    found = bubblewrap.probe().level
    return "user" if found == "process" and os.geteuid() == 0 else found


def lacks(level: bubblewrap.Level) -> tuple[str, ...]:
    """Say what is missing at a level on this machine, compared with the full sandbox; nothing at `full`."""
    there = {name: present for name, present, _ in bubblewrap.probe().layers}
    missing = ["a user of its own"] if level == "process" else []
    if level in ("user", "process"):
        missing += ["namespaces", *([] if landlock.version() else ["Landlock"])]
    if level == "no-filter" or (level != "full" and not there["filter"]):
        missing.append("the system-call filter")
    return tuple(missing)


def worker_user() -> tuple[int, int]:
    """Return the numbers of the user and the group that run a student's code at level `user`."""
    for name in WORKER_USERS:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    return 65534, 65534


def lay_out(folder: Path, modules: tuple[str, ...]) -> list[str]:
    """Put into a folder what the worker may import, and build the command that starts it.

    The package itself, with the reference and the tests, is not on its path.
    """
    site, ours = folder / "site", folder / "ours"
    site.mkdir(parents=True)
    for path, name in bubblewrap.distribution_paths(modules):
        (site / name).symlink_to(path)
    for package in (inside, msgpack):  # copied, because they may lie where the worker's user may not read
        name = str(package.__name__).rpartition(".")[2]
        shutil.copytree(Path(str(package.__file__)).parent, ours / name, ignore=shutil.ignore_patterns("__pycache__"))
    for part in (folder, *folder.rglob("*")):
        if not part.is_symlink():
            part.chmod(0o755 if part.is_dir() else 0o644)
    return [sys.executable, "-P", "-s", "-S", "-c", bubblewrap.start([str(site)], str(ours))]


def readable(folder: Path, modules: tuple[str, ...]) -> dict[str, list[str]]:
    """Return what Landlock leaves open: to read, and folders to list without reading all that is in them."""
    stdlib = sysconfig.get_path("stdlib")
    kept = [str(path) for path in Path(stdlib).iterdir() if path.name not in OTHER_PACKAGES]
    for place in bubblewrap.library_places():  # a folder of libraries may hold Python's packages as well
        inner = [] if Path(place).is_file() else list(Path(place).iterdir())
        mixed = any(path.name.startswith("python") for path in inner)
        kept += [str(path) for path in inner if not path.name.startswith("python")] if mixed else [place]
    packages = [path for path, _ in bubblewrap.distribution_paths(modules)]
    return {"read": [str(folder), *kept, *packages, "/etc/ld.so.cache"], "list": [stdlib]}
