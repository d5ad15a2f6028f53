"""Statistics left out of the gradient: a bias that grows without bound, and the size of the error."""

import numpy as np
from matplotlib.figure import Figure

from bncourse.experiments.result import Result
from bncourse.plots.looks import Look, curves, seeds
from bncourse.plots.style import DIRECT, INK, LINES, MEAN, WIDTH, Drawing, finish, style

LOOKS = {
    "inside": Look("statistics inside the gradient", DIRECT, "o", LINES[DIRECT]),
    "outside": Look("left out", MEAN, "s", LINES[MEAN]),
}


def draw(result: Result) -> Drawing:
    """Above, the bias over the steps; below, the relative error of the gradient against the batch size."""
    words = []
    with style():
        figure = Figure(figsize=(WIDTH, 5.4))
        growth, error = figure.subplots(2, 1)
        for side, look in LOOKS.items():
            runs = result.values("bias", part="growth", statistics=side)
            curves(growth, np.linspace(0, result.config["steps"], runs.shape[1]), np.abs(runs), look)
            words.append(f"{look.name}: bias {np.abs(runs[:, -1]).mean():.3g} in the end")
        growth.set(xlabel="step", ylabel="size of the bias")
        growth.legend()
        sizes = np.array(result.labels("batch_size"), dtype=float)
        for size in sizes:
            values = 100 * result.values("relative_error", part="error", batch_size=int(size))
            seeds(error, size, values, LOOKS["outside"])
            words.append(f"error at {size:.0f} samples {values.mean():.0f} %")
        error.plot(sizes, 100 * np.sqrt(2 / (sizes - 2)), "-", color=INK, lw=1.2, label="√(2/(m − 2))")
        error.set(xscale="log", yscale="log", xlabel="batch size m", ylabel="error of dx (%)")
        error.set_xticks(sizes, [f"{size:.0f}" for size in sizes])
        error.set_yticks([10, 30, 100], ["10", "30", "100"])
        error.minorticks_off()
        error.legend()
    return finish(figure, f"{'; '.join(words)}.")
