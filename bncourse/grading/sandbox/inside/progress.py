"""The number of the statement that runs in; the same number out on the trusted side, over shared memory.

A message for each statement would cost both sides more than most statements do. The memory is one submission's own,
and cannot be made larger or smaller.
"""

import fcntl
import mmap
import os
import struct

_NUMBER = struct.Struct("<Q")
SEALS = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


def shared_place() -> int:
    """Return the descriptor of new memory for one number, which is 0."""
    descriptor = os.memfd_create("place", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, _NUMBER.size)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
    return descriptor


class Progress:
    """The worker's end; without a descriptor nobody reads what is written."""

    def __init__(self, descriptor: int | None = None) -> None:
        self.memory = bytearray(_NUMBER.size) if descriptor is None else mmap.mmap(descriptor, _NUMBER.size)

    def write(self, number: int) -> None:
        """Say where the worker is."""
        _NUMBER.pack_into(self.memory, 0, number)


def read_place(descriptor: int) -> int:
    """Where the worker is, or where it was when it ended: a number, whatever it has written there."""
    (number,) = _NUMBER.unpack(os.pread(descriptor, _NUMBER.size, 0))
    return int(number)
