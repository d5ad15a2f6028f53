"""The ratio tables on the CPU, with their bars."""

import math
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from bench.timing import Comparison, compare, elsewhere
from bncourse import fast, numpy_bn, torch_bn

SHAPES = [(256, 4096), (64, 1024), (4096, 256), (32, 64, 28, 28), (8, 256, 14, 14)]
MODULES = {2: "BatchNorm1d", 4: "BatchNorm2d"}
PAUSE = 0.03
"""Seconds after which PyTorch's threads have given up waiting actively."""


class Table:
    """Rows of one comparison, and the bars that they must keep, where there are any."""

    def __init__(self, title: str, *, mean_bar: float = math.inf, each_bar: float = math.inf) -> None:
        self.title, self.mean_bar, self.each_bar = title, mean_bar, each_bar
        self.rows: list[tuple[str, Comparison]] = []

    def add(self, label: str, comparison: Comparison) -> None:
        """Add a row, and print it."""
        if not self.rows:
            print(f"\n{self.title}\n{'':24}{'ours ms':>10}{'other ms':>10}{'ratio':>8}")
        self.rows.append((label, comparison))
        a, b, ratio, _ = comparison
        print(f"{label:24}{a:10.3f}{b:10.3f}{ratio:8.2f}", flush=True)

    def kept(self) -> bool:
        """Print the geometric mean with the bars, and whether they are kept."""
        ratios = [comparison.ratio for _, comparison in self.rows]
        mean = math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))
        kept = mean <= self.mean_bar and max(ratios) <= self.each_bar
        if self.mean_bar == math.inf:
            print(f"{'geometric mean':44}{mean:8.2f}   no bar")
            return True
        each = "" if self.each_bar == math.inf else f", each at most {self.each_bar:g}"
        verdict = "kept" if kept else "BROKEN"
        print(f"{'geometric mean':44}{mean:8.2f}   bar {self.mean_bar:g}{each}: {verdict}")
        return kept


def problem(shape: tuple[int, ...]) -> tuple[np.ndarray[Any, Any], ...]:
    """x, gamma, beta and dy in float32."""
    rng = np.random.default_rng(0)
    sizes = (shape, (shape[1],), (shape[1],), shape)
    return tuple(rng.standard_normal(size).astype(np.float32) for size in sizes)


def by_hand(package: Any, shape: tuple[int, ...]) -> Callable[[], object]:
    """Forward and backward of `numpy_bn`, or of its compiled loops in `fast`."""
    x, gamma, beta, dy = problem(shape)

    def run() -> object:
        y, cache = package.batch_norm_forward(x, gamma, beta)
        return y, package.batch_norm_backward(dy, cache)

    return run


def by_compiler(shape: tuple[int, ...]) -> Callable[[], object]:
    """The plain functions of `torch_bn`, each compiled by `torch.compile` for this shape alone.

    By default the second shape would be compiled once more for every size, and its loops know less.
    """
    x, gamma, beta, dy = (torch.tensor(array) for array in problem(shape))
    functions = (torch_bn.batch_norm_forward, torch_bn.batch_norm_backward)
    forward, backward = (torch.compile(function, dynamic=False) for function in functions)

    def run() -> object:
        y, cache = forward(x, gamma, beta)
        return y, backward(dy, cache)

    return run


def by_native(shape: tuple[int, ...]) -> Callable[[], object]:
    """PyTorch's own operation and its derivative by autograd."""
    x, gamma, beta, dy = (torch.tensor(array) for array in problem(shape))
    inputs = [tensor.requires_grad_() for tensor in (x, gamma, beta)]

    def run() -> object:
        y = torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True)
        return y, torch.autograd.grad(y, inputs, dy)

    return run


def by_module(module: Any, shape: tuple[int, ...]) -> Callable[[], object]:
    """Forward and backward of a layer, with its running statistics."""
    x, _, _, dy = (torch.tensor(array) for array in problem(shape))
    inputs = [x.requires_grad_(), *module.parameters()]

    def run() -> object:
        y = module(x)
        return y, torch.autograd.grad(y, inputs, dy)

    return run


def import_cost(repeats: int = 15) -> tuple[float, bool]:
    """Milliseconds that `import bncourse` adds to `import numpy`, and whether it leaves PyTorch alone."""
    script = (
        "import time, sys; import numpy; start = time.perf_counter(); import bncourse; "
        "print(1e3 * (time.perf_counter() - start), 'torch' in sys.modules)"
    )
    found = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
             for _ in range(repeats)]  # fmt: skip
    return sorted(float(cost) for cost, _ in found)[repeats // 2], all(loaded == "False" for _, loaded in found)


def run(seconds: float) -> bool:
    """Print every table; True if every bar is kept."""
    torch.set_num_threads(1)
    loops = Table("fast against F.batch_norm with autograd, one thread", mean_bar=0.75, each_bar=1.05)
    compiled = Table("torch_bn's functions under torch.compile against F.batch_norm with autograd", mean_bar=1.15)
    plain = Table("numpy_bn, as the equations stand, against F.batch_norm with autograd")
    results = []
    for table, candidate in (
        (loops, partial(by_hand, fast)),
        (compiled, by_compiler),
        (plain, partial(by_hand, numpy_bn)),
    ):
        for shape in SHAPES:
            table.add(str(shape), compare(candidate(shape), by_native(shape), seconds=seconds))
        results.append(table.kept())
    as_it_is: Callable[[Any], Any] = lambda module: module  # noqa: E731
    for title, wrap in (("eager", as_it_is), ("under torch.compile", torch.compile)):
        table = Table(f"torch_bn layers, {title}, against torch.nn's, eager")
        for shape in SHAPES:
            name = MODULES[len(shape)]
            ours = by_module(wrap(getattr(torch_bn, name)(shape[1])), shape)
            theirs = by_module(getattr(torch.nn, name)(shape[1]), shape)
            table.add(str(shape), compare(ours, theirs, seconds=seconds))
        table.kept()
    results.append(two_threads(seconds))
    cost, alone = import_cost()
    cheap = cost < 30 and alone
    print(f"\nimport bncourse after import numpy: {cost:.1f} ms, bar 30, PyTorch {'not ' if alone else ''}imported: "
          f"{'kept' if cheap else 'BROKEN'}")  # fmt: skip
    return all([*results, cheap])


def two_threads(seconds: float) -> bool:
    """Print the table of two threads on both sides, by the clock on the wall; True if its bar is kept.

    It needs two processors that nothing else uses; how much other programs took is printed.
    """
    table = Table("fast against F.batch_norm with autograd, two threads each, elapsed time", mean_bar=0.9)
    torch.set_num_threads(2)
    fast.set_num_threads(2)
    start, before = time.perf_counter(), elsewhere()
    try:
        for shape in SHAPES:
            pair = by_hand(fast, shape), by_native(shape)
            table.add(str(shape), compare(*pair, seconds=seconds, clock=time.perf_counter, pause=PAUSE))
    finally:
        torch.set_num_threads(1)
        fast.set_num_threads(1)
    kept, after = table.kept(), elsewhere()
    if before is not None and after is not None:
        others = (after - before) / (time.perf_counter() - start)
        print(f"other programs took {100 * others:.0f} % of a processor meanwhile")
    return kept
