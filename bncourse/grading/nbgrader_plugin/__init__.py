"""What nbgrader calls: what its configuration file imports, and the classes that `nbgrader autograde` runs.

The configuration file lies in an instructor's folder and stays there, so these names stay, wherever their code goes.
"""

from bncourse.grading.authoring.course_folder import find_course, in_use
from bncourse.grading.workflows.nbgrader_settings import configure

__all__ = ["configure", "find_course", "in_use"]
