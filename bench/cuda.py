"""The ratio table on a GPU: device events, float32 and bfloat16, against cuDNN and against the memory's bandwidth."""

import datetime
import json
import math
import platform
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bncourse import torch_bn

SHAPES = [(8192, 4096), (256, 4096), (64, 64, 56, 56), (256, 256, 14, 14), (32, 64, 28, 28)]
MODULES = {2: "BatchNorm1d", 4: "BatchNorm2d"}
ARRAYS_MOVED = 5
"""x read and y written forward; x and dy read and dx written backward: what no implementation can avoid."""


def milliseconds(function: Callable[[], object], repeats: int = 10) -> float:
    """Time of one call by device events, over a few calls in a row."""
    event: Any = torch.cuda.Event
    start, end = event(enable_timing=True), event(enable_timing=True)
    torch.cuda.synchronize()
    start.record()
    for _ in range(repeats):
        function()
    end.record()
    torch.cuda.synchronize()
    return float(start.elapsed_time(end)) / repeats


def alternate(functions: dict[str, Callable[[], object]], rounds: int = 15) -> dict[str, float]:
    """Median time of each function, taken in turns."""
    for function in functions.values():
        for _ in range(5):
            function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            times[name].append(milliseconds(function))
    return {name: statistics.median(values) for name, values in times.items()}


def step(module: Any, x: torch.Tensor, dy: torch.Tensor) -> Callable[[], object]:
    """Forward and backward of a layer."""
    inputs = [x, *module.parameters()]
    return lambda: torch.autograd.grad(module(x), inputs, dy)


def measure(shape: tuple[int, ...], dtype: torch.dtype) -> dict[str, Any]:
    """One row: times, ratios, and the greatest difference from the native result."""
    torch.manual_seed(0)
    x, dy = (torch.randn(shape, device="cuda").to(dtype) for _ in range(2))
    x.requires_grad_()
    name = MODULES[len(shape)]
    native = getattr(torch.nn, name)(shape[1]).cuda()
    ours = getattr(torch_bn, name)(shape[1]).cuda()
    difference = (ours(x).float() - native(x).float()).abs().max().item()
    candidates = {"native": step(native, x, dy), "eager": step(ours, x, dy)}
    without = None
    try:
        compiled = step(torch.compile(ours, fullgraph=True), x, dy)
        compiled()
        candidates["compiled"] = compiled
    except Exception as error:  # a machine without a compiler still has the other columns
        without = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    source, target = x.detach(), torch.empty_like(x)
    candidates["copy"] = lambda: target.copy_(source)
    times = alternate(candidates)
    limit = times["copy"] * ARRAYS_MOVED / 2
    row: dict[str, Any] = {
        "shape": list(shape),
        "dtype": str(dtype).removeprefix("torch."),
        "milliseconds": times,
        "copy_gigabytes_per_second": 2 * x.nbytes / times["copy"] / 1e6,
        "limit_milliseconds": limit,
        "greatest_difference_of_y": difference,
        "ratio_to_native": {k: times[k] / times["native"] for k in ("eager", "compiled") if k in times},
        "ratio_to_limit": {k: times[k] / limit for k in ("native", "eager", "compiled") if k in times},
    }
    if without:
        row["without_compiled"] = without
    return row


def provenance(commit: str) -> dict[str, str]:
    """Where the figures come from."""
    properties = torch.cuda.get_device_properties(0)
    cudnn: Any = torch.backends.cudnn
    return {
        "command": "python -m bench " + " ".join(sys.argv[1:]),
        "commit": commit,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name(0),
        "device_memory_bytes": str(properties.total_memory),
        "torch": torch.__version__,
        "cuda": str(torch.version.cuda),
        "cudnn": str(cudnn.version()),
        "python": platform.python_version(),
        "method": "device events over 10 calls, 15 rounds in turns, medians; limit: 5 arrays at the copy's bandwidth",
    }


def run(record: Path | None, commit: str) -> bool:
    """Print the table, and write it with its provenance."""
    if not torch.cuda.is_available():
        print("no CUDA device here; --cuda needs one", file=sys.stderr)
        return False
    rows = []
    print(
        f"{'shape':20}{'dtype':10}{'native':>9}{'eager':>9}{'compiled':>9}{'limit':>9}   ms; ratios to native, to limit"
    )
    for dtype in (torch.float32, torch.bfloat16):
        for shape in SHAPES:
            row = measure(shape, dtype)
            rows.append(row)
            times = row["milliseconds"]
            columns = [times["native"], times["eager"], times.get("compiled", math.nan), row["limit_milliseconds"]]
            ratios = " ".join(f"{k} {v:.2f}" for k, v in row["ratio_to_native"].items())
            limits = " ".join(f"{k} {v:.2f}" for k, v in row["ratio_to_limit"].items())
            print(f"{shape!s:20}{row['dtype']:10}" + "".join(f"{c:9.4f}" for c in columns) + f"   {ratios} | {limits}")
    if record:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps({"provenance": provenance(commit), "rows": rows}, indent=1) + "\n")
        print(f"written to {record}")
    return True
