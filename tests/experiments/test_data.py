import gzip
import hashlib
import sys

import numpy as np
import pytest

from bncourse.experiments import data


@pytest.fixture(autouse=True)
def fresh_cache():
    data.load.cache_clear()
    yield
    data.load.cache_clear()


@pytest.fixture
def small_mnist(monkeypatch):
    """Four files in MNIST's format with three pictures each, and their checksums in place of the real ones."""
    files = {}
    for name in data.MNIST_SHA256:
        if "images" in name:
            header, body = b"\0\0\x08\x03" + np.array([3, 28, 28], ">i4").tobytes(), bytes(range(147)) * 16
        else:
            header, body = b"\0\0\x08\x01" + np.array([3], ">i4").tobytes(), bytes([4, 0, 9])
        files[name] = header + body
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(data, "MNIST_SHA256", sums)
    return files


def test_digits_are_pictures_between_zero_and_one_in_two_parts():
    digits = data.load("digits")
    assert digits.x_train.shape == (1400, 1, 8, 8) and digits.x_test.shape == (397, 1, 8, 8)
    assert digits.x_train.dtype == np.float32 and digits.y_train.dtype == np.int64
    assert digits.x_train.min() == 0.0 and digits.x_train.max() == 1.0
    assert set(digits.y_test.tolist()) == set(range(10))


@pytest.mark.parametrize("left", [0, 5, 40])
def test_a_file_that_broke_off_is_refused_with_the_way_out(small_mnist, monkeypatch, tmp_path, left):
    for name, content in small_mnist.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content)[:left])
    monkeypatch.setenv("BNCOURSE_DATA", str(tmp_path))
    with pytest.raises(data.DataMissing, match="Copy the file again"):
        data.load("mnist")


def test_the_arrays_that_all_share_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        data.load("digits").x_train[0] = 1.0


@pytest.mark.parametrize("folder", ["", "mnist"])
@pytest.mark.parametrize("compressed", [True, False])
def test_mnist_is_read_from_the_folder_named(small_mnist, monkeypatch, tmp_path, folder, compressed):
    place = tmp_path / folder
    place.mkdir(exist_ok=True)
    for name, content in small_mnist.items():
        if compressed:
            (place / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (place / name).write_bytes(content)
    monkeypatch.setenv("BNCOURSE_DATA", str(tmp_path))
    found = data.load("mnist")
    assert found.x_train.shape == (3, 1, 28, 28)
    np.testing.assert_allclose(found.x_test[0, 0, 0, :3] * 255, [0, 1, 2], rtol=1e-6, atol=0)
    assert found.y_test.tolist() == [4, 0, 9]


def test_other_bytes_than_mnist_are_refused(small_mnist, monkeypatch, tmp_path):
    for name, content in small_mnist.items():
        (tmp_path / name).write_bytes(content + b"\0")
    monkeypatch.setenv("BNCOURSE_DATA", str(tmp_path))
    with pytest.raises(data.DataMissing, match="SHA-256 differs"):
        data.load("mnist")


def test_an_empty_folder_is_named_in_the_error(monkeypatch, tmp_path):
    monkeypatch.setenv("BNCOURSE_DATA", str(tmp_path))
    with pytest.raises(data.DataMissing, match=r"holds no train-images-idx3-ubyte .* unset BNCOURSE_DATA"):
        data.load("mnist")


def test_the_next_mirror_is_tried_when_one_fails_or_lies(small_mnist, monkeypatch, tmp_path):
    pooch = pytest.importorskip("pooch")
    asked = []

    def retrieve(url, known_hash, path, processor):
        asked.append(url)
        name = url.rsplit("/", 1)[1].removesuffix(".gz")
        if url.startswith(data.MIRRORS[0]):
            raise OSError("no route")
        target = tmp_path / name
        target.write_bytes(b"an error page" if url.startswith(data.MIRRORS[1]) else small_mnist[name])
        return str(target)

    monkeypatch.delenv("BNCOURSE_DATA", raising=False)
    monkeypatch.setattr(pooch, "retrieve", retrieve)
    assert len(data.load("mnist").y_train) == 3
    assert [url.split("/")[2] for url in asked[:3]] == [mirror.split("/")[2] for mirror in data.MIRRORS]


def test_without_network_the_error_says_what_to_do(monkeypatch):
    pooch = pytest.importorskip("pooch")

    def retrieve(*args, **kwargs):
        raise OSError("no route")

    monkeypatch.delenv("BNCOURSE_DATA", raising=False)
    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(data.DataMissing, match="Set BNCOURSE_DATA to a folder"):
        data.load("mnist")


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(data.DataMissing, match=r"bncourse\[data\]"):
        data.load("digits")


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match='Expected "digits" or "mnist"'):
        data.load("cifar")
