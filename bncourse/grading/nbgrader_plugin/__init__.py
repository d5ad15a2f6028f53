"""What nbgrader calls: `configure`, for its configuration file, and the classes that `nbgrader autograde` runs."""

from bncourse.grading.workflows.nbgrader_settings import configure

__all__ = ["configure"]
