"""A released assignment in; an autograder for Gradescope, PrairieLearn or GitHub Classroom out.

A pack holds the master, hidden tests included: it goes to the platform as the instructor's file, and into no
repository that students see. Of the package it holds what grades and no other assignment.
"""

import io
import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from string import Template
from typing import Literal

import bncourse
from bncourse.grading.authoring.course import Course, CourseError, write
from bncourse.grading.core.records import Master
from bncourse.grading.workflows.release import load_release

Platform = Literal["gradescope", "prairielearn", "github"]
_FIRST = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT = ("course_files", "student_answers", "experiments", "plots", "cli", "fast", "__pycache__")
"""Parts of the package that no autograder needs."""

SETUP = """\
#!/usr/bin/env bash
# Run once, as root and with a network, when Gradescope builds the image.
set -euo pipefail
apt-get update
apt-get install -y --no-install-recommends python3 python3-venv bubblewrap libseccomp2
python3 -m venv /opt/bncourse
/opt/bncourse/bin/pip install --no-cache-dir -r /autograder/source/requirements.txt
id -u bncourse-worker > /dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin bncourse-worker
# the master and the grader are for root alone
chmod -R go-rwx /autograder/source
"""

RUN_GRADESCOPE = """\
#!/usr/bin/env bash
# Run for each submission, without a network; writes results/results.json.
set -uo pipefail
base=${AUTOGRADER_ROOT:-/autograder}
python=${BNCOURSE_PYTHON:-/opt/bncourse/bin/python}
chmod -R go-rwx "$base/source"
mkdir -p "$base/results"
chmod go-w "$base/results"
export PYTHONPATH="$base/source" PYTHONDONTWRITEBYTECODE=1
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
cd "$base/results"
exec "$python" -P -m bncourse.grading.workflows.one_submission gradescope --master "$base/source/master.json" \\
  --submission "$base/submission" --results "$base/results/results.json" ${BNCOURSE_LEVEL:+--level "$BNCOURSE_LEVEL"}
"""

RUN_PRAIRIELEARN = """\
#!/usr/bin/env bash
# The entry point of the external grader: /grade/student holds the files, /grade/tests this folder.
set -uo pipefail
base=${GRADE_ROOT:-/grade}
chmod -R go-rwx "$base/tests"
mkdir -p "$base/results"
chmod go-w "$base/results"
export PYTHONPATH="$base/tests" PYTHONDONTWRITEBYTECODE=1
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
cd "$base/results"
exec "${BNCOURSE_PYTHON:-python3}" -P -m bncourse.grading.workflows.one_submission prairielearn \\
  --master "$base/tests/master.json" --submission "$base/student" --results "$base/results/results.json" \\
  ${BNCOURSE_LEVEL:+--level "$BNCOURSE_LEVEL"}
"""

QUESTION = Template("""\
<pl-question-panel>
  <p>Hand in your notebook <code>$name.ipynb</code> of <em>$title</em>.</p>
  <pl-file-upload file-names="$name.ipynb"></pl-file-upload>
</pl-question-panel>
<pl-submission-panel>
  <pl-external-grader-results></pl-external-grader-results>
  <pl-file-preview></pl-file-preview>
</pl-submission-panel>
""")

CLASSROOM = Template("""\
# For the template repository: runs the visible tests, and no others, at each push.
name: Autograding Tests
on: [push, repository_dispatch]
permissions: {checks: write, actions: read, contents: read}
jobs:
  run-autograding-tests:
    runs-on: ubuntu-latest
    if: github.actor != 'github-classroom[bot]'
    steps:
      - name: Checkout code
        uses: actions/checkout@v4
      - name: Visible tests
        id: visible-tests
        uses: classroom-resources/autograding-command-grader@v1
        with:
          test-name: Visible tests
          setup-command: pip install $install
          command: bncourse check $name.ipynb
          timeout: 10
          max-score: $points
      - name: Autograding Reporter
        uses: classroom-resources/autograding-grading-reporter@v1
        env:
          VISIBLE-TESTS_RESULTS: "$${{steps.visible-tests.outputs.result}}"
        with:
          runners: visible-tests
""")

INSTRUCTOR = Template("""\
# For a private repository of yours that holds your course folder: collects all repositories of the class, runs the
# hidden tests in the full sandbox, and keeps marks and pages as an artifact that only you can download.
name: Grade $name
on:
  workflow_dispatch:
    inputs:
      classroom_assignment: {description: Number of the assignment in GitHub Classroom, required: true}
permissions: {contents: read}
jobs:
  grade:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - name: Install the grader and its sandbox
        run: |
          sudo apt-get update
          sudo apt-get install -y bubblewrap libseccomp2
          sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
          pip install $install_grading
          gh extension install github/gh-classroom
        env: {GH_TOKEN: "$${{ secrets.CLASSROOM_TOKEN }}"}
      - name: Fetch the class
        run: gh classroom clone student-repos -a "$${{ inputs.classroom_assignment }}" -d class
        env: {GH_TOKEN: "$${{ secrets.CLASSROOM_TOKEN }}"}
      - name: Collect
        run: bncourse collect $name class --platform github
      - name: Grade
        run: bncourse grade $name --yes
      - name: Export
        run: bncourse export $name
      - name: Make the pages
        run: bncourse feedback $name --zip mail
      - uses: actions/upload-artifact@v4
        with:
          name: "$name"
          path: |
            grades.csv
            results/$name
""")


