"""Lay the package's wheel into the site: the pages load it, and a reader can install it from there.

It is the wheel that `bncourse release` hands out: without masters, so no solution and no hidden test is in it.
"""

import shutil
from pathlib import Path

from bncourse.grading.core.install import WHEEL
from bncourse.grading.workflows.student_wheel import student_wheel


def build(folder: Path) -> str:
    """Leave the wheel alone in `folder`, and untouched where it is there as it would be made; return its name."""
    content, path = student_wheel(), folder / WHEEL
    if [one.name for one in folder.glob("*")] != [WHEEL] or path.read_bytes() != content:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        path.write_bytes(content)
    return WHEEL
