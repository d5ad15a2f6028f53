"""A stand-in for a platform's container: its folders in their places, no network, no namespaces, and one user.

As a program, `python containers.py COMMAND...` runs a command under a system-call filter that refuses namespaces and
mounts, as Docker's own filter does.
"""

import os
import sys
import sysconfig
from pathlib import Path

CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP")
"""What root has in a container of Docker, of use here."""
NEW_NAMESPACES = 0x7E020000


def container(base: Path, place: str, *, root: bool, namespaces: bool) -> list[str]:
    """What to put before a command that runs where `base` is the folder `place`, such as /autograder.

    Parameters
    ----------
    base : Path
        What the platform and the pack have put there.
    place : str
        Where it is in the container.
    root : bool
        Whether the command runs as root, for which one must be root.
    namespaces : bool
        Whether the container allows namespaces.
    """
    command = ["bwrap", "--unshare-net", "--unshare-pid", "--die-with-parent"]
    for path in sorted(Path("/").iterdir()):
        if not path.is_dir():
            continue
        if path.is_symlink():
            command += ["--symlink", str(path.readlink()), str(path)]
        elif path.name == "proc":
            command += ["--proc", "/proc"]
        elif path.name == "tmp" or not path.stat().st_mode & 0o001:
            command += ["--perms", "1777" if path.name == "tmp" else "0755", "--tmpfs", str(path)]
        else:
            command += ["--dev-bind", str(path), str(path)]
    for needed in {sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), os.path.realpath(sys.executable)}:
        if needed.startswith("/tmp/") or _closed(needed):
            for parent in list(Path(needed).parents)[-2::-1]:
                command += ["--perms", "0755", "--dir", str(parent)]
            command += ["--ro-bind", needed, needed]
    filter_program = str(Path(__file__).resolve())
    command += ["--ro-bind", filter_program, "/filter.py", "--bind", str(base), place, "--chdir", "/"]
    if root:
        command += ["--cap-drop", "ALL", *(part for name in CAPABILITIES for part in ("--cap-add", f"CAP_{name}"))]
    else:
        command += ["--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]
    return command if namespaces else [*command, sys.executable, "/filter.py"]


def _closed(path: str) -> bool:
    return any(not parent.stat().st_mode & 0o001 for parent in Path(path).parents)


def refuse_namespaces() -> None:
    """Refuse this process, and what it starts, all that makes or enters a namespace."""
    import errno

    import pyseccomp

    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in ("unshare", "setns", "mount", "umount2", "pivot_root", "move_mount", "fsopen", "open_tree"):
        rules.add_rule(pyseccomp.ERRNO(errno.EPERM), name)
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for bit in range(32):
        if NEW_NAMESPACES >> bit & 1:
            flag = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, 1 << bit, 1 << bit)
            rules.add_rule(pyseccomp.ERRNO(errno.EPERM), "clone", flag)
    rules.load()


if __name__ == "__main__":
    refuse_namespaces()
    os.execvp(sys.argv[1], sys.argv[1:])