def pack(course: Course, assignment: str, platform: Platform, to: Path | None = None, install: str = "") -> Path:
    """Write an autograder.

    Parameters
    ----------
    course, assignment
        What to grade; it has been released.
    platform : {"gradescope", "prairielearn", "github"}
        For Gradescope a ZIP is written, else a folder.
    to : Path, optional
        Where to; if left out, a place in the course folder's results.
    install : str
        For GitHub: what its machines install with pip, the wheel's address or a name that an index has.

    Returns
    -------
    Path
        Where it lies.

    Raises
    ------
    CourseError
        If the assignment is not released, GitHub's machines are not told what to install, or something is there
        already that no pack wrote.
    """
    released = load_release(course, assignment)
    master = course.master(assignment)
    to = to or course.results(assignment) / {"gradescope": "autograder.zip"}.get(platform, platform)
    if platform == "gradescope":
        if to.is_dir():
            raise CourseError(f"{to} is a folder. Expected a file to write to.")
        files = {"setup.sh": SETUP, "run_autograder": RUN_GRADESCOPE, "requirements.txt": requirements(master)}
        write(to, _zipped({**_bytes(files), **dict(_grader(master))}))
        return to
    if platform == "prairielearn":
        info = {
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"bncourse/{assignment}/{master.key}")),
            "title": str(master.title),
            "topic": "Batch normalization",
            "type": "v3",
            "singleVariant": True,
            "gradingMethod": "External",
            "externalGradingOptions": {
                "enabled": True,
                "image": "prairielearn/grader-python",
                "entrypoint": "bash /grade/tests/run.sh",
                "timeout": 60,
                "enableNetworking": False,
            },
        }
        question = QUESTION.substitute(name=assignment, title=master.title)
        files = {"info.json": json.dumps(info, indent=2) + "\n", "question.html": question}
        tests = {f"tests/{name}": content for name, content in _grader(master, vendored=True)}
        return _folder(to, {**_bytes(files), **tests, "tests/run.sh": RUN_PRAIRIELEARN.encode()})
    if not install:
        raise CourseError(
            "Say with --install what GitHub's machines install: the wheel's address, or bncourse once an index has it."
        )
    extra = ",".join(["cli", *(["torch"] if "torch" in master.imports else [])])
    target, grading = (_install(install, each) for each in (extra, "grading"))
    points = sum(cell.points for cell in master.cells if cell.kind == "test")
    visible = CLASSROOM.substitute(name=assignment, install=target, points=f"{points:g}")
    hidden = INSTRUCTOR.substitute(name=assignment, install_grading=grading)
    notebook = json.dumps(released, ensure_ascii=False, indent=1) + "\n"
    files = {
        "template/.github/workflows/classroom.yml": visible,
        f"template/{assignment}.ipynb": notebook,
        f"instructor/.github/workflows/grade-{assignment}.yml": hidden,
    }
    return _folder(to, _bytes(files))


def requirements(master: Master) -> str:
    """Return what the container installs: the versions that grade here, so that marks are the same there."""
    lines = []
    for name in dict.fromkeys(("numpy", "msgpack", "pyseccomp", "matplotlib", *master.imports)):
        try:
            lines.append(f"{name}=={version(name).partition('+')[0]}")
        except PackageNotFoundError:
            continue
    return "\n".join(lines) + "\n"


def _install(target: str, extras: str) -> str:
    """What stands behind pip: the package with extras, from where it can be had."""
    return f'"bncourse[{extras}] @ {target}"' if "://" in target else f'"{target}[{extras}]"'


def _grader(master: Master, *, vendored: bool = False) -> Iterator[tuple[str, bytes]]:
    """The master, and the part of the package that grades; where nothing can be installed, msgpack's Python too."""
    yield "master.json", master.serialized.encode()
    package = Path(str(bncourse.__file__)).parent
    yield from _sources(package)
    if vendored:
        import msgpack

        yield from _sources(Path(str(msgpack.__file__)).parent)


def _sources(package: Path) -> Iterator[tuple[str, bytes]]:
    for folder, names, files in os.walk(package):
        names[:] = sorted(name for name in names if name not in _LEFT_OUT)
        for name in sorted(files):
            if name.endswith((".py", ".json", ".toml", ".j2")):
                path = Path(folder, name)
                yield str(path.relative_to(package.parent)), path.read_bytes()


def _bytes(files: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in files.items()}


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _FIRST)
            executable = name in ("setup.sh", "run_autograder")
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, (0o755 if executable else 0o644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _folder(to: Path, files: dict[str, bytes]) -> Path:
    """Write a pack in the place of an earlier one, and of nothing else."""
    mark = to / ".bncourse-pack"
    if to.exists() and not mark.is_file() and not (to.is_dir() and not any(to.iterdir())):
        raise CourseError(f"{to} is there already, and no pack. Name another place with --to.")
    shutil.rmtree(to, ignore_errors=True)
    for name, content in {**files, ".bncourse-pack": b"Written by bncourse pack.\n"}.items():
        write(to / name, content)
        if name.endswith(".sh"):
            (to / name).chmod(0o755)
    return to
