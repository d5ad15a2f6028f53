from pathlib import Path

from traitlets.config import Config

from bncourse.grading.authoring.course import Course
from bncourse.grading.nbgrader_plugin.late_rule import CourseLateRule
from bncourse.grading.workflows.nbgrader_settings import configure


def test_nbgrader_takes_off_what_the_course_says(tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_text("[late]\nper_day = 0.1\n")
    config = Config()
    configure(config, Course(tmp_path, tmp_path, "sqlite://"))
    from nbgrader.preprocessors import AssignLatePenalties

    penalties = AssignLatePenalties(config=config)
    penalties.init_plugin()
    assert isinstance(penalties.plugin_inst, CourseLateRule)
    assert penalties.plugin_inst.late_submission_penalty("ada", 40.0, 90000.0) == 8.0
