"""What was found out about a student's functions in; the first and most basic of it raised as a `Misconception`."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec

from bncourse.diagnosis.backwards import look_at_backward
from bncourse.diagnosis.call import Function
from bncourse.diagnosis.forwards import Seen
from bncourse.diagnosis.report import Finding, Misconception

Given = ParamSpec("Given")

MEND_FIRST = "Your gradients fit your forward pass, but it is too simple for that to count: fix the forward pass first."


def by_own_names(check: Callable[Given, None]) -> Callable[Given, None]:
    """Let a check's message call the functions by the names that they were written under."""

    @wraps(check)
    def run(*given: Given.args, **options: Given.kwargs) -> None:
        try:
            check(*given, **options)
        except Misconception as error:
            functions = inspect.signature(check).bind(*given, **options).arguments
            names = {role: getattr(one, "__name__", "") for role, one in functions.items() if callable(one)}
            error.names = {role: name for role, name in names.items() if str(name).isidentifier()}
            raise

    return run


def raise_first(findings: tuple[Finding, ...] | list[Finding], hint: int) -> None:
    """Raise the most basic finding, if there is one."""
    if findings:
        raise findings[0].misconception(hint)


def raise_for_gradients(
    seen: Seen, forward: Function, backward: Function, parts: tuple[str, ...], hint: int, first: Any = None
) -> None:
    """Raise the first finding about these parts, and a forward pass too simple to follow through."""
    if seen.y is None:
        raise_first(seen.findings, hint)
    graded = look_at_backward(forward, backward, seen, [], parts, first=first)
    raise_first([one for part in graded.findings for one in graded.findings[part]], hint)
    if graded.follow_through and not seen.may_follow:
        raise_first([replace(seen.findings[0], remark=MEND_FIRST)], hint)
