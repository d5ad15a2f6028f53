"""Names that a test cell reads in; the trusted side's values, or proxies of the student's, out."""

import builtins
from typing import Any

from bncourse.grading.oracle.proxies import Connection
from bncourse.grading.sandbox.inside.shell import Shell


class Namespace(dict[str, Any]):
    """The names of the test cells; what is missing among them is asked of the student, for one cell at a time."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins, get_ipython=lambda: Shell(lambda code: None))
        self.connection = connection
        self.borrowed: dict[str, Any] = {}
        self.missing: set[str] = set()

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            raise KeyError(name)
        if name not in self.borrowed:
            answer = self.connection.request("get", name)
            if answer[0] != "value":
                self.missing.add(name)
                raise KeyError(name)
            self.borrowed[name] = answer[1]
            self.connection.watch(name, answer[1])
        return self.borrowed[name]
