"""Messages over a connection: eight bytes of length, then the bytes, with a deadline on every wait."""

import os
import select
import struct
import time

from .wire import MAX_FRAME, WireError

_LENGTH = struct.Struct("<Q")


class Late(Exception):
    """The other side did not answer in time."""


class Gone(Exception):
    """The other side has closed the connection."""


def send(descriptor: int, data: bytes, deadline: float) -> None:
    """Write one message, or raise Late or Gone."""
    view = memoryview(_LENGTH.pack(len(data)) + data)
    while view:
        try:
            written = os.write(descriptor, view[: 1 << 20])
            view = view[written:]
        except BlockingIOError:
            _wait(descriptor, deadline, writing=True)
        except (BrokenPipeError, ConnectionResetError):
            raise Gone from None


def receive(descriptor: int, deadline: float) -> bytes:
    """Read one message, or raise Late, Gone, or WireError where it announces itself as too large."""
    (length,) = _LENGTH.unpack(_read(descriptor, _LENGTH.size, deadline))
    if length > MAX_FRAME + 64:
        raise WireError(f"the value is larger than {MAX_FRAME >> 20} MiB")
    return _read(descriptor, length, deadline)


def _read(descriptor: int, count: int, deadline: float) -> bytes:
    pieces = []
    while count:
        try:
            piece = os.read(descriptor, min(count, 1 << 20))
        except BlockingIOError:
            _wait(descriptor, deadline, writing=False)
            continue
        except ConnectionResetError:
            raise Gone from None
        if not piece:
            raise Gone
        pieces.append(piece)
        count -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _wait(descriptor: int, deadline: float, *, writing: bool) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(min(left, 1e6) * 1000):
        raise Late
