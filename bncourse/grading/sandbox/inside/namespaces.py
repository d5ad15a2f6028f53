"""Limits in; a process without network, files, capabilities or unneeded system calls out."""

import ctypes
import os
import resource
from typing import Any

MOUNTS, USERS, IPC, PROCESSES = 0x00020000, 0x10000000, 0x08000000, 0x20000000
"""Kinds of namespaces."""
READ_ONLY, NO_SUID, NO_DEV, NO_EXEC, REMOUNT, BIND = 1, 2, 4, 8, 32, 4096
DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom"))
"""Their owner, mode and times are the machine's own, and a fork may not touch them."""
NO_NEW_PRIVILEGES, SET_SECCOMP, CHILD_SUBREAPER = 38, 22, 36
MIB = 2**20

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(target: str, flags: int, options: str) -> None:
    arguments = (b"tmpfs", target.encode(), b"tmpfs", ctypes.c_ulong(flags), options.encode())
    _check(_libc.mount(*arguments), f"mount {target}")


def _freeze(device: str) -> None:
    """Make a device's entry read-only, its mode and times included; what it is for still works."""
    flags = os.statvfs(device).f_flag & (NO_SUID | NO_DEV | NO_EXEC) | READ_ONLY | REMOUNT | BIND
    _check(_libc.mount(None, device.encode(), None, ctypes.c_ulong(flags), None), f"mount {device}")


def leave_namespaces(kinds: int) -> None:
    """Enter new namespaces of these kinds, and of users, among whom are only we."""
    user, group = os.getuid(), os.getgid()
    _check(_libc.unshare(USERS | kinds), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def empty_folders(tmp_mib: int) -> None:
    """Put an empty /tmp and nothing in /proc in the place of the warm process's, and freeze the devices."""
    _mount("/tmp", NO_SUID | NO_DEV | NO_EXEC, f"size={tmp_mib}m,nr_inodes=1000")  # noqa: S108
    for device in DEVICES:
        _freeze(device)
    _mount("/proc", NO_SUID | NO_DEV | NO_EXEC | READ_ONLY, "size=4k,nr_inodes=2")


def drop_capabilities() -> None:
    """Give up every capability that the new user namespace granted."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def set_limits(order: dict[str, Any], base: int, *, isolate: bool) -> None:
    """Limit memory, files, processes and CPU time."""
    limits = {
        resource.RLIMIT_AS: base + order["memory_mib"] * MIB,
        resource.RLIMIT_FSIZE: order["tmp_mib"] * MIB,
        resource.RLIMIT_CPU: order["cpu_seconds"],
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_NPROC: 64,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for name, value in limits.items():
        if name == resource.RLIMIT_NPROC and not isolate:
            continue  # outside of a namespace it would count all of the user's processes
        _, hard = resource.getrlimit(name)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (bound, bound))


def filter_calls(program: bytes) -> None:
    """Install the system-call filter; nothing can take it off again."""
    _check(_libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no_new_privs")
    if program:
        loaded = _Program(len(program) // 8, program)
        _check(_libc.prctl(SET_SECCOMP, 2, ctypes.byref(loaded), 0, 0), "seccomp")


def adopt_orphans() -> None:
    """Become the parent of whatever this process's descendants leave behind."""
    _libc.prctl(CHILD_SUBREAPER, 1, 0, 0, 0)


def fork_into_namespace() -> None:
    """Have what is forked from now on be process 1 of a new namespace; `return_to` ends that."""
    _check(_libc.unshare(PROCESSES), "unshare")


def return_to(namespace: int) -> None:
    """Have what is forked from now on be in this namespace of processes, which is our own."""
    _check(_libc.setns(namespace, PROCESSES), "setns")


def own_namespaces() -> None:
    """Go on as process 1 of a namespace; the process that was called waits for its end."""
    leave_namespaces(MOUNTS | IPC | PROCESSES)
    process = os.fork()
    if process:
        _, status = os.waitpid(process, 0)
        os._exit(abs(os.waitstatus_to_exitcode(status)))
