"""What nbgrader is told about the course: its folders, its gradebook, and our executor in the place of its own."""

import functools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bncourse.grading.course import Course, CourseError

COURSE_ID = "bncourse"


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
    course.root.mkdir(parents=True, exist_ok=True)
    root = root or course.root
    # relative to the root, because nbgrader's own pattern for an absolute structure never matches
    home = os.path.relpath(course.root, root).replace("{", "{{").replace("}", "}}")
    steps = "{nbgrader_step}/{student_id}/{assignment_id}"
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = COURSE_ID
    config.CourseDirectory.directory_structure = steps if home == "." else f"{home}/{steps}"
    config.CourseDirectory.db_url = course.db_url
    ours = "bncourse.grading.preprocessors"
    config.Autograde.exporter_class = f"{ours}.ReleasedNotebookExporter"
    config.Autograde.pre_convert_hook = functools.partial(_before_autograding, course, config)
    config.GenerateFeedback.exporter_class = "bncourse.grading.feedback_page.FeedbackExporter"
    config.GenerateAssignment.post_convert_hook = functools.partial(_after_release, course)
    check = "nbgrader.preprocessors.CheckCellMetadata"
    config.Autograde.sanitize_preprocessors = [check]
    late = "nbgrader.preprocessors.AssignLatePenalties"
    config.Autograde.autograde_preprocessors = [f"{ours}.GradeInSandbox", late, check]
    for name in ("ReleasedNotebookExporter", "GradeInSandbox"):
        config[name].course_root = str(course.root)
        config[name].masters = str(course.masters)


def _before_autograding(course: Course, config: Any, *, assignment: str, **names: Any) -> None:
    """Refuse where nothing can be graded, before nbgrader writes anything; and set aside what it must not copy."""
    from bncourse.grading.preprocessors import make_sure, set_odd_files_aside

    make_sure(course, assignment, str(config.GradeInSandbox.get("level", "full")))
    set_odd_files_aside(assignment=assignment, **names)


def _after_release(course: Course, *, assignment: str, **_: Any) -> None:
    """Enter the due date that the master states, and keep a copy of what was released."""
    from bncourse.grading.earlier import archive_release
    from bncourse.grading.stored import open_gradebook

    with open_gradebook(course) as gradebook:
        gradebook.update_or_create_assignment(assignment, duedate=course.master(assignment).metadata["due"])
    archive_release(course, assignment)


def make_alembic_callable() -> None:
    """Put this environment's commands on the PATH, because nbgrader calls `alembic` by its name."""
    here = str(Path(sys.executable).parent)
    if shutil.which("alembic") is None:
        os.environ["PATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PATH")]))


def late_penalty(course: Course) -> Callable[[str, float, float], float | None] | None:
    """What the instructor's nbgrader_config.py says about late submissions; None where it says nothing.

    Returns
    -------
    callable or None
        Called with a student's id, their score and the seconds they were late; gives the points to take off.

    Raises
    ------
    CourseError
        If the file cannot be used.
    """
    path = course.masters.parent / "nbgrader_config.py"
    if not path.is_file() or "Late" not in path.read_text(encoding="utf-8"):
        return None
    from nbgrader.preprocessors import AssignLatePenalties
    from traitlets.config.loader import PyFileConfigLoader

    try:
        penalties = AssignLatePenalties(config=PyFileConfigLoader(path.name, str(path.parent)).load_config())
        penalties.init_plugin()
    except Exception as error:  # whatever the instructor's file raises
        raise CourseError(
            f"{path} cannot be used: {type(error).__name__}: {error}. Mend it, then start again."
        ) from error
    rule: Callable[[str, float, float], float | None] = penalties.plugin_inst.late_submission_penalty
    return rule
