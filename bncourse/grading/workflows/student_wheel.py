"""The installed package in; a wheel of it out, for students to install from."""

import base64
import hashlib
import io
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import bncourse
from bncourse.grading.authoring.course import write
from bncourse.grading.core.install import WHEEL

PRIVATE = ("bncourse/grading/course_files/", "bncourse/diagnosis/evidence/student_answers/")
"""Masters and sample classes, with every solution and hidden test, and right answers of others, which only tests read:
an instructor's wheel has them, no student's."""

EPOCH = (2020, 1, 1, 0, 0, 0)
"""The time of every file in it, so that the same package gives the same bytes."""

KIND = "Wheel-Version: 1.0\nGenerator: bncourse\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def student_wheel() -> bytes:
    """The package as it is installed here, as a wheel: the same files and requirements, but no solutions."""
    root = Path(bncourse.__file__).parent
    files = {
        path.relative_to(root.parent).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    files = {name: content for name, content in files.items() if not name.startswith(PRIVATE)}
    facts, folder = distribution("bncourse"), WHEEL.removesuffix("-py3-none-any.whl") + ".dist-info"
    files[f"{folder}/METADATA"] = (facts.read_text("METADATA") or "").encode()
    files[f"{folder}/entry_points.txt"] = (facts.read_text("entry_points.txt") or "").encode()
    files[f"{folder}/WHEEL"] = KIND.encode()
    lines = [f"{name},sha256={digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{folder}/RECORD"] = "\n".join([*lines, f"{folder}/RECORD,,", ""]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def digest(content: bytes) -> str:
    """SHA-256 as a wheel's RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def lay_wheel(folder: Path, *, needed: bool) -> None:
    """Put the wheel into a folder of a release, where its notebook says that it lies there; take it away elsewhere."""
    path = folder / WHEEL
    if not needed:
        path.unlink(missing_ok=True)
        return
    content = student_wheel()
    if not path.is_file() or path.read_bytes() != content:
        write(path, content)
