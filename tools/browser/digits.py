"""The wheel that brings the digits into the browser under scikit-learn's name, for pages and notebooks alike."""

import importlib.util
import io
import zipfile
from pathlib import Path

NAME = "digits-1.0-py3-none-any.whl"
"""The wheel's file."""

SOURCE = Path(__file__).parent / "stand_in"
INFO = "digits-1.0.dist-info"
METADATA = "Metadata-Version: 2.1\nName: digits\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: bncourse\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel() -> bytes | None:
    """The wheel, always the same bytes; None where scikit-learn, which has the digits, is not installed."""
    library = importlib.util.find_spec("sklearn")
    if library is None or library.origin is None:
        return None
    digits = Path(library.origin).parent / "datasets" / "data" / "digits.csv.gz"
    members = {f"sklearn/{path.name}": path.read_bytes() for path in sorted(SOURCE.glob("*.py"))}
    members |= {"sklearn/digits.csv.gz": digits.read_bytes()}
    members |= {f"{INFO}/METADATA": METADATA.encode(), f"{INFO}/WHEEL": WHEEL.encode(), f"{INFO}/RECORD": b""}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()
