"""Where a Result comes from: versions, data, machine, time."""

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from bncourse.experiments import data as data_sets


def provenance(data: str, device: str, cpu_seconds: float) -> dict[str, Any]:
    """Say what would be needed to repeat a run, and what it cost.

    Parameters
    ----------
    data : str
        Name of the data set, or `none`.
    device : str
        As PyTorch names it.
    cpu_seconds : float
        Sum over the units; each computes in one thread.
    """
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(cpu_seconds, 1),
        "versions": versions(),
        "machine": machine(device),
        "data": {"name": data, "sha256": data_sets.load(data).sha256 if data != "none" else ""},
    }


def versions() -> dict[str, str]:
    """Versions of what computes."""
    from bncourse import __version__

    found = {"bncourse": __version__, "python": platform.python_version()}
    for package in ("numpy", "torch", "scikit-learn"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "absent"
    return found


def machine(device: str) -> dict[str, Any]:
    """Return the machine's kind, without a name that would identify it."""
    kind = {"system": platform.system(), "processor": _processor(), "cores": os.cpu_count()}
    if device != "cpu":
        import torch

        kind["accelerator"] = torch.cuda.get_device_name() if torch.cuda.is_available() else device
    return kind


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
