"""What nbgrader is told about the course: its folders, its gradebook, and our executor in the place of its own."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from bncourse.grading.course import Course

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


def make_alembic_callable() -> None:
    """Put this environment's commands on the PATH, because nbgrader calls `alembic` by its name."""
    here = str(Path(sys.executable).parent)
    if shutil.which("alembic") is None:
        os.environ["PATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PATH")]))
