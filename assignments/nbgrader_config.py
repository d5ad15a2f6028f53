"""nbgrader's configuration: type its commands in this folder.

Masters live here as text; everything that is made from them, or handed in, lives in _build/course.
"""

import sys
from pathlib import Path

from bncourse.grading.authoring.course import find_course
from bncourse.grading.nbgrader_plugin import configure

c = get_config()

here = Path(__file__).resolve().parent
course = find_course(here.parent / "_build" / "course", here / "masters")
for fault in course.render_all().values():
    print(fault, file=sys.stderr)
configure(c, course, root=here)
