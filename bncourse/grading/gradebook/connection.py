"""What nbgrader needs to open a gradebook: the course's name in it, and a command on the PATH."""

import os
import shutil
import sys
from pathlib import Path

COURSE_ID = "bncourse"


def make_alembic_callable() -> None:
    """Put this environment's commands on the PATH, because nbgrader calls `alembic` by its name."""
    here = str(Path(sys.executable).parent)
    if shutil.which("alembic") is None:
        os.environ["PATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PATH")]))
