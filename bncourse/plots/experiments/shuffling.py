"""What reshuffling gains over batches that stay together: the difference seed by seed."""

from typing import Any

from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import NORMS, seeds
from bncourse.plots.style import INK, MUTED, WIDTH, Drawing, finish, style

KEPT = {"fixed": "the same batches in the same order", "fixed batches, new order": "the same batches in a new order"}


def draw(result: Result) -> Drawing:
    """Accuracy with reshuffled batches less that with the first epoch's batches kept, in points, every seed."""
    others = [order for order in result.labels("order") if order != "reshuffled"]
    sizes, norms = result.labels("batch_size"), [norm for norm in NORMS if norm in result.labels("norm")]
    words: list[str] = []
    ticks: list[str] = []
    with style():
        figure = Figure(figsize=(WIDTH, 1.2 + 2.1 * len(others)))
        axes = figure.subplots(len(others), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axis, order in zip(axes, others, strict=True):
            ticks.clear()
            axis.axhline(0, lw=1.2, ls="-", color=INK)
            axis.axhline(1, lw=1.2, ls=":", color=MUTED)
            for size in sizes:
                for norm in norms:
                    same: dict[str, Any] = {"norm": norm, "batch_size": size}
                    gained = 100 * (
                        result.values("accuracy", order="reshuffled", **same)
                        - result.values("accuracy", order=order, **same)
                    )
                    seeds(axis, len(ticks), gained, NORMS[norm])
                    ticks.append(f"{NORMS[norm].name},\nbatches of {size}")
                    words.append(f"{NORMS[norm].name}, {size}, against {order}: {gained.mean():.2f}")
            axis.set(title=f"against {KEPT.get(str(order), str(order))}", ylabel="gain (points)")
        axes[-1].set_xticks(range(len(ticks)), ticks)
    return finish(
        figure,
        "Accuracy with reshuffled batches less that with batches kept together, in percentage points, mean over the "
        f"seeds with its 95 % interval and every seed as a dot: {'; '.join(words)}. The paper reports about 1.",
    )
