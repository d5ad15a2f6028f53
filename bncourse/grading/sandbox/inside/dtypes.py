"""The name of a dtype in; the dtype out, if it is one of numbers or texts, which may cross."""

from typing import Any

import numpy as np

from .wire_types import WireError

KINDS = "biufcUS"
"""Kinds of dtypes that may cross, by NumPy's letters."""

USUAL = {name: np.dtype(name.decode()) for name in (b"<f8", b"<f4", b"<i8", b"|b1", b"<c16")}
NAMES = {dtype: name for name, dtype in USUAL.items()}
"""Those that come often, which need no check."""


def dtype_of(name: bytes) -> Any:
    """The dtype of this name; refuses what is none, or may hold objects."""
    text = name.decode("ascii")
    if len(text) > 12 or text[:1] not in "<>|=" or text[1:2] not in KINDS or not text[2:].isdigit():
        raise WireError("malformed message (dtype)")
    return np.dtype(text)
