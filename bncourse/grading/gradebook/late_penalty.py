"""An instructor's nbgrader_config.py in; their rule about late submissions out."""

from collections.abc import Callable

from bncourse.grading.authoring.course import Course, CourseError


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
