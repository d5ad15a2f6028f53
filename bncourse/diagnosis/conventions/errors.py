"""Run a student's code in silence, and tell its errors from our own."""

import contextlib
import functools
import io
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bncourse.diagnosis.call import EngineError
from bncourse.diagnosis.conventions.imports import NotHereError
from bncourse.diagnosis.conventions.source import Program


class CannotCallError(Exception):
    """A function is asked for something that is not known; the message completes "It could not be called: ..."."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what a student's function prints and warns of, and let it not end the program."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except SystemExit as error:
        raise CannotCallError("it ends the program, by exit() or the like") from error


def in_students_code(error: BaseException, program: Program) -> bool:
    """Whether an error comes from the student's file, or from what that calls."""
    return any(frame.filename == program.label for frame in traceback.extract_tb(error.__traceback__))


def by_us(method: Callable[..., Any]) -> Callable[..., Any]:
    """Tell an error of our own in a method of an adapter, which has a `program`, from one of the student's."""

    @functools.wraps(method)
    def run(self: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return method(self, *arguments, **options)
        except (CannotCallError, NotHereError, EngineError):
            raise
        except Exception as error:
            if in_students_code(error, self.program):
                raise
            raise EngineError(described(error)) from error

    return run


def described(error: BaseException) -> str:
    """Type, first line and place of an error."""
    first = next(iter(str(error).splitlines()), "")
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {first}{where}"
