"""The late rule of a course's `course.toml`, as `nbgrader autograde` asks for it."""

from pathlib import Path

from nbgrader.plugins import BasePlugin
from traitlets import Unicode

from bncourse.grading.authoring.settings import FILE, read_settings


class CourseLateRule(BasePlugin):  # type: ignore[misc]
    """Takes off what the course's own file says."""

    course_root = Unicode("", help="The course folder.").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Return the points that are taken off; None where the file says nothing."""
        rule = read_settings(Path(self.course_root) / FILE).late
        return None if rule is None else rule(score, total_seconds_late)
