"""The substitutes in a master's front matter and a change in; the text with their code changed out."""

import re
import textwrap
from collections.abc import Callable

_ONE = re.compile(r"(^    - answer: (\S+)\n      tests: .*\n      code: \|\n)((?: {8}.*\n)+)", re.MULTILINE)


def edits_for(answer: str) -> str:
    """Under which name a list of changes holds those for the substitute of an answer.

    >>> edits_for("forward")
    'instead of forward'
    """
    return f"instead of {answer}"


def with_substitutes(text: str, change: Callable[[str, str], str]) -> str:
    """The text of a master in which `change(answer, code)` is the code of each substitute."""

    def changed(found: re.Match[str]) -> str:
        code = change(found[2], textwrap.dedent(found[3]))
        return found[1] + textwrap.indent(code, " " * 8)

    return _ONE.sub(changed, text)
