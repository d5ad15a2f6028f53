"""The runtime counts only with the content that the list says, wherever it comes from."""

import hashlib
import json
from pathlib import Path

import pytest

from tools.browser import editor, runtime


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime of three files, none of them here yet, and no registry; returns a mirror's folder that has them."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    contents = {"core.wasm": b"core", "numpy.whl": b"official numpy", "six.whl": b"official six"}
    for name, content in contents.items():
        (mirror / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    wheels = {
        name: {"name": name, "version": "1", "file_name": f"{name}.whl", "sha256": digests[f"{name}.whl"]}
        for name in ("numpy", "six")
    }
    wheels["six"]["registry"] = {"file_name": "six.whl", "sha256": hashlib.sha256(b"registry six").hexdigest()}
    listed = {"version": "0", "files": {"core.wasm": digests["core.wasm"]}, "info": {}, "packages": wheels}
    monkeypatch.setattr(runtime, "LIST", listed)
    monkeypatch.setattr(runtime, "FOLDER", tmp_path / "here")
    monkeypatch.setattr(runtime, "TROUBLE", tmp_path / "here" / "trouble.txt")
    monkeypatch.setattr(runtime, "from_registry", lambda: None)
    return mirror


def test_a_mirror_is_enough(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "mirror", lambda: str(small))
    assert not runtime.present()
    assert (runtime.fetch() / "core.wasm").read_bytes() == b"core"
    assert runtime.present()
    told = json.loads((runtime.folder() / "pyodide-lock.json").read_text())
    assert told["packages"]["six"]["sha256"] == hashlib.sha256(b"official six").hexdigest()
    assert "registry" not in told["packages"]["six"]


def test_the_registrys_own_build_of_a_wheel_counts_too(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (small / "six.whl").write_bytes(b"registry six")
    monkeypatch.setattr(runtime, "mirror", lambda: str(small))
    told = json.loads((runtime.fetch() / "pyodide-lock.json").read_text())
    assert told["packages"]["six"]["sha256"] == hashlib.sha256(b"registry six").hexdigest()


def test_a_file_with_another_content_is_refused_by_its_name(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (small / "core.wasm").write_bytes(b"something else")
    monkeypatch.setattr(runtime, "mirror", lambda: str(small))
    with pytest.raises(runtime.RuntimeMissingError, match=r"core\.wasm"):
        runtime.fetch()
    assert not runtime.present()
    assert not (runtime.folder() / "core.wasm").exists()


def test_where_it_cannot_be_had_make_ends_well_and_ci_fails(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "mirror", lambda: "")
    monkeypatch.delenv("CI", raising=False)
    assert runtime.main() == 0
    monkeypatch.setenv("CI", "true")
    assert runtime.main() == 1
    assert "no Run buttons" in runtime.TROUBLE.read_text()


def test_the_list_names_each_file_once_with_its_digest() -> None:
    names = [name for one in runtime.wanted() for name in one.names[:1]]
    assert len(names) == len(set(names))
    assert all(len(digest) == 64 for one in runtime.wanted() for _, digest in one.allowed)
    assert {"numpy", "matplotlib", "ipython"} <= set(runtime.LIST["packages"])


def test_every_package_that_a_package_depends_on_is_listed() -> None:
    packages = runtime.LIST["packages"]
    known = {name.replace("_", "-").lower() for name in packages}
    for name, package in packages.items():
        assert {other.replace("_", "-").lower() for other in package["depends"]} <= known, name


def test_the_bundled_editor_is_as_light_as_promised() -> None:
    made = editor.bundle()
    if made is None:
        pytest.skip("the editor has not been bundled: make runtime")
    assert made.stat().st_size < editor.HEAVIEST
