"""What Landlock closes stays closed, and what it leaves open works."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bncourse.grading.sandbox import without_namespaces
from bncourse.grading.sandbox.inside import landlock

TRIES = """\
import json, os, sys
from bncourse.grading.sandbox.inside import landlock
paths = json.loads(sys.argv[1])
landlock.restrict(*paths["allowed"])
said = {}
for path, how in paths["tries"]:
    try:
        os.listdir(path) if how == "list" else open(path, how).close()
        said[f"{how} {path}"] = "done"
    except OSError as error:
        said[f"{how} {path}"] = type(error).__name__
try:
    os.kill(os.getppid(), 0)
    said["signal"] = "done"
except OSError as error:
    said["signal"] = type(error).__name__
print(json.dumps(said))
"""


@pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock, so that the level says so")
def test_only_what_is_left_open_can_be_opened(tmp_path: Path) -> None:
    for name in ("open", "shut", "own", "names"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    (tmp_path / "open" / "link").symlink_to(tmp_path / "shut" / "file")
    places = {name: str(tmp_path / name) for name in ("open", "shut", "own", "names")}
    tries = [(f"{place}/file", how) for place in places.values() for how in ("r", "w")]
    tries += [(place, "list") for place in places.values()] + [(f"{places['open']}/link", "r"), ("/etc/passwd", "r")]
    allowed = [[places["open"], str(tmp_path / "missing")], [places["names"]], [places["own"]]]
    job = json.dumps({"allowed": allowed, "tries": tries})
    done = subprocess.run([sys.executable, "-c", TRIES, job], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    worked = {try_ for try_, how in said.items() if how == "done"} - {"signal"}
    assert worked == {
        f"r {places['open']}/file",
        f"list {places['open']}",
        f"list {places['names']}",
        f"r {places['own']}/file",
        f"w {places['own']}/file",
        f"list {places['own']}",
    }
    assert said["signal"] == ("PermissionError" if landlock.version() >= 6 else "done")


def test_each_level_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    assert without_namespaces.lacks("full") == ()
    assert without_namespaces.lacks("no-filter") == ("the system-call filter",)
    assert without_namespaces.lacks("user")[:2] == ("namespaces", "Landlock")
    assert without_namespaces.lacks("process")[:3] == ("a user of its own", "namespaces", "Landlock")
    monkeypatch.setattr(landlock, "version", lambda: 7)
    assert "Landlock" not in without_namespaces.lacks("process")
