"""The pictures: scikit-learn's embedded 8 x 8 digits, or the real MNIST.

The digits come with scikit-learn and need no network. MNIST is looked for in the folder `BNCOURSE_DATA`, then in
the cache, then on several mirrors; wherever it comes from, the uncompressed files must have the known SHA-256.
"""

import gzip
import hashlib
import os
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""Of the raw files: a mirror may compress them again, and the bytes of a .gz then differ."""

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)

DIGITS_TRAIN = 1400
"""Of the 1,797 embedded digits; the other 397 are the test set."""


class Data(NamedTuple):
    """Pictures in [0, 1] as float32 of shape (N, 1, side, side), labels as int64 of shape (N,)."""

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    sha256: str


class DataMissing(RuntimeError):
    """A data set is neither on this machine nor to be had; the text says what to do."""


@lru_cache(maxsize=2)
def load(name: str) -> Data:
    """Load a data set by name.

    Parameters
    ----------
    name : {"digits", "mnist"}
        The arrays are shared by all callers and therefore read-only.

    Returns
    -------
    Data

    Raises
    ------
    ValueError
        If the name is unknown.
    DataMissing
        If the data set cannot be found, or is not the one it should be.
    """
    if name not in ("digits", "mnist"):
        raise ValueError(f'data is {name!r}. Expected "digits" or "mnist".')
    data = _digits() if name == "digits" else _mnist()
    for array in data[:4]:
        array.setflags(write=False)
    return data


def training_count(name: str, count: int, held_out: int) -> int:
    """Return how many of `count` training pictures are trained on when the last `held_out` choose a learning rate.

    Raises
    ------
    DataMissing
        If none would be left.

    Examples
    --------
    >>> training_count("digits", 1400, 200)
    1200
    """
    if held_out >= count:
        raise DataMissing(
            f"{name} has {count} training pictures, too few to hold out {held_out}. The small version of an experiment "
            "(--quick) fits these."
        )
    return count - held_out


def _digits() -> Data:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataMissing("the embedded digits come with scikit-learn. Type: pip install 'bncourse[data]'") from error
    pictures, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(1797).permutation(len(labels))
    x = (pictures[order] / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
    y = labels[order].astype(np.int64)
    digest = hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()
    cut = DIGITS_TRAIN
    return Data(x[:cut], y[:cut], x[cut:], y[cut:], digest)


def _mnist() -> Data:
    raw = [_raw(name) for name in MNIST_SHA256]
    x_train, y_train, x_test, y_test = (_idx(content) for content in raw)
    digest = hashlib.sha256("".join(MNIST_SHA256.values()).encode()).hexdigest()
    return Data(_pictures(x_train), y_train.astype(np.int64), _pictures(x_test), y_test.astype(np.int64), digest)


def _pictures(pixels: Array) -> Array:
    return (pixels[:, None] / np.float32(255)).astype(np.float32)


def _idx(content: bytes) -> Array:
    """Read the IDX format: two zero bytes, the type (8: unsigned byte), the number of axes, their sizes, the values."""
    ndim = content[3]
    shape = tuple(np.frombuffer(content, dtype=">i4", count=ndim, offset=4))
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * ndim).reshape(shape)


def _raw(name: str) -> bytes:
    """Return the uncompressed bytes of one file of MNIST, from the first place that has the right ones."""
    folder = os.environ.get("BNCOURSE_DATA")
    if folder:
        for path in _candidates(Path(folder), name):
            if path.exists():
                content = _read(path)
                if hashlib.sha256(content).hexdigest() != MNIST_SHA256[name]:
                    raise DataMissing(f"{path} is not MNIST's {name}: its SHA-256 differs. Copy the file again.")
                return content
        raise DataMissing(
            f"BNCOURSE_DATA is {folder}, which holds no {name} or {name}.gz (nor does its subfolder mnist). "
            "Copy the four files of MNIST there, or unset BNCOURSE_DATA to download them."
        )
    return _download(name)


def _read(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataMissing(f"{path} cannot be read ({error}). Copy the file again.") from error


def _candidates(folder: Path, name: str) -> list[Path]:
    return [place / file for place in (folder, folder / "mnist") for file in (name, f"{name}.gz")]


def _download(name: str) -> bytes:
    try:
        import pooch
    except ImportError as error:
        raise DataMissing("downloading MNIST needs pooch. Type: pip install 'bncourse[data]'") from error
    reasons = []
    for mirror in MIRRORS:
        try:
            path = pooch.retrieve(
                f"{mirror}{name}.gz",
                known_hash=None,  # of the compressed file, which differs from mirror to mirror
                path=pooch.os_cache("bncourse") / "mnist",
                processor=pooch.Decompress(name=name),
            )
        except Exception as error:  # whatever goes wrong on one mirror, the next may be well
            reasons.append(f"{mirror}: {type(error).__name__}")
            continue
        content = Path(path).read_bytes()
        if hashlib.sha256(content).hexdigest() == MNIST_SHA256[name]:
            return content
        for stale in Path(path).parent.glob(f"*{name}*"):
            stale.unlink()
        reasons.append(f"{mirror}: other content than expected")
    raise DataMissing(
        "MNIST is not on this machine and could not be downloaded ("
        + "; ".join(reasons)
        + "). Set BNCOURSE_DATA to a folder with its four files, or use the embedded digits (--data digits)."
    )
