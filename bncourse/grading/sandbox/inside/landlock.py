"""Paths in; a process that can open nothing else out, where the kernel has Landlock and no namespace is allowed.

Landlock needs no privilege, so that it works in containers that refuse namespaces. It also keeps a process from sockets
that others have, and from sending them signals, as far as the kernel's version goes.
"""

import contextlib
import ctypes
import os
import stat
from collections.abc import Iterable

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""System calls; the numbers are the same on all architectures."""
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE, IOCTL = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
RIGHTS_BY_VERSION = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many rights on files there are from which version on."""
CONNECTIONS, SCOPES = 0b11, 0b11
"""Binding and connecting TCP sockets (version 4); abstract sockets and signals (version 6)."""
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL
NO_NEW_PRIVILEGES = 38

_libc = ctypes.CDLL(None, use_errno=True)


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


def version() -> int:
    """Return the version of Landlock that the kernel has, 0 if it has none or does not let us use it."""
    return max(0, int(_libc.syscall(CREATE_RULESET, None, 0, 1)))


def restrict(readable: Iterable[str], listed: Iterable[str], writable: Iterable[str]) -> None:
    """Close all of the file system to this process, and to what it forks, but some paths; nothing undoes that.

    Parameters
    ----------
    readable : iterable of str
        Files and folders, with all that is in them. What is missing is left out.
    listed : iterable of str
        Folders whose names may be listed.
    writable : iterable of str
        Folders, and devices, to write to as well.

    Raises
    ------
    OSError
        If the kernel does not do it.
    """
    found = version()
    rights = (1 << max((count for since, count in RIGHTS_BY_VERSION.items() if since <= found), default=0)) - 1
    handled = (ctypes.c_uint64 * 3)(rights, CONNECTIONS if found >= 4 else 0, SCOPES if found >= 6 else 0)
    size = 24 if found >= 6 else 16 if found >= 4 else 8
    ruleset = _checked(_libc.syscall(CREATE_RULESET, ctypes.byref(handled), size, 0), "landlock_create_ruleset")
    try:
        for paths, allowed in (
            (readable, READ_FILE | READ_DIR | EXECUTE),
            (listed, READ_DIR),
            (writable, ~EXECUTE),
        ):
            for path in paths:
                with contextlib.suppress(FileNotFoundError, PermissionError):
                    _allow(ruleset, path, allowed & rights)
        _checked(_libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no_new_privs")
        _checked(_libc.syscall(RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= OF_A_FILE
        rule = _Rule(rights, descriptor)
        _checked(_libc.syscall(ADD_RULE, ruleset, 1, ctypes.byref(rule), 0), f"landlock_add_rule {path}")
    finally:
        os.close(descriptor)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
