"""The digits on board of the browser are scikit-learn's, and what else is asked of it is refused with a reason."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.browser import digits

WANTED = """
import numpy as np
from sklearn.datasets import load_digits
import sklearn
assert sklearn.__file__.startswith({folder!r}), sklearn.__file__
data, target = load_digits(return_X_y=True)
assert (load_digits().images.reshape(data.shape) == data).all()
print(data.shape, data.sum(), target.sum())
for line in ("from sklearn.linear_model import LogisticRegression", "import sklearn.svm", "from sklearn import svm",
        "from sklearn.datasets import load_iris", "from sklearn.datasets import load_digits, fetch_openml"):
    try:
        exec(line)
    except ImportError as error:
        print(error)
    else:
        raise SystemExit(line)
"""


def test_the_digits_are_those_of_scikit_learn_and_nothing_else_of_it_is_there(tmp_path: Path) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    content = digits.wheel()
    assert content == digits.wheel() is not None
    (tmp_path / digits.NAME).write_bytes(content)
    zipfile.ZipFile(tmp_path / digits.NAME).extractall(tmp_path / "site")
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n" + WANTED.format(
        folder=str(tmp_path / "site")
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    data, target = datasets.load_digits(return_X_y=True)
    assert told[0] == f"{data.shape} {data.sum()} {target.sum()}"
    assert len(told) == 6
    assert all(
        "is not here: of scikit-learn, a browser has only sklearn.datasets.load_digits" in one for one in told[1:]
    )
