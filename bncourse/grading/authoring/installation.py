"""A folder of masters in; where their students install the package from out."""

from pathlib import Path
from typing import Any

from bncourse.grading.core.install import Source, source_of

SETTINGS = "_config.yml"
"""The book's settings, two folders above the masters; a course without a book has none."""


def source_for(masters: Path) -> Source:
    """What the settings beside these masters say; without any, the wheel that lies with each release.

    Raises
    ------
    ValueError
        If the file is there and cannot be read.
    """
    path = masters.absolute().parent.parent / SETTINGS
    if not path.is_file():
        return Source()
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where there is one
        content: Any = yaml.load(path.read_text(encoding="utf-8"), loader) or {}  # noqa: S506  (both are safe ones)
        return source_of(content.get("sphinx", {}).get("config", {}))
    except (OSError, ValueError, yaml.YAMLError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} does not say where the package comes from: {error!r}") from error
