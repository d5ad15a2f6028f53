"""The wheel and the sdist are complete, pass `twine check`, and work where PyTorch is missing."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def python(*arguments, **options):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    result = python("-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture(scope="module")
def unpacked(built):
    """The wheel's files in a folder, as pip would put them."""
    (wheel,) = built.glob("*.whl")
    folder = built.parent / "unpacked"
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def without(library, folder, code):
    """Run code with this folder before the libraries on the path, and one of these not importable."""
    start = f"import sys; sys.modules[{library!r}] = None; sys.path.insert(0, {str(folder)!r}); "
    return python("-c", start + code, cwd=folder)


def test_wheel_and_sdist_pass_twine_check(built):
    files = [str(path) for path in built.iterdir()]
    assert sorted(Path(f).suffix for f in files) == [".gz", ".whl"]
    result = python("-m", "twine", "check", "--strict", *files)
    assert result.returncode == 0, result.stdout


def test_the_wheel_holds_the_package_and_the_sdist_its_tests(built):
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "bncourse").rglob("*.py")}
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    assert sources <= in_wheel
    shipped = [path for part in ("masters", "classes") for path in (ROOT / "assignments" / part).iterdir()]
    assert {f"bncourse/grading/course_files/{path.relative_to(ROOT)}" for path in shipped if path.is_file()} <= in_wheel
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert sources | {"tests/test_packaging.py", "pyproject.toml", "README.md", "LICENSE"} <= names


def test_without_pytorch_the_numpy_rooms_work(unpacked):
    code = (
        "import numpy as np, bncourse.numpy_bn as room, bncourse.gradcheck, bncourse.diagnosis; "
        "print(room.__file__); "
        "print(room.BatchNorm(1, eps=0.0)(np.array([[1.0], [3.0]], np.float32)).ravel().tolist())"
    )
    result = without("torch", unpacked, code)
    assert result.returncode == 0, result.stderr
    place, values = result.stdout.splitlines()
    assert place.startswith(str(unpacked))
    assert values == "[-1.0, 1.0]"


def test_the_wheel_alone_makes_a_course(unpacked, tmp_path):
    code = "from bncourse.__main__ import main; sys.argv = ['bncourse', 'new-course', 'year']; main()"
    result = python("-c", f"import sys; sys.path.insert(0, {str(unpacked)!r}); {code}", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    made = {path.relative_to(tmp_path / "year") for path in (tmp_path / "year").rglob("*.md")}
    masters = [path.relative_to(ROOT) for path in (ROOT / "assignments" / "masters").glob("*.md")]
    assert made == {Path("README.md"), *masters}


def test_without_pytorch_its_rooms_say_what_to_install(unpacked):
    result = without("torch", unpacked, "import bncourse.torch_bn")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "ImportError: bncourse.torch_bn needs PyTorch, which is not installed. Use: pip install 'bncourse[torch]'"
    )


def test_without_click_the_command_line_says_what_to_install(unpacked):
    result = without("click", unpacked, "import bncourse.cli")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: bncourse.cli needs click, which is not installed. Use: pip install 'bncourse[cli]'"
    )
    result = without("click", unpacked, "from bncourse.__main__ import main; main()")
    assert result.returncode == 1
    assert result.stderr == "The command line needs click. Type: pip install 'bncourse[cli]'\n"


def test_importing_the_package_loads_neither_numpy_nor_pytorch():
    result = python("-c", "import sys, bncourse; print([n for n in ('numpy', 'torch') if n in sys.modules])")
    assert result.stdout.strip() == "[]"


def test_the_numpy_rooms_do_not_load_pytorch():
    result = python("-c", "import sys, bncourse.numpy_bn, bncourse.gradcheck; print('torch' in sys.modules)")
    assert result.stdout.strip() == "False"
