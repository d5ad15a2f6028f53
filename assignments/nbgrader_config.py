"""nbgrader's configuration: type its commands in this folder.

Masters live here as text; everything that is made from them, or handed in, lives in the course folder: the one that
BNCOURSE_COURSE names, the one that `bncourse release` last released to, or _build/course.
"""

import sys
from pathlib import Path

from bncourse.grading.nbgrader_plugin import configure, find_course, in_use

c = get_config()

here = Path(__file__).resolve().parent
masters = here / "masters"
course = find_course(in_use(masters) or here.parent / "_build" / "course", masters)
for fault in course.render_all().values():
    print(fault, file=sys.stderr)
configure(c, course, root=here)
