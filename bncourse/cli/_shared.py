"""What several commands share: the course options, and the one way to refuse."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click

from bncourse.cli._start import start_sooner


class Refusal(click.ClickException):
    """Bad input: one line on stderr, exit code 2, and nothing has been changed."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line."""
        click.echo(f"bncourse: {' '.join(self.message.split())}", err=True, file=file)


def with_course(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options --course, --masters and --db, and pass it the course they name."""

    @click.option("--course", "root", type=click.Path(path_type=Path), help="The course folder [_build/course].")
    @click.option(
        "--masters", type=click.Path(path_type=Path), help="Where the masters are [assignments/masters, here or above]."
    )
    @click.option("--db", help="The gradebook's address, as SQLAlchemy writes it [gradebook.db in the course folder].")
    @functools.wraps(function)
    def wrapped(root: Path | None, masters: Path | None, db: str | None, **options: Any) -> Any:
        start_sooner()
        from bncourse.grading.authoring.course import CourseError
        from bncourse.grading.authoring.course_folder import find_course
        from bncourse.grading.authoring.masters import MasterError

        try:
            course = find_course(root, masters, db)
        except CourseError as error:
            raise Refusal(str(error)) from error
        try:
            return function(course, **options)
        except (CourseError, MasterError) as error:
            raise Refusal(str(error)) from error
        except OSError as error:
            if error.filename is None:
                raise
            raise Refusal(
                f"{error.filename}: {error.strerror}. See whether it may be written by you and the disk has room, or "
                "name another place."
            ) from error
        except Exception as error:
            if not type(error).__module__.startswith("sqlalchemy."):
                raise
            from bncourse.grading.gradebook.records_table import reason, without_password

            raise Refusal(
                f"The gradebook {without_password(course.db_url)} cannot be used: {reason(error, course)} What was "
                "graded before is kept."
            ) from error

    return wrapped
