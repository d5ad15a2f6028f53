"""A course in; nbgrader's configuration out: its folders, its gradebook, and the grader's own executor."""

import functools
import importlib
import os
from pathlib import Path
from typing import Any

from bncourse.grading.authoring.course import Course
from bncourse.grading.gradebook.connection import COURSE_ID, make_alembic_callable


def configure(config: Any, course: Course, root: Path | None = None) -> None:
    """Fill in nbgrader's configuration.

    Parameters
    ----------
    config : traitlets.config.Config
        What `get_config()` gives in `nbgrader_config.py`.
    course : Course
        The course that nbgrader's commands shall work on.
    root : Path, optional
        The folder that nbgrader takes for its home, so that formgrader works in a Jupyter started there;
        the course folder if left out.
    """
    make_alembic_callable()
    importlib.import_module(
        "bncourse.grading.workflows.student_names"
    )  # for formgrader, and for nbgrader's class lists
    course.root.mkdir(parents=True, exist_ok=True)
    root = root or course.root
    # relative to the root, because nbgrader's own pattern for an absolute structure never matches
    home = os.path.relpath(course.root, root).replace("{", "{{").replace("}", "}}")
    steps = "{nbgrader_step}/{student_id}/{assignment_id}"
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = COURSE_ID
    config.CourseDirectory.directory_structure = steps if home == "." else f"{home}/{steps}"
    config.CourseDirectory.db_url = course.db_url
    ours = "bncourse.grading.nbgrader_plugin.preprocessors"
    config.Autograde.exporter_class = f"{ours}.ReleasedNotebookExporter"
    config.Autograde.pre_convert_hook = functools.partial(_call, f"{ours}.before_autograding", course, config)
    config.GenerateFeedback.exporter_class = "bncourse.grading.nbgrader_plugin.feedback_exporter.FeedbackExporter"
    config.GenerateFeedback.preprocessors = []
    config.GenerateAssignment.post_convert_hook = functools.partial(_after_release, course)
    check = "nbgrader.preprocessors.CheckCellMetadata"
    config.Autograde.sanitize_preprocessors = [check]
    late = "nbgrader.preprocessors.AssignLatePenalties"
    config.Autograde.autograde_preprocessors = [f"{ours}.GradeInSandbox", late, check]
    if course.settings.late is not None:
        config.AssignLatePenalties.plugin_class = "bncourse.grading.nbgrader_plugin.late_rule.CourseLateRule"
        config.CourseLateRule.course_root = str(course.root)
    for name in ("ReleasedNotebookExporter", "GradeInSandbox", "FeedbackExporter"):
        config[name].course_root = str(course.root)
        config[name].masters = str(course.masters)


def _call(name: str, *arguments: Any, **names: Any) -> None:
    """Call a function by its name: nbgrader's hooks belong to the plugin, which is loaded when nbgrader grades."""
    module, _, function = name.rpartition(".")
    getattr(importlib.import_module(module), function)(*arguments, **names)


def _after_release(course: Course, *, assignment: str, **_: Any) -> None:
    """Enter the due date that the master states, and keep a copy of what was released."""
    from bncourse.grading.gradebook.records_table import open_gradebook
    from bncourse.grading.submissions.upgrade import archive_release

    with open_gradebook(course) as gradebook:
        gradebook.update_or_create_assignment(assignment, duedate=course.master(assignment).metadata["due"])
    archive_release(course, assignment)
