"""`await` at the top of a cell, as a notebook has it: one event loop for all cells, and no sockets."""

import inspect
import os
import types
from typing import Any


class Awaiting:
    """Runs statements in an event loop, which is made when it is first needed, and goes on between cells."""

    def __init__(self) -> None:
        self._loop: Any = None

    def run(self, code: types.CodeType | str, space: dict[str, Any]) -> Any:
        """Run a statement, which may await something; returns its value."""

        async def inside() -> Any:
            value = eval(code, space)  # noqa: S307  (a student's cell, in the sandbox)
            awaits = isinstance(code, types.CodeType) and code.co_flags & inspect.CO_COROUTINE
            return await value if awaits else value

        if self._loop is None:
            self._loop = _make_loop()
        return self._loop.run_until_complete(inside())


def _make_loop() -> Any:
    """A loop that is woken through a pipe: a pair of sockets is refused in the sandbox."""
    import asyncio

    class End:
        """One end of a pipe, with what a loop asks of a socket."""

        def __init__(self, descriptor: int) -> None:
            self.descriptor = descriptor
            os.set_blocking(descriptor, False)

        def fileno(self) -> int:
            return self.descriptor

        def recv(self, count: int) -> bytes:
            return os.read(self.descriptor, count)

        def send(self, data: bytes) -> int:
            return os.write(self.descriptor, data)

        def close(self) -> None:
            os.close(self.descriptor)

    class Loop(asyncio.SelectorEventLoop):
        def _make_self_pipe(self) -> None:
            self._ssock, self._csock = map(End, os.pipe())
            self._internal_fds += 1  # type: ignore[attr-defined]
            self._add_reader(self._ssock.fileno(), self._read_from_self)  # type: ignore[attr-defined]

    loop = Loop()
    asyncio.set_event_loop(loop)
    return loop
