"""Bytes in, bytes out, over a connection: the length first, and a deadline on every wait."""

import contextlib
import math
import os
import select
import socket
import struct
import time

from .wire_types import MAX_FRAME, WireError

_LENGTH = struct.Struct("<Q")


class Late(Exception):
    """The other side did not answer in time."""


class Gone(Exception):
    """The other side has closed the connection."""


class Channel:
    """One end of a connection, which does not block, and what has arrived on it.

    Parameters
    ----------
    descriptor : int
        Of the connection.
    ahead : bool
        Whether what stands behind a message may be read with it; not where another process is to read that.
    credentials : bool
        Whether to look which process sends the first message; it is in `process` then. The kernel notes that where
        `introduced_pair` has made the connection.
    """

    def __init__(self, descriptor: int, *, ahead: bool = True, credentials: bool = False) -> None:
        self.descriptor, self.ahead = descriptor, ahead
        self.process = 0
        self._unknown = credentials
        self._arrived = bytearray()
        self._writable = select.poll()
        self._writable.register(descriptor, select.POLLOUT)
        self._readable = select.poll()
        self._readable.register(descriptor, select.POLLIN)
        os.set_blocking(descriptor, False)

    def send(self, data: bytes, deadline: float = math.inf) -> None:
        """Write one message, or raise Late or Gone."""
        view = memoryview(_LENGTH.pack(len(data)) + data)
        while view:
            try:
                view = view[os.write(self.descriptor, view[: 1 << 20]) :]
            except BlockingIOError:
                _wait(self._writable, deadline)
            except (BrokenPipeError, ConnectionResetError):
                raise Gone from None

    def receive(self, deadline: float = math.inf) -> bytes:
        """Read one message, or raise Late, Gone, or WireError where it announces itself as too large."""
        self._fill(_LENGTH.size, deadline)
        (length,) = _LENGTH.unpack_from(self._arrived)
        if length > MAX_FRAME + 64:
            raise WireError(f"the value is larger than {MAX_FRAME >> 20} MiB")
        end = _LENGTH.size + length
        self._fill(end, deadline)
        data = bytes(self._arrived[_LENGTH.size : end])
        del self._arrived[:end]
        return data

    def _fill(self, count: int, deadline: float) -> None:
        while len(self._arrived) < count:
            _wait(self._readable, deadline)
            if self._unknown:
                self.process, self._unknown = _sender(self.descriptor), False
            try:
                piece = os.read(self.descriptor, 1 << 18 if self.ahead else count - len(self._arrived))
            except BlockingIOError:
                continue
            except ConnectionResetError:
                raise Gone from None
            if not piece:
                raise Gone
            self._arrived += piece


def introduced_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a connection; the kernel notes for the first one who sends from the second."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    return ours, theirs


_CREDENTIALS = struct.Struct("3i")
"""Process, user and group, as the kernel fills them in."""


def _sender(descriptor: int) -> int:
    """The process that has sent what arrives next, by its number here; 0 where the kernel does not say."""
    with socket.socket(fileno=os.dup(descriptor)) as end, contextlib.suppress(ConnectionResetError):
        _, found, _, _ = end.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size), socket.MSG_PEEK)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
        for level, kind, data in found:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS) and len(data) == _CREDENTIALS.size:
                return int(_CREDENTIALS.unpack(data)[0])
    return 0


def _wait(poll: select.poll, deadline: float) -> None:
    if deadline == math.inf:
        poll.poll()
        return
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise Late
