"""Names that a test cell reads in; the trusted side's values, or proxies of the student's, out."""

import builtins
from typing import Any

from bncourse.grading.oracle.connection import Connection
from bncourse.grading.oracle.proxies import named
from bncourse.grading.sandbox.inside.shell import Shell


class Namespace(dict[str, Any]):
    """The names of the test cells; what is missing among them is asked of the student, for one cell at a time."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins, get_ipython=lambda: Shell(lambda code: None))
        self.connection = connection
        self.borrowed: dict[str, Any] = {}
        self.missing: set[str] = set()
        self.hidden: set[str] = set()
        """The student's names that the running test has deleted."""

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            raise KeyError(name)
        if name not in self.borrowed:
            answer = self.connection.request("get", name)
            if answer[0] != "value":
                self.missing.add(name)
                raise KeyError(name)
            self.borrowed[name] = named(name, answer[1])
        return self.borrowed[name]

    def __delitem__(self, name: str) -> None:
        """Delete a name; one of the student's is hidden from the student's code as well, until the test ends.

        So a test can see whether one function calls another.
        """
        if name in self:
            super().__delitem__(name)
            return
        if self.connection.request("hide", name)[1] is not True:
            raise KeyError(name)
        self.borrowed.pop(name, None)
        self.hidden.add(name)

    def __setitem__(self, name: str, value: Any) -> None:
        """Bind a name; where the student's was hidden, it is there again for the student's code."""
        if name in self.hidden:
            self._show(name)
        super().__setitem__(name, value)

    def show_hidden(self) -> None:
        """Give the student's code back what a test has deleted."""
        for name in tuple(self.hidden):
            self.pop(name, None)
            self._show(name)

    def _show(self, name: str) -> None:
        self.hidden.discard(name)
        self.connection.request("show", name)
