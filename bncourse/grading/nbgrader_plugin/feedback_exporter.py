"""nbgrader's call for one page of feedback in; the same page as `bncourse feedback` makes out."""

from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from traitlets import Unicode, default

from bncourse.grading.authoring.course_folder import find_course
from bncourse.grading.gradebook.marks import Marks, marks_of
from bncourse.grading.reports.book_address import book_address
from bncourse.grading.workflows.feedback import PageProcess


class FeedbackExporter(Exporter):  # type: ignore[misc]
    """Makes a student's page of the graded notebook and of what the gradebook says."""

    course_root = Unicode(help="The course folder.").tag(config=True)
    masters = Unicode(help="The folder of the masters.").tag(config=True)

    @default("file_extension")  # type: ignore[untyped-decorator]
    def _html(self) -> str:
        return ".html"

    def from_notebook_node(self, nb: Any, resources: Any = None, **options: Any) -> tuple[str, Any]:
        """Make the page."""
        nb, resources = super().from_notebook_node(nb, resources, **options)
        facts = resources["nbgrader"]
        course = find_course(Path(self.course_root), Path(self.masters), facts["db_url"])
        student = facts["student"]
        marks = marks_of(course, facts["assignment"], [student]).get(student, Marks(student))
        parts = (nb, marks, book_address(course))
        with PageProcess(lambda _: parts) as process:
            return process.page(student).decode(), resources
